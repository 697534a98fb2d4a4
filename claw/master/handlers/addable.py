"""What a job that is added must be, beside sound: it has to run at all, and not too often."""

from collections.abc import Callable, Iterable
from datetime import timedelta

from claw.errors import DeniedError, UsageError
from claw.kernel import clock
from claw.master.engine import slots
from claw.model.job import Config, Job
from claw.model.values import replace

MIN_GAP = timedelta(minutes=1)
"""The jobs of other users fire no more often, as those of cron(8) do not."""
_MOST_LOOKED_AT = 100


def times_check(
    names: Iterable[str], known: Config, *, is_guest: bool
) -> Callable[[Config], None]:
    """Return what refuses a configuration in which one of some new jobs has no good time.

    Args:
        names: The jobs that are added; one that is there already may be as it is.
        known: The configuration in force.
        is_guest: They are another user's, whose child adds them.
    """
    new = {name for name in names if known.job(name) is None}

    def check(config: Config) -> None:
        """Look at the jobs.

        Raises:
            UsageError: The time of one is over.
            DeniedError: One fires too often.
        """
        for job in config.jobs:
            if job.name in new:
                _check_begins(job)
                if is_guest:
                    _check_gaps(job)

    return check


def _check_begins(job: Job) -> None:
    now = clock.now()
    if job.run_at is not None and job.run_at <= now:
        raise UsageError(
            f"job {job.name!r} would never run: its time, {job.run_at.isoformat()}, is over",
            hint="give a later time; to run something at once: clawctl run -- COMMAND",
        )


def _check_gaps(job: Job) -> None:
    now = clock.now()
    for expressions in (job.schedule, *((one,) for one in job.schedule)):
        found = slots.slots_of(replace(job, schedule=expressions), now)
        last, at = None, None if found is None else found.next_after(now)
        for _ in range(_MOST_LOOKED_AT):
            if found is None or at is None:
                break
            if last is not None and at - last < MIN_GAP:
                raise DeniedError(
                    f"job {job.name!r} would run again {(at - last).total_seconds():g} s later:"
                    " the jobs of other users run once a minute at most",
                    hint="a schedule of five fields, or @every 1m",
                )
            last, at = at, found.next_after(at)
