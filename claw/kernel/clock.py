"""The only reader of time and of randomness.

Wall time is seconds since the epoch, UTC, and may step; monotonic time stands still in
suspend; boot time does not (clock_gettime(2)). Deadlines that must outlive a process are
kept in boot time, together with the boot id they belong to.
"""

import os
import time
from datetime import UTC, datetime


def now() -> datetime:
    """Return the wall time as an aware UTC datetime."""
    return datetime.now(UTC)


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


def boot_id() -> str:
    """Return what names this boot of the machine (random(4)), or '' where it has no name."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:  # noqa: PTH123
            return file.read().strip()
    except OSError:
        return ""


def random(count: int) -> bytes:
    """Return ``count`` random bytes."""
    return os.urandom(count)


def random_fraction() -> float:
    """Return a random number from 0 (included) to 1 (excluded)."""
    return int.from_bytes(os.urandom(4), "big") / 2**32
