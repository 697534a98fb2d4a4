"""From queued to claimed: the gates, and what a run that may not go needs first.

`dispatch` looks at all due runs whenever something may have become free to go. It begins what
they wait for (`needs`), gives up those that have waited too long, and claims the rest as
`claw.model.gates` says.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from claw.master.engine import idem, intake, lifetimes, retries
from claw.master.engine.needs import Needs
from claw.master.engine.openhours import OpenHours
from claw.master.engine.turn import Turn
from claw.model import capacity, gates, instances, machine
from claw.model.capacity import Room
from claw.model.effect import DispatchAt
from claw.model.gates import Line, Order, Standing
from claw.model.job import Job, JobType, Overlap
from claw.model.run import Run, Supervisor

_ALL = -1


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that is to be launched, and under which ids. It is on disk already."""

    run: Run
    attempt: int
    sid: str
    job: Job
    own: Mapping[str, str] = field(default_factory=dict)  # of its child's environment


def dispatch(turn: Turn) -> tuple[Claim, ...]:
    """Claim the queued runs that are due and pass all gates, and say why others wait."""
    lifetimes.retire(turn)
    names = [] if turn.tx.meta(intake.ENDING) else retries.due_jobs(turn)
    if not names:
        return ()
    counts = turn.tx.active_counts()
    room = _room(turn, counts)
    order = Order(turn.now, turn.config.daemon.priority_aging_s)
    looks = needs, hours = Needs(turn), OpenHours(turn)
    free = room.free(capacity.MAX_PARALLEL)
    lines = [line for name in names for line in _lines(turn, name, free, looks, counts)]
    plan = gates.decide(lines, room, order)
    for run, why in plan.skip:
        turn.take(run, machine.turn_away(run, why=why, at=turn.now))
    for run, why in plan.wait:
        turn.tx.set_waiting_for(run.id, why)
    for run in plan.end:
        turn.take(run, machine.ask_end(run, why="overlap", by="kill_restart"))
    for at in (needs.next_deadline, hours.next_opening):
        if at is not None:
            turn.emit(DispatchAt(at))
    for run in plan.go:
        hours.tell(turn.job(run.job), run)
    return tuple(_claim(turn, run) for run in plan.go)


def _lines(
    turn: Turn,
    name: str,
    free: int,
    looks: tuple[Needs, OpenHours],
    counts: Mapping[str, int],
) -> Iterator[Line]:
    """Yield what is due of a job; each instance of a service is a line of its own."""
    job = turn.config.job(name)
    if job is None:
        return
    needs, hours = looks
    standing = turn.standing(name)
    several = instances.wanted(job, standing) > 1
    known = turn.tx.instances(name) if several else {}
    active = turn.tx.active_runs(name) if name in counts else ()
    rows: dict[int, list[Run]] = {}
    for run in _due(turn, job, standing, free):
        rows.setdefault(instances.number(run) if several else 1, []).append(run)
    for no, due in sorted(rows.items()):
        closed = gates.closed(standing, known.get((name, no)))
        passing = [run for run in due if closed is None or run.forced]
        given_up = {
            run.id for run in passing if hours.turn_away(job, run) or needs.give_up(job, run)
        }
        left = [run for run in passing if run.id not in given_up]
        outside = hours.held(job, left)
        yield Line(
            job=job,
            due=[run for run in due if run.id not in given_up],
            active=[run for run in active if not several or instances.number(run) == no],
            closed=closed,
            held={
                **needs.held(job, [run for run in left if run.id not in outside]),
                **outside,
            },
        )


def _due(turn: Turn, job: Job, standing: Standing, free: int) -> Sequence[Run]:
    """Return the due runs of a job that matter now: of a long queue only its head.

    That is what may go at most, ``free`` of it, and the one behind.
    """
    name = job.name
    if job.type is JobType.CONTINUOUS:
        return turn.tx.due_runs(name, turn.now)
    head = 1 + min(job.max_instances, free)
    if gates.closed(standing) is not None:
        forced = turn.tx.due_runs(name, turn.now, forced=True)
        held = [run for run in turn.tx.due_runs(name, turn.now, head) if not run.forced]
        return sorted((*forced, *held), key=Order(turn.now))
    bounded = job.on_overlap is not Overlap.QUEUE or job.max_queued > 0
    return turn.tx.due_runs(name, turn.now, _ALL if bounded else head)


def _room(turn: Turn, counts: Mapping[str, int]) -> Room:
    """Return what is left of the capacities that jobs share."""
    config = turn.config
    totals = {capacity.MAX_PARALLEL: config.daemon.max_parallel}
    totals |= {capacity.pool(name): slots for name, slots in config.pools}
    jobs = [(config.job(name) or _GONE, count) for name, count in counts.items()]
    return Room(totals, capacity.held(jobs))


_GONE = Job(name="", argv=())
"""Stands for a job that is no longer in the configuration and still has runs."""


def _claim(turn: Turn, run: Run) -> Claim:
    job = turn.job(run.job)
    sid = turn.new_sid()
    several = instances.wanted(job, turn.standing(job.name)) > 1
    instance = instances.number(run) if several else None
    step = machine.claim(run, sid=sid, at=turn.now, instance=instance)
    claimed = turn.take(run, step)
    turn.tx.put_supervisor(Supervisor(sid=sid, run=run.id, job=run.job, created_at=turn.now))
    return Claim(
        claimed, claimed.attempt, sid, job, own={"CLAW_IDEMPOTENCY_KEY": idem.key_of(turn, run)}
    )
