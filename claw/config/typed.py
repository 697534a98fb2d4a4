"""Which keys are for jobs of some types only."""

from collections.abc import Iterator

from claw.config.check import Values
from claw.config.fields import JobKeys
from claw.config.locate import Path
from claw.config.table import Field
from claw.model.job import JobType

_TIMED = (JobType.SCHEDULED, JobType.ONESHOT)
_ONCE = (JobType.MANUAL, JobType.SCHEDULED, JobType.ONESHOT)

_ONLY_FOR: tuple[tuple[Field[object], tuple[JobType, ...]], ...] = tuple(
    (field, types)  # type: ignore[misc]
    for field, types in (
        (JobKeys.schedule, (JobType.SCHEDULED,)),
        (JobKeys.catch_up, (JobType.SCHEDULED,)),
        (JobKeys.catch_up_window, (JobType.SCHEDULED,)),
        (JobKeys.run_at, (JobType.ONESHOT,)),
        *((field, _TIMED) for field in (JobKeys.timezone, JobKeys.jitter)),
        (JobKeys.overdue_after, _TIMED),
        *((field, _ONCE) for field in (JobKeys.success_within, JobKeys.ping)),
        (JobKeys.error_backoff, (JobType.SCHEDULED,)),
        (JobKeys.hours, _ONCE),
        *((field, (JobType.ONESHOT,)) for field in (JobKeys.ttl, JobKeys.delete_after_run)),
        (JobKeys.autostart, (JobType.CONTINUOUS,)),
        (JobKeys.instances, (JobType.CONTINUOUS,)),
        (JobKeys.max_instances, _ONCE),
        (JobKeys.on_overlap, _ONCE),
        (JobKeys.max_queued, _ONCE),
        *((field, _ONCE) for field in (JobKeys.context, JobKeys.context_limit)),
        (JobKeys.max_pending_approvals, _ONCE),
    )
)


def faults(values: Values, kind: JobType) -> Iterator[tuple[Path, str]]:
    """Yield the keys that a job's own table has and its type cannot use."""
    if values.says(JobKeys.schedule) and values.says(JobKeys.run_at):
        return  # which type is meant is not known
    for field, types in _ONLY_FOR:
        if values.says(field) and kind not in types:
            yield (field.name,), _only_for(types, kind)
    if values.says_table("restart") and kind is not JobType.CONTINUOUS:
        yield ("restart",), _only_for((JobType.CONTINUOUS,), kind)


def _only_for(types: tuple[JobType, ...], kind: JobType) -> str:
    if kind is JobType.CONTINUOUS and len(types) > 2:  # noqa: PLR2004
        return "a continuous job has one run, from start to stop: remove it"
    wanted = " and ".join(types)
    return f"only for {wanted} jobs, and this one is {kind}: remove it, or change the type"
