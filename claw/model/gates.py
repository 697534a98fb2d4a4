"""The gates between ``queued`` and ``claimed``; each says in words why a run waits.

A run passes them in this order: the job is not stopped, paused or disabled (``--force``
passes these); the job's other runs (`overlap`); what it depends on (`claw.model.needs`);
the daemon's ``max_parallel``, which services do not count in. What may go, goes by `order`:
first due, then id. A job whose gate is closed holds up no other job.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
    scaled_from: int | None = None  # how many were configured then


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceStanding:
    """What is known of one instance of a service that has several; a row of the store."""

    job: str
    no: int
    stopped_by: str | None = None  # the operator who stopped this one alone
    last_run: str | None = None  # the last one that ended after it began


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The due runs of a job, or of one instance of a service, and what they meet."""

    job: Job
    due: Sequence[Run]  # in order
    active: Sequence[Run] = ()  # claimed and running ones, oldest first
    closed: str | None = None  # why nothing of it may begin; see `closed`
    held: Mapping[str, str] = field(default_factory=dict)  # by what they depend on, by run


def closed(standing: Standing, instance: InstanceStanding | None = None) -> str | None:
    """Return why nothing of a job, or of one of its instances, may begin; None: it may."""
    name = standing.name
    if standing.stopped_by is not None:
        return f"stopped by {standing.stopped_by}: clawctl start {name}"
    if standing.paused_by is not None:
        return f"paused by {standing.paused_by}: clawctl resume {name}"
    if not standing.enabled:
        return "disabled: set enabled = true and reload"
    if instance is not None and instance.stopped_by is not None:
        return f"stopped by {instance.stopped_by}: clawctl start {name}@{instance.no}"
    return None


def decide(lines: Sequence[Line], *, parallel: int, max_parallel: int) -> Plan:
    """Return what becomes of the due runs.

    Args:
        lines: Those of all jobs that have any.
        parallel: How many runs are active, services not counted.
        max_parallel: How many may be.
    """
    go: list[tuple[Run, Job]] = []
    wait: list[tuple[Run, str]] = []
    skip: list[tuple[Run, str]] = []
    end: list[Run] = []
    for line in lines:
        lane = _lane(line)
        go += [(run, line.job) for run in lane.go]
        wait += lane.wait
        skip += lane.skip
        end += lane.end
    granted, held = _within(go, max_parallel - parallel, max_parallel)
    return Plan(tuple(granted), (*wait, *held), tuple(skip), tuple(end))


def _lane(line: Line) -> overlap.Lane:
    why = line.closed
    passing = [run for run in line.due if why is None or run.forced]
    lane = overlap.decide(line.job, line.active, passing)
    wait = list(lane.wait)
    if why is not None:
        wait += [(run, why) for run in line.due if not run.forced]
    go = [run for run in lane.go if run.id not in line.held]
    wait += [(run, line.held[run.id]) for run in lane.go if run.id in line.held]
    # Nothing makes room for a run that could not take it.
    end = () if any(run.id in line.held for run in passing) else lane.end
    return overlap.Lane(tuple(go), tuple(wait), lane.skip, end)


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
