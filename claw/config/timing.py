"""What a job's keys about time come to, and which of them contradict each other."""

from collections.abc import Iterator
from typing import Any

from claw.config import when
from claw.config.check import Values
from claw.config.fields import JobKeys
from claw.model.job import CatchUp, JobType
from claw.model.units import format_duration

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


def faults(said: Values, kind: JobType, timezone: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield a jitter that would have runs overtake each other."""
    if kind is not JobType.SCHEDULED or not said.says(JobKeys.jitter):
        return
    sound = [one for one in said[JobKeys.schedule] if not when.schedule_problem(one, timezone)]
    gaps = [when.shortest_gap_s(one, timezone) for one in sound]
    shortest_s = min((gap for gap in gaps if gap is not None), default=None)
    if shortest_s is not None and said[JobKeys.jitter] > shortest_s:
        gap = format_duration(shortest_s)
        yield ("jitter",), f"longer than the {gap} between two times: runs would change places"


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
