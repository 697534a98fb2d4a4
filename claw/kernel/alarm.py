"""A descriptor that wakes at a wall time, and at once when the clock is set.

See timerfd_create(2): TFD_TIMER_CANCEL_ON_SET makes a step of the clock (NTP, a person,
the end of a suspend) as visible as the time itself, so nobody has to look each second.
"""

import sys

from claw.kernel import libc
from claw.kernel.bare import os

_CLOCK_REALTIME = 0
_ABSTIME_CANCEL_ON_SET = 1 | 2
_NO_SUCH_CALL, _REFUSED = 38, 24  # ENOSYS, EMFILE
_LONG_BYTES = 8 if sys.maxsize > 1 << 32 else 4
_NEVER_S = 1 << 40 if sys.maxsize > 1 << 32 else sys.maxsize
_CREATE, _SET = libc.find("timerfd_create"), libc.find("timerfd_settime")


def open_alarm() -> int:
    """Return a new alarm, which does not ring yet.

    Raises:
        OSError: ENOSYS where the machine has no such thing; else none can be had now.
    """
    if not (_CREATE and _SET):
        raise OSError(_NO_SUCH_CALL, os.strerror(_NO_SUCH_CALL))
    fd = libc.call(_CREATE, _CLOCK_REALTIME, os.O_NONBLOCK | os.O_CLOEXEC)
    if fd == -1:
        raise OSError(_REFUSED, "no timer can be made")
    return fd


def set_alarm(fd: int, at: float | None) -> None:
    """Let an alarm ring at a wall time in seconds, or only when the clock is set.

    Raises:
        OSError: It cannot be set.
    """
    at = float(_NEVER_S) if at is None else max(at, 0.001)
    seconds = int(at)
    spec = libc.Buffer()  # struct itimerspec: four longs, of which the first two say 0
    for place, value in ((2, seconds), (3, int((at - seconds) * 1e9))):
        start = place * _LONG_BYTES
        spec[start : start + _LONG_BYTES] = [*value.to_bytes(_LONG_BYTES, sys.byteorder)]
    if libc.call(_SET, fd, _ABSTIME_CANCEL_ON_SET, spec, 0) == -1:
        raise OSError(_REFUSED, "a timer cannot be set")


def take_ring(fd: int) -> bool:
    """Clear an alarm that rang; True when it was the clock that was set."""
    try:
        os.read(fd, 8)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False
