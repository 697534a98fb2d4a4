"""Tells how the master is doing: sd_notify(3), s6's ready descriptor, who waits for ``-d``.

A manager that does not listen changes nothing: a message that cannot be sent is let go. The
watchdog is fed only while the event loop runs, decisions are stored and reads answered; a store
that says no (a full disk) answers too, one that is silent does not.
"""

import contextlib
import os
import socket
from collections.abc import Awaitable, Callable, Iterator

import trio

from claw.errors import StoreError
from claw.kernel import clock
from claw.master.init.background import Starter

_MICRO = 1_000_000


class Notifier:
    """Says it to whoever listens.

    Args:
        path: Of the manager's datagram socket, ``@`` in front for an abstract one; '': none.
        ready_fd: Gets a newline when the master is ready, and is closed then; None: none.
        starter: Who has started it in the background, and waits.
    """

    def __init__(
        self, path: str = "", ready_fd: int | None = None, starter: Starter | None = None
    ) -> None:
        self._address = "\0" + path[1:] if path.startswith("@") else path
        self._ready_fd = ready_fd
        self._starter = starter or Starter()
        self._is_over = False

    def ready(self, status: str) -> None:
        """The control socket answers, and jobs are taken care of."""
        self._send("READY=1", f"STATUS={status}", f"MAINPID={os.getpid()}")
        if self._ready_fd is not None:
            with contextlib.suppress(OSError):
                os.write(self._ready_fd, b"\n")
            with contextlib.suppress(OSError):
                os.close(self._ready_fd)
            self._ready_fd = None
        self._starter.serves()

    def status(self, text: str) -> None:
        """What it does, in a line for people."""
        self._send(f"STATUS={text}")

    def reloading(self, status: str) -> None:
        """It reads its configuration anew, or is replaced; `ready` follows."""
        self._send(
            "RELOADING=1",
            f"MONOTONIC_USEC={int(clock.monotonic() * _MICRO)}",
            f"STATUS={status}",
        )

    @contextlib.contextmanager
    def reload(self, status: Callable[[], str]) -> Iterator[None]:
        """Say that a reload is under way for as long as this lasts."""
        self.reloading("reading the configuration")
        try:
            yield
        finally:
            if not self._is_over:
                self.ready(status())

    def stopping(self, status: str, patience_s: float) -> None:
        """It ends, which may take so long in all."""
        self._is_over = True
        self._send(
            "STOPPING=1",
            f"EXTEND_TIMEOUT_USEC={int(patience_s * _MICRO)}",
            f"STATUS={status}",
        )

    def failed(self, text: str) -> None:
        """It ends against its will; said in a few lines."""
        self._is_over = True
        self._send(f"STATUS={text.splitlines()[0]}")
        self._starter.fails(text)

    def alive(self) -> None:
        """It is well."""
        self._send("WATCHDOG=1")

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as speaker,
        ):
            speaker.setblocking(False)
            speaker.sendto("\n".join(lines).encode(), self._address)


async def serve_watchdog(
    notifier: Notifier, interval_s: float, probes: tuple[Callable[[], Awaitable[object]], ...]
) -> None:
    """Feed the watchdog at half of its interval, for as long as the probes are answered."""
    while True:
        for probe in probes:
            with contextlib.suppress(StoreError):
                await probe()
        notifier.alive()
        await trio.sleep(interval_s / 2)
