"""The end of a master: who asked for it, what becomes of the jobs, and how they are ended.

========================================  =================================================
asked by                                  with ``on_shutdown = "auto"`` the jobs
========================================  =================================================
TERM, INT, QUIT, ``daemon stop``          end; with systemd, OpenRC, runit and s6 they go on
                                          when the init system means to start clawd again
``daemon restart``, USR2                  go on, whatever ``on_shutdown`` says
the end of an ``essential`` job           end
PID 1 (PWR too)                           end: nothing outlives PID 1
a failure of the master                   go on
========================================  =================================================
"""

import logging
import os
from collections.abc import Awaitable, Callable

import trio

from claw.errors import StoreError
from claw.master.asyncstore import AsyncStore
from claw.master.decider import Decider
from claw.master.engine import intents
from claw.master.init import unit
from claw.master.reaper import Reaper
from claw.master.supervision.links import Links
from claw.model.effect import EssentialEnded, StopRun

_LOG = logging.getLogger("claw")
_LAST_WORD_S = 5.0
_STOP_PAUSE_S = 0.05
_LOOK_S = 1.0
"""The store is asked so often whether a run is active, while there are supervisors."""

AUTO, STOP, DETACH, RENEW = "auto", "stop", "detach", "renew"
"""What can be asked for; ``renew``: the new program takes over in place."""


class Shutdown:
    """The one wish for an end; the last who asks says what becomes of the jobs."""

    def __init__(self, reaper: Reaper, mark: str, *, is_unit: bool) -> None:
        """Wait for the wish.

        Args:
            reaper: Rests while programs are asked.
            mark: See `unit.is_restarting`.
            is_unit: Whether systemd started this process.
        """
        self._reaper = reaper
        self._mark = mark
        self._is_unit = is_unit
        self._asked = trio.Event()
        self._mode = AUTO
        self._on_impatience: Callable[[], None] | None = None
        self._exit_status: int | None = None

    @property
    def exit_status(self) -> int:
        """What the process shall exit with."""
        return self._exit_status or 0

    def request(self, mode: str) -> None:
        """Ask for the end: ``auto``, ``stop``, ``detach`` or ``renew``.

        Asked again, while jobs are still given their time to end: that time is over.
        """
        if self._asked.is_set() and self._mode != RENEW and self._on_impatience is not None:
            self._on_impatience()
        if not (self._asked.is_set() and mode == RENEW):
            self._mode = mode
        self._asked.set()

    def end_as(self, ended: EssentialEnded, *, was_seen: bool) -> None:
        """Have jobs and master end, as an essential job has; the first one's end stands.

        Args:
            ended: Which job, and how.
            was_seen: Whether this master was there; else the job is begun anew.
        """
        if not was_seen:
            return
        status = ended.exit_status
        _LOG.info("%s has ended, and the master with it: exit %d", ended.job, status)
        if self._exit_status is None:
            self._exit_status = status
        if not self._asked.is_set() or self._mode == RENEW:
            self._mode = STOP
        self._asked.set()

    async def wait(self) -> None:
        """Wait until somebody asks."""
        await self._asked.wait()

    @property
    def is_asked(self) -> bool:
        """Whether somebody has asked."""
        return self._asked.is_set()

    @property
    def is_renewal(self) -> bool:
        """Whether all that is wanted is a new program in place."""
        return self._mode == RENEW

    async def ends_jobs(self, on_shutdown: str) -> bool:
        """Tell whether the jobs are to end too.

        Args:
            on_shutdown: As configured.
        """
        mode = on_shutdown if self._mode == AUTO else self._mode
        if os.getpid() == 1:
            return mode != RENEW
        if mode != AUTO:
            return mode == STOP
        with self._reaper.starting():  # who asks the init system starts programs for it
            is_restarting = await trio.to_thread.run_sync(
                lambda: unit.is_restarting(self._mark, is_unit=self._is_unit)
            )
        if is_restarting:
            _LOG.info("the init system is going to start clawd again")
        return not is_restarting

    async def within(self, seconds: float, act: Callable[[], Awaitable[None]]) -> bool:
        """Do something, until it has taken too long or nobody wants to wait any more."""
        with trio.move_on_after(seconds) as patience:
            self._on_impatience = patience.cancel
            await act()
            return True
        return False


class JobsEnd:
    """Ends all jobs, with their grace and without."""

    def __init__(
        self,
        store: AsyncStore,
        decide: Decider,
        links: Links,
        tell_stop: Callable[[StopRun], None],
    ) -> None:
        """Take what it works with.

        Args:
            store: The store.
            decide: Makes decisions.
            links: Of the supervisors.
            tell_stop: Has a supervisor told, in the background.
        """
        self._store = store
        self._decide = decide
        self._links = links
        self._tell_stop = tell_stop

    async def run(self, shutdown: Shutdown, timeout_s: float) -> None:
        """End the jobs, and wait until they are gone."""
        if await shutdown.within(timeout_s, self._end):
            return
        _LOG.warning("%d jobs have not ended in their time: SIGKILL", len(self._links.all))
        for sid in tuple(self._links.all):
            self._tell_stop(StopRun("", sid, "shutdown", "daemon", grace_s=0.0))
        if not await shutdown.within(_LAST_WORD_S, self._wait_all_gone):
            _LOG.error("left behind: %s", ", ".join(self._links.all))

    async def _end(self) -> None:
        """End the jobs, also when that cannot be written down: a stop has to stop."""
        self._links.let_all_go()
        try:
            await self._decide(lambda turn: intents.shut_down(turn, by="daemon"))
        except StoreError as error:
            _LOG.error("ending jobs without a record of it: %s", error)
            for sid in tuple(self._links.all):
                self._tell_stop(StopRun("", sid, "shutdown", "daemon"))
        await self._wait_all_gone()

    async def _wait_all_gone(self) -> None:
        """Wait until no run is active any more, or only has an end that cannot be stored."""
        while await self._has_active_runs():
            if await self._has_only_ends_left():
                return
            await self._pause()

    async def _has_only_ends_left(self) -> bool:
        """Tell whether nothing is left but ends that master or supervisors cannot store."""
        left = await self._links.left_over()
        if left is None:
            return False
        if left and (self._store.trouble is not None or len(left) == len(self._links.all)):
            _LOG.warning("ended, and put on record once there is room: %s", ", ".join(left))
            return True
        return self._store.trouble is not None

    async def _pause(self) -> None:
        """Wait until no supervisor is left, as far as this process knows, or for a while."""
        look_at = trio.current_time() + _LOOK_S
        await trio.sleep(_STOP_PAUSE_S)
        while self._links.all and trio.current_time() < look_at:  # noqa: ASYNC110
            await trio.sleep(_STOP_PAUSE_S)

    async def _has_active_runs(self) -> bool:
        try:
            return await self._store.read(lambda tx: tx.has_served_runs())
        except StoreError as error:
            _LOG.error("cannot tell which runs are active: %s", error)
            return True
