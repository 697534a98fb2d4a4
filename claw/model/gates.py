"""The gates between ``queued`` and ``claimed``; each says in words why a run waits.

A run passes them in this order: the job is not stopped, paused or disabled (``--force``
passes these); the job's other runs (`overlap`); what it depends on (`claw.model.needs`);
what it shares with other jobs (`claw.model.capacity`): its pool and the daemon's
``max_parallel``. What may go, goes by `order`: first by priority, which rises with the time
waited, then due time, then id. A job whose gate is closed holds up no other job.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from claw.model import capacity, overlap
from claw.model.capacity import Room
from claw.model.job import Job, JobType
from claw.model.pool import OnPoolBusy
from claw.model.run import Priority, Run
from claw.model.values import quick

TTL = "ttl"
DELETE_AFTER_RUN = "delete_after_run"
OVER = frozenset({TTL, DELETE_AFTER_RUN})
"""What has stopped a oneshot whose run is over; see `claw.master.engine.lifetimes`."""


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


LINE = "line"
"""The gate of runs that wait for others of their job, or for an operator to open it.

Of those that do not open by themselves it is the last in order before the capacities."""

HELD = "held"
"""The gate of runs that are looked at again whenever anything has changed."""

_ALONE = "~"
"""Begins the gates that open by themselves, behind all capacities: no pass goes over them."""


def after(run_id: str) -> str:
    """Return the gate that opens when a run has ended."""
    return f"{_ALONE}after {run_id}"


def until(at: datetime) -> str:
    """Return the gate that opens at a time; the earlier the time, the earlier in order."""
    return f"{_ALONE}until {at.astimezone(UTC).isoformat(timespec='microseconds')}"


def opens_at(gate: str) -> datetime:
    """Return the time of a gate that `until` has made."""
    return datetime.fromisoformat(gate.rpartition(" ")[2])


def is_own(gate: str) -> bool:
    """Tell whether runs wait at a gate for something else than a capacity."""
    return gate in {LINE, HELD} or gate.startswith(_ALONE)


@quick
@dataclass(frozen=True, slots=True)
class Wait:
    """A run that waits."""

    run: Run
    why: str
    gate: str  # LINE, HELD, one that opens by itself, or the capacity that it lacks


@quick
@dataclass(frozen=True, slots=True)
class Plan:
    """A decision about all due runs, each in one of the first three."""

    go: tuple[Run, ...]
    wait: tuple[Wait, ...]
    skip: tuple[tuple[Run, str], ...]
    end: tuple[Run, ...]
    lock_lacking: tuple[
        tuple[Run, str], ...
    ] = ()  # of those that wait: a lock is all they lack


@dataclass(frozen=True, slots=True)
class Order:
    """In which order waiting runs go, at one moment."""

    now: datetime
    aging_s: float = 0.0  # so long a wait raises a run by one level; 0: never

    def level(self, priority: Priority, due_at: datetime) -> int:
        """Return how urgent a run is by now: 0 is the most, as for `Priority`."""
        if self.aging_s <= 0 or priority is Priority.CRITICAL:
            return priority
        waited_s = max((self.now - due_at).total_seconds(), 0.0)
        return max(priority - int(waited_s // self.aging_s), Priority.CRITICAL)

    def __call__(self, run: Run) -> tuple[int, datetime, str]:
        """Return the sort key of the queue.

        Of two runs of one priority the one that is due first always goes first: a queue is
        the runs of each priority in order of due time, merged.
        """
        return self.key(run.priority, run.due_at, run.id)

    def key(
        self, priority: Priority, due_at: datetime, run_id: str
    ) -> tuple[int, datetime, str]:
        """Return the sort key of a run of which just this is known."""
        return self.level(priority, due_at), due_at, run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The due runs of a job, or of one instance of a service, and what they meet."""

    job: Job
    due: Sequence[Run]  # in order
    active: Sequence[Run] = ()  # claimed and running ones, oldest first
    closed: str | None = None  # why nothing of it may begin; see `closed`
    held: Mapping[str, str] = field(default_factory=dict)  # by what they depend on, by run
    gates: Mapping[str, str] = field(default_factory=dict)  # of those held, if not `HELD`


