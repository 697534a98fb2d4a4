"""What signals ask of the master: TERM and INT end it, HUP loads its configuration anew."""

import logging
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import trio

from claw.errors import ClawError
from claw.kernel import signals
from claw.master import daemonlog
from claw.master.init.held import ALL, HeldSignals
from claw.master.shutdown import AUTO, DETACH, Shutdown

_LOG = logging.getLogger("claw")


class Signaling:
    """Acts upon signals, one at a time.

    Attributes:
        makes_way: From then on, signals are kept for the program that takes over.
    """

    def __init__(
        self, held: HeldSignals, shutdown: Shutdown, reload: Callable[[], Awaitable[Any]]
    ) -> None:
        """Take whom to tell."""
        self.makes_way = False
        self._held = held
        self._shutdown = shutdown
        self._reload = reload

    async def serve(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Act upon signals until cancelled."""
        async with trio.open_nursery() as nursery:
            with trio.open_signal_receiver(*ALL) as received:
                signals.unblock()
                task_status.started()
                async for number in received:
                    self._act_upon(number, nursery)

    def _act_upon(self, number: int, nursery: trio.Nursery) -> None:
        if self.makes_way:
            self._held.note(number)
        elif number == signal.SIGHUP:
            nursery.start_soon(self._on_hup)
        elif number == signal.SIGUSR1:
            daemonlog.reopen()
        elif number != signal.SIGPWR or os.getpid() == 1:  # lxc(1) ends PID 1 so
            self._shutdown.request(DETACH if number == signal.SIGUSR2 else AUTO)

    async def _on_hup(self) -> None:
        try:
            changes = await self._reload()
        except ClawError as error:
            lines = getattr(error, "diagnostics", ()) or (str(error),)
            _LOG.error("reload refused; nothing has changed:\n%s", "\n".join(lines))
        else:
            _LOG.info("reloaded: %s", changes)
