"""From queued to claimed: the gates, and what a run that may not go needs first.

`dispatch` is called whenever something may have become free to go. It begins what waiting
runs wait for (`needs`), gives up those that have waited too long, and claims the rest as
`claw.model.gates` says.

It does not look at all that waits. Whatever opens a gate of a job marks the job as one to be
looked at (a trigger of the store); of each other job just the first run that may go stands at
the capacity that it lacks. Of a capacity with N left the first N of those are looked at: the
first N runs of all that wait are among what their jobs have waiting. So a pass in which
nothing is free costs the same whether ten runs wait or ten thousand.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from claw.master.engine import (
    approvals,
    armed,
    definitions,
    fileevents,
    handouts,
    idem,
    intake,
    lifetimes,
    locks,
    openhours,
    pools,
    retries,
    transients,
    workflows,
)
from claw.master.engine.needs import Needs
from claw.master.engine.openhours import OpenHours
from claw.master.engine.turn import Turn
from claw.model import capacity, gates, instances, machine
from claw.model.capacity import Room
from claw.model.effect import Dispatch, DispatchAt
from claw.model.gates import Line, Order, Plan, Standing, Wait
from claw.model.handout import Handout
from claw.model.job import Job, JobType, Overlap
from claw.model.run import Run
from claw.store.queue import Head

_ALL = -1
Looks = tuple[Needs, OpenHours]
"""What else holds runs than their own job and what they share."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that is to be launched, and under which ids. It is on disk already."""

    run: Run
    attempt: int
    sid: str
    job: Job
    offset: int = 0  # of the supervisor's journal, of one that takes another run
    own: Mapping[str, str] = field(default_factory=dict)  # of its child's environment
    handed: Sequence[Handout] = ()  # files that its child is to find
    begin_at: datetime | None = None  # of one that is armed: its child is not begun before
    crowd_s: float = 0.0  # so long others begin that are armed with it


def dispatch(turn: Turn) -> tuple[Claim, ...]:
    """Claim the queued runs that are due and pass all gates, and say why others wait."""
    lifetimes.retire(turn)
    if turn.tx.meta(intake.ENDING):
        return ()
    retries.resume(turn)
    fileevents.resume(turn)
    approvals.expire(turn)
    workflows.expire(turn)
    opening = openhours.resume(turn)
    looks = needs, hours = Needs(turn), OpenHours(turn)
    claims: list[Claim] = []
    while (found := _round(turn, looks)) is None or found.begun:
        claims += () if found is None else found.claims
    claims += found.claims
    for at in (needs.next_deadline, hours.next_opening, opening):
        if at is not None:
            turn.emit(DispatchAt(at))
    if turn.tx.fresh_jobs(turn.now):
        turn.emit(Dispatch())
    if armed.runs(turn) and turn.tx.heads(capacity.MAX_PARALLEL, 1):
        armed.withdraw(turn, "another run is due, and needs its place")
    return tuple(claims)


def order_of(turn: Turn) -> Order:
    """Return the order in which runs go now."""
    return Order(turn.now, turn.config.daemon.priority_aging_s)


@dataclass(frozen=True, slots=True)
class _Gone:
    """What has begun in one look: runs with a child, and workflows, whose steps wait now."""

    claims: tuple[Claim, ...]
    begun: int


def _round(turn: Turn, looks: Looks) -> _Gone | None:
    """Look once at the jobs that matter; None: others matter by now, look again."""
    fresh = turn.tx.fresh_jobs(turn.now)
    names = {*turn.tx.jobs_at_gate(gates.HELD), *fresh}
    if fresh:
        turn.tx.settle_gates(turn.now)  # what is marked as fresh from here on is looked at next
    counts = turn.tx.active_counts()
    room = room_of(turn, counts)
    heads = _heads(turn, room, names)
    names.update(head.job for head in heads)
    free = room.free(capacity.MAX_PARALLEL)
    lines = [line for name in sorted(names) for line in _lines(turn, name, free, looks, counts)]
    return _carry_out(turn, gates.decide(lines, room, order_of(turn)), heads, looks)


def _heads(turn: Turn, room: Room, known: Collection[str]) -> list[Head]:
    """Return the runs that are to be looked at because what they lacked may be there.

    Those of jobs that are looked at anyway are not counted.
    """
    free, order = room.free(capacity.MAX_PARALLEL), order_of(turn)
    found: list[Head] = []
    for gate in turn.tx.gates_after(gates.LINE) if free else ():
        count = min(free, room.free(gate))
        rows = turn.tx.heads(gate, count + len(known)) if count else ()
        others = (head for head in rows if head.job not in known)
        found += sorted(others, key=lambda head: order.key(*head.key))[:count]
    return found


_NOWHERE = ("", "")


def _carry_out(turn: Turn, plan: Plan, heads: Sequence[Head], looks: Looks) -> _Gone | None:
    """Do what was decided; None: some heads stand at another gate by now, look again.

    While that is so nothing is claimed: others come to be looked at in their place, and may
    be before those that would go.
    """
    for run, why in plan.skip:
        turn.take(run, machine.turn_away(run, why=why, at=turn.now))
    for run in plan.end:
        turn.take(run, machine.ask_end(run, why="overlap", by="kill_restart"))
    marks = _marks(turn, plan.wait)
    gone = {run.id for run in plan.go}
    is_stale = any(
        marks.get(one.id, _NOWHERE)[0] != one.gate for one in heads if one.id not in gone
    )
    if is_stale:
        marks = _marks(turn, (*plan.wait, *(_ready(turn, run) for run in plan.go)))
    else:
        locks.ask(turn, plan.lock_lacking)
    claims = [] if is_stale else [_begin(turn, run, looks) for run in plan.go]
    for run_id, (gate, why) in marks.items():
        turn.tx.set_gate(run_id, gate, why)
    if is_stale:
        return None
    made = tuple(claim for claim in claims if claim is not None)
    return _Gone(made, len(claims) - len(made))