def closed(standing: Standing, instance: InstanceStanding | None = None) -> str | None:
    """Return why nothing of a job, or of one of its instances, may begin; None: it may."""
    name = standing.name
    if standing.stopped_by in OVER:
        return f"over ({standing.stopped_by}): take it out of its file, or clawctl start {name}"
    if standing.stopped_by is not None:
        return f"stopped by {standing.stopped_by}: clawctl start {name}"
    if standing.paused_by is not None:
        return f"paused by {standing.paused_by}: clawctl resume {name}"
    if not standing.enabled:
        return f"disabled: clawctl enable {standing.name}"
    if instance is not None and instance.stopped_by is not None:
        return f"stopped by {instance.stopped_by}: clawctl start {name}@{instance.no}"
    return None


def decide(lines: Sequence[Line], room: Room, order: Order) -> Plan:
    """Return what becomes of the due runs.

    Args:
        lines: Those of all jobs that have any.
        room: What is left of the capacities that jobs share.
        order: In which they go.
    """
    go: list[tuple[Run, Job]] = []
    wait: list[Wait] = []
    skip: list[tuple[Run, str]] = []
    end: list[Run] = []
    for line in lines:
        lane, held = _lane(line)
        go += [(run, line.job) for run in lane.go]
        gate = _gate(line.job, LINE)
        wait += [Wait(run, why, gate) for run, why in lane.wait]
        wait += [
            Wait(run, why, _gate(line.job, line.gates.get(run.id, HELD))) for run, why in held
        ]
        skip += lane.skip
        end += lane.end
    lacking: list[tuple[Run, str]] = []
    shared = _within(sorted(go, key=lambda pair: order(pair[0])), room, lacking)
    return Plan(
        shared.go,
        (*wait, *shared.wait),
        (*skip, *shared.skip),
        tuple(end),
        tuple(lacking),
    )


def _gate(job: Job, gate: str) -> str:
    """Return the gate of a run; those of services are few, and always looked at."""
    return HELD if job.type is JobType.CONTINUOUS else gate


def _lane(line: Line) -> tuple[overlap.Lane, list[tuple[Run, str]]]:
    """Return what becomes of a line by itself, and the runs that pass and are held."""
    why = line.closed
    passing = [run for run in line.due if why is None or run.forced]
    lane = overlap.decide(line.job, line.active, passing)
    wait = list(lane.wait)
    if why is not None:
        wait += [(run, why) for run in line.due if not run.forced]
    go = [run for run in lane.go if run.id not in line.held]
    held = [(run, line.held[run.id]) for run in lane.go if run.id in line.held]
    # Nothing makes room for a run that could not take it.
    end = () if any(run.id in line.held for run in passing) else lane.end
    return overlap.Lane(tuple(go), tuple(wait), lane.skip, end), held


@dataclass(frozen=True, slots=True)
class _Shared:
    """What becomes of the runs that pass the gates of their own jobs."""

    go: tuple[Run, ...]
    wait: tuple[Wait, ...]
    skip: tuple[tuple[Run, str], ...]


def _within(
    passing: Sequence[tuple[Run, Job]], room: Room, lacking: list[tuple[Run, str]]
) -> _Shared:
    """Serve the runs that pass the gates of their own jobs, in order, while there is room."""
    go: list[Run] = []
    wait: list[Wait] = []
    skip: list[tuple[Run, str]] = []
    for run, job in passing:
        if _is_turned_away(run, job, room):
            skip.append((run, f"on_pool_busy = skip: {capacity.busy(job, room)}"))
            continue
        wants = capacity.wanted(job)
        lack = room.take(wants)
        if lack is None:
            go.append(run)
        else:
            gate = HELD if room.is_shared(lack.name) else _gate(job, lack.name)
            wait.append(Wait(run, lack.why, gate))
            if lack.name == capacity.lock(job.lock) and room.has_rest(wants, lack.name):
                lacking.append((run, job.lock))
    return _Shared(tuple(go), tuple(wait), tuple(skip))


def _is_turned_away(run: Run, job: Job, room: Room) -> bool:
    """Tell whether a run does not wait for its pool; what was begun or missed always does."""
    if job.on_pool_busy is not OnPoolBusy.SKIP or run.attempt or run.cause == overlap.CATCH_UP:
        return False
    return capacity.busy(job, room) is not None
