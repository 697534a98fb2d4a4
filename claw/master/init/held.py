"""Signals that come while one program takes the place of another: none of them is lost.

A mask would not do: it holds for one thread, and the kernel would give the signal to another,
whose default action ends the process. So there are handlers before and after trio's own, and
from then until exec what comes is written to a pipe that the successor reads.
"""

import os
import signal
from collections.abc import Iterable

from claw.kernel import process, signals

ENDINGS = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR2, signal.SIGPWR)
"""Signals that end a master; of SIGPWR that is true for PID 1 only."""
ALL = (*ENDINGS, signal.SIGHUP, signal.SIGUSR1)


class HeldSignals:
    """Notes what comes while nobody else listens; made in the main thread, before trio runs."""

    def __init__(self) -> None:
        self._noted: set[int] = set()
        self._writing_fd = -1
        for number in ALL:
            signal.signal(number, lambda number, _frame: self.note(number))

    def note(self, number: int) -> None:
        """Keep a signal for the successor."""
        self._noted.add(number)

    def pour(self) -> int:
        """Return a pipe that has what came, and gets what comes until exec.

        Signals are blocked from here on, as exec leaves them.
        """
        signals.block()
        reading_fd, self._writing_fd = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.set_wakeup_fd(self._writing_fd, warn_on_full_buffer=False)
        os.write(self._writing_fd, bytes(self._noted))
        return reading_fd

    def take_back(self, reading_fd: int) -> None:
        """Send what came to this process again: no successor took it."""
        signal.set_wakeup_fd(-1)
        os.close(self._writing_fd)
        self._noted.clear()
        raise_again(read(reading_fd))


def read(reading_fd: int) -> set[int]:
    """Return what a pipe of `HeldSignals.pour` has, and close it."""
    try:
        return set(os.read(reading_fd, 4096))
    except BlockingIOError:
        return set()
    finally:
        os.close(reading_fd)


def raise_again(numbers: Iterable[int]) -> None:
    """Send signals to this process; they wait, as all are blocked, until that is over."""
    for number in numbers:
        process.kill(os.getpid(), number)
