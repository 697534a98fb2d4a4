"""The engine: the one way in.

Every way to start something ends in `submit`: a run row, durable, one per origin key. Every
start of a child begins in `dispatch`: the gates, then the claim. The engine, each part with
its own idea, all of it functions of a `Turn` (see `claw.master.engine.turn`):

    intake, batches         submit, submit_batch: one run, or many as one; piecemeal: very many
    dispatch                the gates and the claim; with needs (dependencies), openhours,
                            pools, locks and retries (what is due again)
    consequences            what every change of a run leads to elsewhere; with conditions
                            and alerts (what is said of it), sla, idem, leavings (results)
    journal                 apply_journal, launch_refused, never_launched, lost
    deadletters             runs that have failed for good
    intents                 start, stop, restart, pause, resume, cancel, shut_down
    services, rollouts      begin, autostart (and ``@reboot``), scale; rolling restarts
    slots, lifetimes        tick, next_slots: the schedules; jobs whose time is over
    children                what runs make by their children
    duties                  what should have happened by now
    definitions, transients jobs that are there for one run only
    sync                    the jobs of a configuration
    rebuild, histories      after damage: from journals, in the order of what happened
    watchdogs               what the checks of watchdog jobs have found
    approvals               runs that wait until somebody has said that they may begin
    requests                recall, remember: one effect per request id

What is shown of all that is in `claw.master.views`.

Order at the start of the master: `rebuild` if need be, `begin`, `sync` (``start=False``),
the journals and adoption, `pending_stops`, `autostart`, `tick`, `dispatch`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from claw.errors import ConflictError, DeniedError, SaturatedError, UsageError
from claw.master.engine import alerts, approvals, children, definitions, openhours
from claw.master.engine.turn import Turn
from claw.model import access, dedup, gates, ids, instances
from claw.model.alerts import QUEUE_FULL
from claw.model.effect import Dispatch
from claw.model.job import Job, JobType
from claw.model.lineage import ALONE, MAX_DEPTH, Lineage
from claw.model.run import Origin, Priority, Run, State
from claw.model.values import replace

ENDING = "ending"
"""Kept from `intents.shut_down` to the next `services.begin`: nothing new is claimed."""

_MUST_FIT = {Origin.AUTOSTART, Origin.DEPENDENCY, Origin.WATCH}
"""A full queue keeps down no service, and nothing that a run in it waits for; of files as many
are asked for as there is room."""


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
    instance: int | None = None  # of a service that has several
    priority: Priority | None = None  # None: the job's
    replay_of: str | None = None  # the run that it repeats
    batch: str | None = None
    id: str = ""  # of the run, if it is known before
    lineage: Lineage = ALONE  # what it comes of
    is_limited: bool = False  # an operator's: with no more than the job's params allow

    def of(self, job: str, run_id: str) -> "Ask":
        """Return the same ask for a job and a run that have just got their names."""
        return replace(self, job=job, id=run_id)


@dataclass(frozen=True, slots=True)
class Particular:
    """What one run of a batch has of its own, after what all have in common."""

    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()


def submit(turn: Turn, ask: Ask) -> Run:
    """Store a run, or return the one that the same origin key made before.

    What people and children ask for (manual, at, child) is refused when it could only wait for
    good: what the engine itself asks for waits at its gate.

    Raises:
        NotFoundError: No such job.
        ConflictError: It is stopped, paused, disabled, or a service that is running.
        SaturatedError: ``daemon.max_queue`` runs are open, or too many wait for approval.
    """
    known = turn.tx.run_by_origin(ask.origin, ask.key)
    if known is not None:
        return known
    job = turn.job(ask.job)
    if ask.origin in _BY_PEOPLE:
        _check_open(turn, job, ask)
        _check_params(job, ask.env)
    if ask.is_limited:
        check_allowed(job, dict(ask.env), has_args=bool(ask.args))
    if ask.origin not in _MUST_FIT:
        check_room(turn)
    _check_maker(turn, ask)
    if ask.origin in _ANSWERED:
        approvals.check_room(turn, job)
    return _store(turn, job, _made(turn, job, ask))


def _made(turn: Turn, job: Job, ask: Ask) -> Run:
    return Run(
        id=ask.id or turn.new_run_id(),
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
        instance=ask.instance,
        priority=job.priority if ask.priority is None else ask.priority,
        replay_of=ask.replay_of,
        batch=ask.batch,
        lineage=children.inherited(turn, job, ask.origin, ask.lineage),
    )


def follow_up(turn: Turn, ask: Ask) -> Run:
    """Store a run that follows from something, or that it is skipped, and why.

    For what nobody stands by to be told of: where `submit` would refuse, or have a run wait for
    an operator, a row says so.

    Raises:
        NotFoundError: No such job.
    """
    known = turn.tx.run_by_origin(ask.origin, ask.key)
    if known is not None:
        return known
    why = _hindrance(turn, ask)
    return submit(turn, ask) if why is None else skip(turn, ask, why)


def skip(turn: Turn, ask: Ask, why: str) -> Run:
    """Store that a run which was due is skipped; the one that was made before, if there is one.

    Raises:
        NotFoundError: No such job.
    """
    known = turn.tx.run_by_origin(ask.origin, ask.key)
    if known is not None:
        return known
    job = turn.job(ask.job)
    made = _as_whole(job, _made(turn, job, ask))
    run = replace(made, state=State.SKIPPED, reason=why, ended_at=turn.now)
    turn.add(run, why=why)
    return run


def _hindrance(turn: Turn, ask: Ask) -> str | None:
    """Return why a run that follows from something is skipped."""
    closed = None if ask.forced else gates.closed(turn.standing(ask.job))
    if closed is not None:
        return f"job {ask.job!r} is {closed}"
    if ask.lineage.is_too_deep:
        return f"too deep: more than {MAX_DEPTH} runs came of each other"
    limit = turn.config.daemon.max_queue
    if turn.tx.count_open() >= limit:
        tell_full(turn, f"a run of {ask.job} was skipped")
        return f"{limit} runs are open, as many as daemon.max_queue allows"
    return None


def tell_full(turn: Turn, what: str) -> None:
    """Say that something which nobody stands by to be told of found the queue full.

    It stands until somebody has noted it, however often it happens meanwhile.
    """
    limit = turn.config.daemon.max_queue
    text = (
        f"The queue is full (daemon.max_queue = {limit}), and {what} for that: clawctl status"
        " --budgets shows what it holds"
    )
    alerts.raise_alert(turn, QUEUE_FULL, None, None, text)


def submit_batch(turn: Turn, common: Ask, runs: Sequence[Particular]) -> tuple[str, int]:
    """Store many runs of one job, all or none, and return the id of their batch.

    Args:
        turn: The decision.
        common: What they have in common; its key is unique to this request.
        runs: What each has of its own, in the order in which they go.

    Returns:
        The id, and how many of them are queued; the others are duplicates.

    Raises:
        NotFoundError, ConflictError, SaturatedError: As for `submit`.
    """
    check_batch(turn, common, runs)
    check_room(turn, len(runs))
    _check_maker(turn, common, len(runs))
    approvals.check_room(turn, turn.job(common.job), len(runs))
    batch = turn.new_batch_id()
    return batch, add_to_batch(turn, common, batch, runs)


def check_batch(turn: Turn, common: Ask, runs: Sequence[Particular]) -> None:
    """Refuse runs of a batch that its job does not allow, or not now.

    Raises:
        NotFoundError, ConflictError, UsageError, DeniedError: As for `submit`.
    """
    job = turn.job(common.job)
    if job.type is JobType.CONTINUOUS:
        raise ConflictError(f"job {job.name!r} is a service: it has no batches")
    _check_open(turn, job, common)
    for one in runs:
        env = (*common.env, *one.env)
        _check_params(job, env)
        if common.is_limited:
            check_allowed(job, dict(env), has_args=bool(common.args or one.args))


def add_to_batch(
    turn: Turn, common: Ask, batch: str, runs: Sequence[Particular], first_no: int = 0
) -> int:
    """Store runs of a batch, and return how many of them are queued.

    Args:
        turn: The decision.
        common: As for `submit_batch`.
        batch: The id.
        runs: What each has of its own.
        first_no: The number that the first of them has in the batch.
    """
    job, queued = turn.job(common.job), 0
    first = _made(turn, job, common)
    # Of those that are due at once the ids tell the order.
    in_order = sorted(turn.new_run_id() for _ in runs)
    for no, (run_id, one) in enumerate(zip(in_order, runs, strict=True), first_no):
        run = replace(
            first,
            id=run_id,
            origin_key=f"{common.key}:{no}",
            batch=batch,
            args=(*common.args, *one.args),
            env=tuple({**dict(common.env), **dict(one.env)}.items()),
        )
        queued += _store(turn, job, run).is_open
    return queued


def _store(turn: Turn, job: Job, run: Run) -> Run:
    """Store a run as queued, or awaiting approval, or skipped if it is one too many."""
    run = _as_whole(job, run)
    job = definitions.of_run(turn.tx, turn.config, run) or job
    if job.dedup.window_s and _may_be_duplicate(run):
        key = dedup.key_of(job.dedup, run.args, dict(run.env), dict(job.env))
        since = turn.now - timedelta(seconds=job.dedup.window_s)
        run = replace(run, dedup_key=key)
        same = turn.tx.run_like(job.name, key, since)
        if same is not None:
            why = (
                f"dedup: the same as run {same.id}, asked for at {same.queued_at:%H:%M:%S} UTC"
            )
            run = replace(run, state=State.SKIPPED, reason=why, ended_at=turn.now)
    if run.is_open:
        run = approvals.hold(turn, job, run)
    if turn.add(run, why=run.reason or run.origin):
        approvals.ask(turn, job, run)
    turn.emit(Dispatch())
    return run


def _as_whole(job: Job, run: Run) -> Run:
    """Return a run with the id of its workflow, if it is the first of one."""
    if job.workflow is None or run.lineage.workflow is not None:
        return run
    return replace(run, lineage=replace(run.lineage, workflow=run.id))


def _may_be_duplicate(run: Run) -> bool:
    """Tell whether a run may be one too many: not what was asked for again on purpose."""
    is_repeated = run.forced or run.replay_of is not None
    return not is_repeated and run.origin not in _NEVER_DUPLICATES


_NEVER_DUPLICATES = {Origin.AUTOSTART, Origin.DEPENDENCY, Origin.REBOOT}
_BY_PEOPLE = {Origin.MANUAL, Origin.AT, Origin.CHILD}
"""Origins of what somebody stands by to be told of: what cannot be is refused."""
_ANSWERED = {*_BY_PEOPLE, Origin.REINJECT}
"""Who asks so is there to be told that it is refused."""


def _check_open(turn: Turn, job: Job, ask: Ask) -> None:
    why = gates.closed(turn.standing(job.name))
    if why is not None and not ask.forced:
        raise ConflictError(f"job {job.name!r} is {why}", hint="or use --force")
    if not ask.forced:
        openhours.check(job, ask.due_at or turn.now)
    if job.type is not JobType.CONTINUOUS:
        return
    for run in turn.tx.open_runs(job.name):
        is_same = ask.instance is None or instances.number(run) == ask.instance
        if run.stop_why is None and is_same:
            raise ConflictError(
                f"job {job.name!r} is a service and has run {ids.short(run.id)} already",
                hint=f"clawctl restart {job.name}",
            )


def _check_maker(turn: Turn, ask: Ask, count: int = 1) -> None:
    if ask.origin is Origin.CHILD and ask.lineage.parent is not None:
        children.check_fanout(turn, ask.lineage.parent, count)


def _check_params(job: Job, env: Sequence[tuple[str, str]]) -> None:
    """Refuse what a workflow knows nothing of; its own variables are those of all its steps."""
    for name, _value in env if job.workflow is not None else ():
        if name not in job.params:
            known = ", ".join(job.params) or "none"
            raise UsageError(
                f"workflow {job.name!r} has no parameter {name!r}",
                hint=f"its params are: {known}",
            )


def check_allowed(job: Job, env: Iterable[str], *, has_args: bool) -> None:
    """Refuse what an operator may not set: a job runs as another user than who asks for it.

    Raises:
        DeniedError: The job does not allow it.
    """
    params = () if job.transient is not None else job.params
    beyond = access.beyond(params, env, has_args=has_args)
    if beyond:
        raise DeniedError(
            f"an operator may not give job {job.name!r} {beyond}",
            hint=f"its params allow {', '.join(params) or 'nothing'}",
        )


def room(turn: Turn) -> int:
    """Return how many more runs the queue takes."""
    return max(0, turn.config.daemon.max_queue - turn.tx.count_open())


def check_room(turn: Turn, count: int = 1) -> None:
    """Refuse more runs than the queue has room for.

    Raises:
        SaturatedError: There would be more than ``daemon.max_queue``.
    """
    limit, has = turn.config.daemon.max_queue, turn.tx.count_open()
    if has + count <= limit:
        return
    what = f"{limit} runs are open, as many as daemon.max_queue allows"
    if count > 1:
        what = (
            f"{count} more runs than the {has} open ones are beyond daemon.max_queue, {limit}"
        )
    raise SaturatedError(what, hint="try again when some have ended: clawctl status --budgets")
