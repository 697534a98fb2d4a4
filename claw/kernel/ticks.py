"""Seconds of the kernel's clocks, without the calendar: all that supervisors need of time.

`claw.kernel.clock` has these too, and dates; a supervisor does without `datetime`, which
would thin out the memory that it shares with the fork server.
"""

import time

from claw.kernel import files
from claw.kernel.bare import os


def wall() -> float:
    """Return the wall time in seconds since the epoch."""
    return time.time()


def monotonic() -> float:
    """Return seconds of CLOCK_MONOTONIC."""
    return time.monotonic()


def boottime() -> float:
    """Return seconds of CLOCK_BOOTTIME, the same for every process of this boot."""
    return time.clock_gettime(_BOOT_CLOCK)


_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def sleep(seconds: float) -> None:
    """Do nothing for a while."""
    time.sleep(seconds)


def boot_id() -> str:
    """Return what names this boot of the machine (random(4)), or '' where it has no name."""
    try:
        return files.read_all("/proc/sys/kernel/random/boot_id").decode().strip()
    except OSError:
        return ""


def random(count: int) -> bytes:
    """Return ``count`` random bytes."""
    return os.urandom(count)


def random_fraction() -> float:
    """Return a random number from 0 (included) to 1 (excluded)."""
    return int.from_bytes(os.urandom(4), "big") / 2**32
