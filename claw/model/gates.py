"""The gates between ``queued`` and ``claimed``; each says in words why a run waits.

A run passes them in this order: the job is not stopped, paused or disabled (``--force``
passes these); the job's instances (`overlap`); the daemon's ``max_parallel``, which
services do not count in. What may go, goes by `order`: first due, then id. A job whose gate
is closed holds up no other job.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from claw.model import overlap
from claw.model.job import Job, JobType
from claw.model.run import Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What operators and time have made of a job; a row of the store."""

    name: str
    added_at: datetime
    active_since: datetime  # added, enabled, started or resumed: no slot before
    up: bool = False  # a service is wanted
    stopped_by: str | None = None  # the operator who stopped it, until it is started
    paused_by: str | None = None
    enabled: bool = True
    epoch: int = 0  # how often a service was wanted anew
    crashes: int = 0  # services lost in a row
    scheduled_through: datetime | None = None  # every slot up to here has its row
    done_at: datetime | None = None  # of a oneshot: when it succeeded
    schedule_key: str = ""  # tells whether the schedule's definition changed
    last_run: str | None = None  # the last one that ended after it began
    scale: int | None = None  # how many instances an operator wants; None: as configured


@dataclass(frozen=True, slots=True)
class Plan:
    """A decision about all due runs, each in one of the first three."""

    go: tuple[Run, ...]
    wait: tuple[tuple[Run, str], ...]
    skip: tuple[tuple[Run, str], ...]
    end: tuple[Run, ...]


def order(run: Run) -> tuple[datetime, str]:
    """Return the sort key of the queue; a priority will come in front."""
    return run.due_at, run.id


def closed(standing: Standing) -> str | None:
    """Return why nothing of a job may begin now, or None when it may."""
    name = standing.name
    if standing.stopped_by is not None:
        return f"stopped by {standing.stopped_by}: clawctl start {name}"
    if standing.paused_by is not None:
        return f"paused by {standing.paused_by}: clawctl resume {name}"
    if not standing.enabled:
        return "disabled: set enabled = true and reload"
    return None


def decide(
    lanes: Sequence[tuple[Job, Standing, Sequence[Run]]],
    active: Mapping[str, Sequence[Run]],
    *,
    parallel: int,
    max_parallel: int,
) -> Plan:
    """Return what becomes of the due runs.

    Args:
        lanes: For each job with due runs: the job, its standing, the runs in order.
        active: Claimed and running runs by job, oldest first.
        parallel: How many runs are active, services not counted.
        max_parallel: How many may be.
    """
    go: list[tuple[Run, Job]] = []
    wait: list[tuple[Run, str]] = []
    skip: list[tuple[Run, str]] = []
    end: list[Run] = []
    for job, standing, due in lanes:
        lane = _lane(job, standing, active.get(job.name, ()), due)
        go += [(run, job) for run in lane.go]
        wait += lane.wait
        skip += lane.skip
        end += lane.end
    granted, held = _within(go, max_parallel - parallel, max_parallel)
    return Plan(tuple(granted), (*wait, *held), tuple(skip), tuple(end))


def _lane(
    job: Job, standing: Standing, active: Sequence[Run], due: Sequence[Run]
) -> overlap.Lane:
    why = closed(standing)
    passing = [run for run in due if why is None or run.forced]
    lane = overlap.decide(job, active, passing)
    if why is None:
        return lane
    held = tuple((run, why) for run in due if not run.forced)
    return overlap.Lane(lane.go, (*lane.wait, *held), lane.skip, lane.end)


def _within(
    go: list[tuple[Run, Job]], free: int, max_parallel: int
) -> tuple[list[Run], list[tuple[Run, str]]]:
    granted: list[Run] = []
    held: list[tuple[Run, str]] = []
    text = f"max_parallel: {max_parallel} runs are active, as many as the daemon may have"
    for run, job in sorted(go, key=lambda pair: order(pair[0])):
        if job.type is JobType.CONTINUOUS:
            granted.append(run)
        elif free > 0:
            free -= 1
            granted.append(run)
        else:
            held.append((run, text))
    return granted, held
