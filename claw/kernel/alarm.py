"""A descriptor that wakes at a wall time, and at once when the clock is set.

See timerfd_create(2): TFD_TIMER_CANCEL_ON_SET makes a step of the clock (NTP, a person,
the end of a suspend) as visible as the time itself, so nobody has to look each second.
"""

import ctypes
import os

_CLOCK_REALTIME = 0
_ABSTIME_CANCEL_ON_SET = 1 | 2
_NEVER_S = 1 << 40
_libc = ctypes.CDLL(None, use_errno=True)


class _Spec(ctypes.Structure):
    """struct itimerspec."""

    _fields_ = [
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    ]


def _check(result: int) -> int:
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def open_alarm() -> int:
    """Return a new alarm, which does not ring yet.

    Raises:
        OSError: EMFILE, or ENOSYS where the machine has no such thing.
    """
    create = getattr(_libc, "timerfd_create", None)
    if create is None:
        raise OSError(38, os.strerror(38))
    flags = os.O_NONBLOCK | os.O_CLOEXEC
    return _check(create(ctypes.c_int(_CLOCK_REALTIME), ctypes.c_int(flags)))


def set_alarm(fd: int, at: float | None) -> None:
    """Let an alarm ring at a wall time in seconds, or only when the clock is set."""
    at = float(_NEVER_S) if at is None else max(at, 0.001)
    seconds = int(at)
    spec = _Spec(0, 0, seconds, int((at - seconds) * 1e9))
    result = _libc.timerfd_settime(
        ctypes.c_int(fd), ctypes.c_int(_ABSTIME_CANCEL_ON_SET), ctypes.byref(spec), None
    )
    _check(result)


def take_ring(fd: int) -> bool:
    """Clear an alarm that rang; True when it was the clock that was set."""
    try:
        os.read(fd, 8)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return False
