"""``run.*``: single runs, asked for, listed, waited for, ended."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import trio

from claw.commands.method import ADMIN
from claw.errors import ConflictError, NotFoundError, TimedOutError, UsageError
from claw.kernel import clock
from claw.master.control import targets
from claw.master.control.calls import Call, Decide, Decision, Params
from claw.master.engine import children, definitions, descent, intake, intents, piecemeal
from claw.master.engine.turn import Turn
from claw.master.handlers.replies import live_view, no_run, parse_time
from claw.master.views import approvalview, jobrows, runview, statusview
from claw.master.views.queuewords import QueueWords
from claw.master.wiring import Json, Services
from claw.model import ids
from claw.model.job import Config, Job, JobType
from claw.model.keeping import Budget
from claw.model.lineage import below
from claw.model.run import Origin, Phase, Priority, Run, State
from claw.model.values import replace
from claw.store.records import Tx

DEFAULT_LIMIT = 50
AT_ONCE = 25
"""Runs read in one go: others want to read, too."""
PAGE_BYTES = 768 << 10
"""About the size of a page of runs; a run may carry a megabyte of arguments."""

_PAST = timedelta(minutes=1)
"""A run is not asked for at a time so long ago: who does means another day."""

_READY = {"running", "unhealthy"}
_ALIVE = {*_READY, "starting"}
_OVER = {"fatal", "failed", "exited"}
_UNDER_WAY = {*_ALIVE, "backoff", "stopping", "unresponsive", "waiting"}


def asked(call: Call, params: Params) -> intake.Ask:
    """Return what a request asks for: a run, or what all runs of a batch have in common.

    Raises:
        UsageError: No run can have such a time, or such texts.
    """
    at = due_at(params)
    env, args = params.get("env", {}), params.get("args", [])
    check_texts(env, args)
    return intake.Ask(
        job=params["job"],
        origin=Origin.MANUAL if at is None else Origin.AT,
        key=call.key,
        by=call.by,
        due_at=at,
        env=tuple(env.items()),
        args=tuple(args),
        forced=params.get("force", False),
        priority=priority_of(params),
        is_limited=call.is_limited,
    )


def of_asker(turn: Turn, call: Call, ask: intake.Ask) -> intake.Ask:
    """Return what is asked for, with the run whose child asks for it, if one's does.

    Raises:
        ConflictError: See `children.maker`.
    """
    if call.connection.run is None:
        return ask
    lineage = below(children.maker(turn, call.connection.run))
    if call.peer.role != ADMIN:
        children.check_user(turn, call.by)
    return replace(ask, origin=Origin.CHILD, lineage=lineage)


@Decision
def submit(call: Call, params: Params) -> Decide:
    """Ask for one run of a job."""
    ask = asked(call, params)
    name = ask.job

    def decide(turn: Turn) -> Json:
        job = definitions.recall(turn.tx, turn.config, name)
        if job is None:
            raise targets.no_job(turn.config, name)
        if job.transient is not None:
            raise ConflictError(
                f"{name!r} was there for one run only", hint="clawctl run -- CMD"
            )
        run = intake.submit(turn, of_asker(turn, call, ask))
        shown = {"run": run.id, "job": run.job, "state": run.state}
        reason = run.reason or run.waiting_for
        if job.workflow is not None:
            shown["workflow"] = run.lineage.workflow or run.id
        return {**shown, "reason": reason} if reason else shown

    return decide


def priority_of(params: Params) -> Priority | None:
    """Return the priority that a request asks for; None: the job's."""
    return Priority[params["priority"].upper()] if "priority" in params else None


def due_at(params: Params) -> datetime | None:
    """Return when a run is wanted at the earliest; None: now.

    Raises:
        UsageError: Two times are given, or what is none, or one that is over.
    """
    if "at" in params and "delay_s" in params:
        raise UsageError("run.submit: 'at' or 'delay_s', not both")
    if "at" in params:
        at, now = parse_time(params["at"], "at"), clock.now()
        if now - at > _PAST:
            raise UsageError(
                f"'at' is over: {at.isoformat(timespec='seconds')}",
                hint="name a time to come, or leave it out: then the run is due now",
            )
        return at
    if "delay_s" in params:
        return clock.now() + timedelta(seconds=params["delay_s"])
    return None


