"""The engine: the one way in, and the gates.

Every way to start something ends in `submit`: a run row, durable, one per origin key. Every
start of a child begins in `dispatch`: the gates, then the claim. The rest of the engine, each
part with its own idea, all of it functions of a `Turn` (see `claw.master.engine.turn`):

    intake      submit, dispatch
    journal     apply_journal, launch_refused, never_launched, lost, pending_stops
    intents     start, stop, restart, pause, resume, cancel, shut_down
    services    begin, autostart (and ``@reboot``)
    slots       tick, next_slots: the schedules
    sync        sync: the jobs of a configuration
    rebuild     rebuild: after damage
    requests    recall, remember: one effect per request id
    statusview  rows to what ``status --json`` shows; runview, whyview beside it

Order at the start of the master: `rebuild` if need be, `begin`, `sync` (``start=False``),
the journals and adoption, `pending_stops`, `autostart`, `tick`, `dispatch`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from claw.errors import ConflictError, SaturatedError
from claw.master.engine.turn import Turn
from claw.model import gates, ids, machine
from claw.model.effect import Dispatch
from claw.model.job import Job, JobType, Overlap
from claw.model.run import Origin, Run, State, Supervisor

ENDING = "ending"
"""Kept from `intents.shut_down` to the next `services.begin`: nothing new is claimed."""

_ALL = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is asked for: a run of a job, from one origin."""

    job: str
    origin: Origin
    key: str  # unique within the origin
    by: str = ""  # who asks
    due_at: datetime | None = None  # None: now
    slot_at: datetime | None = None
    cause: str = "start"
    env: tuple[tuple[str, str], ...] = ()
    args: tuple[str, ...] = ()
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that is to be launched, and under which ids. It is on disk already."""

    run: Run
    attempt: int
    sid: str
    job: Job


def submit(turn: Turn, ask: Ask) -> Run:
    """Store a run, or return the one that the same origin key made before.

    People's asks (manual, at) are refused when they could only wait for good: what the
    engine itself asks for waits at its gate.

    Raises:
        NotFoundError: No such job.
        ConflictError: It is stopped, paused, disabled, or a service that is running.
        SaturatedError: ``daemon.max_queue`` runs are open.
    """
    known = turn.tx.run_by_origin(ask.origin, ask.key)
    if known is not None:
        return known
    job = turn.job(ask.job)
    if ask.origin in _BY_PEOPLE:
        _check_open(turn, job, ask)
    if ask.origin is not Origin.AUTOSTART:  # a full queue keeps no service down
        _check_room(turn)
    run = Run(
        id=turn.new_run_id(),
        job=job.name,
        state=State.QUEUED,
        origin=ask.origin,
        origin_key=ask.key,
        queued_at=turn.now,
        due_at=ask.due_at or turn.now,
        slot_at=ask.slot_at,
        cause=ask.cause,
        env=ask.env,
        args=ask.args,
        asked_by=ask.by,
        forced=ask.forced,
    )
    turn.add(run, why=ask.origin)
    turn.emit(Dispatch())
    return run


_BY_PEOPLE = {Origin.MANUAL, Origin.AT}


def _check_open(turn: Turn, job: Job, ask: Ask) -> None:
    why = gates.closed(turn.standing(job.name))
    if why is not None and not ask.forced:
        raise ConflictError(f"job {job.name!r} is {why}", hint="or use --force")
    if job.type is not JobType.CONTINUOUS:
        return
    for run in turn.tx.open_runs(job.name):
        if run.stop_why is None:
            raise ConflictError(
                f"job {job.name!r} is a service and has run {ids.short(run.id)} already",
                hint=f"clawctl restart {job.name}",
            )


def _check_room(turn: Turn) -> None:
    limit = turn.config.daemon.max_queue
    if turn.tx.count_open() >= limit:
        raise SaturatedError(
            f"{limit} runs are open, as many as daemon.max_queue allows",
            hint="try again when some have ended",
        )


def dispatch(turn: Turn) -> tuple[Claim, ...]:
    """Claim the queued runs that are due and pass all gates, and say why others wait."""
    names = [] if turn.tx.meta(ENDING) else turn.tx.due_jobs(turn.now)
    if not names:
        return ()
    counts = turn.tx.active_counts()
    parallel, most = _parallel(turn, counts), turn.config.daemon.max_parallel
    found = (_lane(turn, name, max(most - parallel, 0)) for name in names)
    lanes = [lane for lane in found if lane is not None]
    plan = gates.decide(
        lanes,
        {job.name: turn.tx.active_runs(job.name) for job, _, _ in lanes if job.name in counts},
        parallel=parallel,
        max_parallel=most,
    )
    for run, why in plan.skip:
        turn.take(run, machine.turn_away(run, why=why, at=turn.now))
    for run, why in plan.wait:
        turn.tx.set_waiting_for(run.id, why)
    for run in plan.end:
        turn.take(run, machine.ask_end(run, why="overlap", by="kill_restart"))
    return tuple(_claim(turn, run) for run in plan.go)


def _lane(
    turn: Turn, name: str, free: int
) -> tuple[Job, gates.Standing, tuple[Run, ...]] | None:
    """Return the due runs of a job that matter now: of a long queue only its head.

    That is what may go at most, ``free`` of it unless it is a service, and the one behind.
    """
    job = turn.config.job(name)
    if job is None:
        return None
    standing = turn.standing(name)
    is_counted = job.type is not JobType.CONTINUOUS
    head = 1 + (min(job.max_instances, free) if is_counted else job.max_instances)
    if gates.closed(standing) is not None:
        forced = turn.tx.due_runs(name, turn.now, forced=True)
        held = [run for run in turn.tx.due_runs(name, turn.now, head) if not run.forced]
        return job, standing, tuple(sorted((*forced, *held), key=gates.order))
    bounded = job.on_overlap is not Overlap.QUEUE or job.max_queued > 0
    return job, standing, turn.tx.due_runs(name, turn.now, _ALL if bounded else head)


def _parallel(turn: Turn, counts: Mapping[str, int]) -> int:
    return sum(
        count
        for name, count in counts.items()
        if (job := turn.config.job(name)) is None or job.type is not JobType.CONTINUOUS
    )


def _claim(turn: Turn, run: Run) -> Claim:
    job = turn.job(run.job)
    sid = turn.new_sid()
    claimed = turn.take(run, machine.claim(run, sid=sid, at=turn.now))
    turn.tx.put_supervisor(Supervisor(sid=sid, run=run.id, job=run.job, created_at=turn.now))
    return Claim(claimed, claimed.attempt, sid, job)
