"""The only reader of time and of randomness, together with `ticks` beneath it.

Wall time is seconds since the epoch, UTC, and may step; monotonic time stands still in
suspend; boot time does not (clock_gettime(2)). Deadlines that must outlive a process are
kept in boot time, together with the boot id they belong to.
"""

from datetime import UTC, datetime

from claw.kernel.ticks import boot_id, boottime, monotonic, random, random_fraction, wall

__all__ = ["boot_id", "boottime", "monotonic", "now", "random", "random_fraction", "wall"]


def now() -> datetime:
    """Return the wall time as an aware UTC datetime."""
    return datetime.now(UTC)