def check_texts(env: dict[str, str], args: Sequence[str]) -> None:
    """Refuse what no process can be given (execve(2))."""
    for name in env:
        if not name or "=" in name or "\0" in name:
            raise UsageError(f"run.submit: {name[:40]!r} cannot be the name of a variable")
    if any("\0" in text for text in (*env.values(), *args)):
        raise UsageError("run.submit: no argument or variable can hold a NUL byte")


@Decision
def cancel(call: Call, params: Params) -> Decide:
    """End or revoke runs: those named, and all open ones of the jobs named."""
    how = intents.Revocation(
        by=call.by, why=params.get("why", ""), at_once=params.get("terminate", False)
    )

    def decide(turn: Turn) -> Json:
        chosen = targets.choose(turn.tx, turn.config, params["targets"])
        runs = chosen.open_runs(turn.tx)
        if params.get("descendants"):
            runs = _with_descendants(turn, chosen, runs)
        jobs = [aim.job for aim in chosen.aims if aim.instance is None]
        heaps = piecemeal.meant(turn.tx, jobs, chosen.batches)
        dropped = piecemeal.drop(turn, heaps, by=call.by)
        intents.cancel_runs(turn, runs, how)
        return {"canceled": list(runs), "dropped": dropped}

    return decide


def _with_descendants(
    turn: Turn, chosen: targets.Chosen, runs: dict[str, Run]
) -> dict[str, Run]:
    """Return runs with all open ones that came of them, or follow the jobs that are meant.

    A run that was named and has ended counts for what came of it alone, if anything did.
    """
    jobs = [aim.job for aim in chosen.aims]
    below = descent.open_below(turn.tx, turn.config, jobs, runs)
    left = {run.id: run for run in runs.values() if run.is_open or not below}
    return {**left, **below}


async def show(call: Call, params: Params) -> Json:
    """Tell all about one run."""
    text, config = params["run"], call.services.config.current

    def read(tx: Tx) -> Json | None:
        run = targets.find_run(tx, text)
        if run is None:
            return None
        job = definitions.recall(tx, config, run.job)
        run = QueueWords(tx, config).of(run)
        shown = runview.show_whole(tx, run, Budget() if job is None else job.output)
        asked = approvalview.of_run(tx, config, run)
        return {**shown, **runview.of_transient(job), "approval": asked}

    shown = await call.services.store.read(read)
    if shown is None:
        raise no_run(text)
    return shown


async def list_(call: Call, params: Params) -> Json:
    """List runs, newest first, a page at a time."""
    store, config = call.services.store, call.services.config.current
    limit = params.get("limit", DEFAULT_LIMIT)
    before: str | None = None
    if "before" in params:
        before = await store.read(lambda tx: _known_run(tx, params["before"]))
    shown: list[Json] = []
    size = 0
    while len(shown) < limit:
        read = _reader_of(config, params, before, min(AT_ONCE, limit - len(shown)))
        found, has_more = await store.read(read)
        for one in found:
            size += len(json.dumps(one))
            if shown and size > PAGE_BYTES:
                return {"runs": shown, "next": before}
            shown.append(one)
            before = one["id"]
        if not has_more:
            check_known(config, params.get("job"), shown)
            return {"runs": shown, "next": None}
    return {"runs": shown, "next": before}


def _known_run(tx: Tx, text: str) -> str:
    found = targets.find_run(tx, text)
    if found is None:
        raise no_run(text)
    return found.id


def _known_batch(tx: Tx, text: str) -> str:
    found = targets.find_batch(tx, text)
    if found is None:
        raise NotFoundError(f"no batch {text!r}", hint="clawctl runs list shows runs")
    return found


