"""What a job's keys about time come to, and which of them contradict each other."""

from collections.abc import Iterator
from typing import Any

from claw.config.check import Values
from claw.config.fields import JobKeys
from claw.model.job import CatchUp, JobType

_DAY_S = 86400.0
_TIMED = (JobType.SCHEDULED, JobType.ONESHOT)


def contradictions(said: Values) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the keys that say something in vain beside others."""
    if (
        said.says(JobKeys.catch_up_window)
        and said[JobKeys.catch_up_window] is not None
        and said[JobKeys.catch_up] is CatchUp.NONE
    ):
        yield (
            ("catch_up_window",),
            'nothing is made up for with catch_up = "none": remove it, or set "once" there',
        )
    if said.says(JobKeys.ttl) and said[JobKeys.delete_after_run]:
        yield ("ttl",), "delete_after_run is a ttl of nothing: keep one of them"
    if said[JobKeys.jitter] > _DAY_S:
        yield ("jitter",), "longer than a day: runs would be nowhere near their times"


def values(said: Values, kind: JobType, timezone: str) -> dict[str, Any]:
    """Return the values of a job that are about time.

    Args:
        said: What its table says.
        kind: Its type: what belongs to another one comes from ``[defaults]``, and is left out.
        timezone: Its own zone, or that of the daemon.
    """
    hours, is_oneshot = said[JobKeys.hours], kind is JobType.ONESHOT
    if kind is JobType.CONTINUOUS:
        hours = None
    return {
        "jitter_s": said[JobKeys.jitter] if kind in _TIMED else 0.0,
        "error_backoff": said[JobKeys.error_backoff] and kind is JobType.SCHEDULED,
        "hours": None if hours is None else hours.hours(timezone),
        "ttl_s": said[JobKeys.ttl] if is_oneshot else None,
        "delete_after_run": said[JobKeys.delete_after_run] and is_oneshot,
    }
