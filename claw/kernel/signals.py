"""Signals as bytes on a descriptor, and their reset for children. See signal(7).

The numbers are plain ones, not the enums that `signal` makes of them.
"""

from claw.kernel.bare import os, signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SIGABRT = int(signal.SIGABRT)
SIGCHLD = int(signal.SIGCHLD)
SIGCONT = int(signal.SIGCONT)
SIGHUP = int(signal.SIGHUP)
SIGINT = int(signal.SIGINT)
SIGKILL = int(signal.SIGKILL)
SIGSTOP = int(signal.SIGSTOP)
SIGTERM = int(signal.SIGTERM)


def as_descriptor(numbers: tuple[int, ...]) -> int:
    """Have these signals wake a descriptor, and return it; each comes as one byte.

    Handlers are set (and do nothing), so that system calls are not ended by the signals'
    default action; what came while signals were blocked comes now.
    """
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in numbers:
        signal.signal(number, _note)
    unblock()
    return reading


def _note(_number: int, _frame: object) -> None:
    """Do nothing: the byte on the descriptor says it all."""


def forget_descriptor() -> None:
    """Send no more bytes to a descriptor that a fork has inherited."""
    signal.set_wakeup_fd(-1)


def taken(fd: int) -> set[int]:
    """Return the signals that have come since the last call."""
    try:
        return set(os.read(fd, 4096))
    except BlockingIOError:
        return set()


def ignore(number: int) -> None:
    """Ignore a signal."""
    signal.signal(number, signal.SIG_IGN)


def reset_for_child() -> None:
    """Give a forked child the default of every signal, and an empty mask, before it execs.

    A SIGPIPE that waits is dropped (sigaction(2): by ignoring it): it is of something that the
    child itself has written where nobody reads any more, and would end the program instead.
    """
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    for number in _RESETTABLE:
        signal.signal(number, signal.SIG_DFL)
    unblock()


def block() -> set[int]:
    """Keep every signal waiting, and return those that were kept already."""
    return signal.pthread_sigmask(signal.SIG_SETMASK, _RESETTABLE)


def hold(number: int) -> set[int]:
    """Keep one signal waiting, and return those that were kept already, for `unblock`."""
    return signal.pthread_sigmask(signal.SIG_BLOCK, (number,))


def unblock(kept: "Iterable[int]" = ()) -> None:
    """Let every signal through that is not to be kept; those that waited come now."""
    signal.pthread_sigmask(signal.SIG_SETMASK, kept)


_RESETTABLE = tuple(
    number
    for number in signal.valid_signals()
    if number not in (signal.SIGKILL, signal.SIGSTOP)
)