def _reader_of(
    config: Config, params: Params, before: str | None, count: int
) -> Callable[[Tx], tuple[list[Json], bool]]:
    """Return what reads some runs, and whether there are more.

    Raises:
        UsageError: The parameters exclude each other.
    """
    job, since = params.get("job"), _first_id(params)
    state = State(params["state"]) if "state" in params else None
    is_transient, batch = params.get("transient", False), params.get("batch")
    parent = params.get("parent")
    if batch is not None and (is_transient or job):
        raise UsageError("run.list: 'batch' goes without 'transient' and 'job'")
    if parent is not None and (is_transient or job or batch is not None):
        raise UsageError("run.list: 'parent' goes without 'transient', 'job' and 'batch'")
    if is_transient and (job or state):
        raise UsageError("run.list: 'transient' goes without 'job' and 'state'")

    def read(tx: Tx) -> tuple[list[Json], bool]:
        if is_transient:
            runs = tx.transient_runs(before, since, count + 1)
        elif parent is not None:
            runs = tx.runs_of_parent(_known_run(tx, parent), state, before, count + 1)
        elif batch is not None:
            runs = tx.runs_of_batch(_known_batch(tx, batch), state, before, count + 1)
        else:
            runs = tx.runs_page(job=job, state=state, before=before, limit=count + 1)
        words = QueueWords(tx, config)
        runs = tuple(words.of(run) for run in runs if run.id >= since)
        return runview.page(tx, runs[:count]), len(runs) > count

    return read


def _first_id(params: Params) -> str:
    """Return the lowest id that a run made since then can have."""
    if "since" not in params:
        return ""
    return ids.run_id(int(parse_time(params["since"], "since").timestamp() * 1000), bytes(10))


def check_known(config: Config, job: str | None, shown: Sequence[Json]) -> None:
    """Tell a job that has none of the runs that are asked for from one that is not there.

    Raises:
        NotFoundError: It is not there.
    """
    if job is not None and not shown and config.job(job) is None:
        raise targets.no_job(config, job)


async def wait(call: Call, params: Params) -> Json:
    """Wait until a job or run is so far."""
    services, config = call.services, call.services.config.current
    wanted, timeout_s = params.get("for", "ended"), params.get("timeout_s")
    found = await services.store.read(
        lambda tx: targets.choose_one(tx, config, params["target"])
    )
    with trio.move_on_after(float("inf") if timeout_s is None else timeout_s):
        if isinstance(found, targets.Aim):
            return await _wait_job(services, found, wanted)
        return await _wait_run(services, found.id, wanted)
    raise TimedOutError(
        f"{params['target']} is not {wanted} after {timeout_s:g} s",
        hint=f"clawctl why {params['target']}",
    )


async def _wait_run(services: Services, run_id: str, wanted: str) -> Json:
    def read(tx: Tx) -> Json | None:
        run = tx.run(run_id)
        if run is None:
            raise no_run(run_id)
        return runview.show(tx, run) if _run_is(run, wanted) else None

    return await services.bus.wait_for(
        lambda: services.store.read(read), runs=frozenset({run_id})
    )


def _run_is(run: Run, wanted: str) -> bool:
    """Tell whether a run is so far, or will never be."""
    if not run.is_open:
        return True
    if wanted == "ready":
        return run.phase is Phase.UP
    return wanted == "running" and run.state is State.RUNNING and run.pid is not None


async def _wait_job(services: Services, aim: targets.Aim, wanted: str) -> Json:
    name = aim.job

    async def look() -> Json | None:
        job = services.config.current.job(name)
        if job is None:
            raise NotFoundError(f"job {name!r} is no longer in the configuration")
        rows = await services.store.read(lambda tx: jobrows.look(tx, (name,)))
        shown = statusview.job_objects(job, rows, live_view(services), aim.instance)
        are_there = [_job_is(job, one, wanted) for one in shown]
        if not all(are_there):
            return None
        return {"job": aim.label, "state": shown[0]["state"] if shown else "stopped"}

    return await services.bus.wait_for(look, jobs=frozenset({name}))


def _job_is(job: Job, shown: Json, wanted: str) -> bool:
    """Tell whether a job is so far.

    Raises:
        ConflictError: It has given up: it will not be, by itself.
    """
    state = shown["state"]
    if wanted in {"ended", "stopped"}:
        return state not in _UNDER_WAY
    if state in _OVER and job.type is JobType.CONTINUOUS:
        raise ConflictError(
            f"job {shown['name']!r} is {state}: {shown['why']}",
            hint=f"clawctl logs {shown['name']}",
        )
    return state in (_READY if wanted == "ready" else _ALIVE)