def _begin(turn: Turn, run: Run, looks: Looks) -> Claim | None:
    """Have a run go; None: it is a workflow's, which is not launched."""
    _needs, hours = looks
    job = turn.job(run.job)
    hours.tell(job, run)
    if job.workflow is None:
        return claim(turn, run)
    workflows.begin(turn, run, job)
    return None


def _ready(turn: Turn, run: Run) -> Wait:
    """Return that a run waits for nothing but the next look."""
    job = turn.job(run.job)
    is_free = job.type is JobType.CONTINUOUS or job.workflow is not None
    return Wait(run, "", gates.HELD if is_free else capacity.MAX_PARALLEL)


def _marks(turn: Turn, waits: Sequence[Wait]) -> dict[str, tuple[str, str]]:
    """Return gate and words of waiting runs; of each job the first stands at a capacity."""
    order = order_of(turn)
    found: dict[str, tuple[str, str]] = {}
    jobs: set[str] = set()
    for wait in sorted(waits, key=lambda wait: order(wait.run)):
        gate, job = wait.gate, wait.run.job
        if not gates.is_own(gate):
            gate = gates.LINE if job in jobs else gate
            jobs.add(job)
        found[wait.run.id] = gate, wait.why
    return found


def _lines(
    turn: Turn,
    name: str,
    free: int,
    looks: Looks,
    counts: Mapping[str, int],
) -> Iterator[Line]:
    """Yield what is due of a job; each instance of a service is a line of its own."""
    job = definitions.recall(turn.tx, turn.config, name)
    if job is None:
        return
    needs, hours = looks
    standing = turn.standing(name)
    several = instances.wanted(job, standing) > 1
    known = turn.tx.instances(name) if several else {}
    active, ahead = armed.apart(turn, turn.tx.active_runs(name) if name in counts else ())
    rows: dict[int, list[Run]] = {}
    for run in _due(turn, job, standing, free):
        rows.setdefault(instances.number(run) if several else 1, []).append(run)
    for no, due in sorted(rows.items()):
        closed = gates.closed(standing, known.get((name, no))) or pools.held_back(turn.tx, job)
        passing = [run for run in due if closed is None or run.forced]
        given_up = {
            run.id
            for run in passing
            if hours.turn_away(job, run)
            or transients.turn_away(turn, job, run)
            or idem.turn_away(turn, job, run)
            or needs.give_up(job, run)
        }
        left = [run for run in passing if run.id not in given_up]
        outside = hours.held(job, left)
        following = transients.held(turn, job, left)
        yield Line(
            job=job,
            due=[run for run in due if run.id not in given_up],
            active=[run for run in active if not several or instances.number(run) == no],
            closed=closed,
            held={
                **needs.held(job, [run for run in left if run.id not in outside]),
                **following,
                **outside,
                **armed.held(turn, left, ahead),
            },
            gates={
                **hours.gates(job, outside),
                **transients.gates(job, following),
            },
        )


def _due(turn: Turn, job: Job, standing: Standing, free: int) -> Sequence[Run]:
    """Return the due runs of a job that matter now: of a long queue only its head.

    That is what may go at most, ``free`` of it, and the one behind.
    """
    name, order = job.name, order_of(turn)
    if job.type is JobType.CONTINUOUS:
        return sorted(turn.tx.due_runs(name, turn.now), key=order)
    head = 1 + min(job.max_instances, free)
    if gates.closed(standing) is not None or pools.held_back(turn.tx, job):
        forced = turn.tx.forced_runs(name, turn.now)
        held = [run for run in turn.tx.due_runs(name, turn.now, head) if not run.forced]
        return sorted((*forced, *held), key=order)
    limit = _ALL if _is_beyond(turn, job) else head
    return sorted(turn.tx.due_runs(name, turn.now, limit), key=order)


def _is_beyond(turn: Turn, job: Job) -> bool:
    """Tell whether more runs of a job wait than may, so that all have to be looked at."""
    if job.on_overlap is not Overlap.QUEUE:
        return True
    return 0 < job.max_queued < turn.tx.count_due(job.name, turn.now)


def room_of(turn: Turn, counts: Mapping[str, int]) -> Room:
    """Return what is left of the capacities that jobs share.

    Args:
        turn: The decision.
        counts: How many runs are active, by job.
    """
    granted, notes = locks.at_gates(turn)
    return pools.room(turn.tx, turn.config, counts, granted, notes)


def claim(turn: Turn, run: Run) -> Claim:
    """Give a run that passes all gates to a supervisor; one that is not due yet, for then."""
    job = definitions.of_run(turn.tx, turn.config, run) or turn.job(run.job)
    begin_at = run.due_at if run.due_at > turn.now else None
    several = instances.wanted(job, turn.standing(job.name)) > 1
    instance = instances.number(run) if several else None
    supervisor = turn.supervisor_for(run, job)
    step = machine.claim(run, sid=supervisor.sid, at=turn.now, instance=instance)
    claimed = turn.take(run, step)
    turn.tx.put_supervisor(supervisor)
    given = handouts.of(turn, job, claimed)
    own = {**given.env, "CLAW_IDEMPOTENCY_KEY": idem.begin(turn, job, claimed)}
    fence = locks.take(turn, run, job)
    if fence is not None:
        own["CLAW_LOCK_FENCE"] = str(fence)
    return Claim(
        claimed,
        claimed.attempt,
        supervisor.sid,
        job,
        supervisor.offset,
        own,
        given.files,
        begin_at,
    )
