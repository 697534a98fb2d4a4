"""``job.*``: how jobs are doing, and what operators want of them."""

import signal
from collections.abc import Callable, Sequence

import trio

from claw.errors import ClawError, ConflictError, TimedOutError, UsageError
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.engine import intents, slots
from claw.master.engine.turn import Turn
from claw.master.handlers.replies import FILES_CHANGED, live_view, parse_time, warnings_of
from claw.master.views import statusview, usage, whyview
from claw.master.wiring import Json, Services
from claw.model.job import Job
from claw.model.run import Run
from claw.store.records import Tx

SIGNAL_PATIENCE_S = 5.0
"""How long a supervisor may take to pass a signal on."""

_AT_ONCE = 100


async def status(call: Call, params: Params) -> Json:
    """Tell how jobs are doing."""
    services = call.services
    jobs = _chosen_jobs(services, params)
    names = {job.name for job in jobs}
    rows = await services.store.read(lambda tx: statusview.look(tx, names))
    live = live_view(services)
    shown = []
    for number, job in enumerate(sorted(jobs, key=lambda job: job.name)):
        shown.append(statusview.job_object(job, rows, live))
        if number % _AT_ONCE == _AT_ONCE - 1:
            await trio.lowlevel.checkpoint()  # others come between a thousand jobs
    if state := params.get("state"):
        shown = [each for each in shown if each["state"] == state]
    if params.get("verbose"):
        await usage.add_usage(services.home, shown)
    files_changed = await services.has_changed_files()
    return {
        "jobs": shown,
        "warnings": await warnings_of(services, files_changed=files_changed),
    }


def _chosen_jobs(services: Services, params: Params) -> list[Job]:
    config = services.config.current
    jobs: Sequence[Job] = config.jobs
    if params.get("targets"):
        names = set(targets.choose_jobs(config, params["targets"]))
        jobs = [job for job in jobs if job.name in names]
    if tag := params.get("tag"):
        jobs = [job for job in jobs if tag in job.tags]
    if kind := params.get("type"):
        jobs = [job for job in jobs if job.type == kind]
    if text := params.get("text"):
        jobs = [job for job in jobs if statusview.has_text(job, text)]
    return list(jobs)


Act = Callable[[Turn, str], str | None]
"""Does what is wanted of one job, and returns the run that it touched, if one."""


async def start(call: Call, params: Params) -> Json:
    """Release jobs from a stop or pause, and start them."""
    key, forced = call.key, params.get("force", False)
    reply = await _act(
        call,
        params,
        lambda turn, name: intents.start_job(
            turn, name, by=call.by, key=f"{key}:{name}", forced=forced
        ),
    )
    return await _beside_changed_files(call.services, reply)


async def stop(call: Call, params: Params) -> Json:
    """End the runs of jobs, and begin none until they are started."""
    forced = params.get("force", False)
    return await _act(
        call,
        params,
        lambda turn, name: _first(intents.stop_job(turn, name, by=call.by, forced=forced)),
    )


async def restart(call: Call, params: Params) -> Json:
    """End the children of jobs and start them anew."""
    key, forced = call.key, params.get("force", False)
    reply = await _act(
        call,
        params,
        lambda turn, name: _first(
            intents.restart_job(turn, name, by=call.by, key=f"{key}:{name}", forced=forced)
        ),
    )
    return await _beside_changed_files(call.services, reply)


async def _beside_changed_files(services: Services, reply: Json) -> Json:
    """Say beside what was begun that the files hold something else than what began."""
    if not await services.has_changed_files():
        return reply
    return {**reply, "warnings": [*reply["warnings"], FILES_CHANGED]}


async def pause(call: Call, params: Params) -> Json:
    """Let nothing new of jobs begin."""
    return await _act(
        call, params, lambda turn, name: intents.pause_job(turn, name, by=call.by)
    )


async def resume(call: Call, params: Params) -> Json:
    """Take up jobs that were paused."""
    return await _act(
        call, params, lambda turn, name: intents.resume_job(turn, name, by=call.by)
    )


def _first(runs: Sequence[str]) -> str | None:
    return runs[0] if runs else None


async def _act(call: Call, params: Params, act: Act) -> Json:
    """Do what is wanted of each job, all in one transaction.

    What one of several jobs refuses is taken back and told beside the results; what the
    only one, or all of them, refuse is the request's error.
    """

    def decide(turn: Turn) -> Json:
        names = targets.choose_jobs(turn.config, params["targets"])
        done: list[tuple[str, str | None, ClawError | None]] = []
        for name in names:
            try:
                done.append((name, _act_on_one(turn, name, act), None))
            except ClawError as error:
                done.append((name, None, error))
        refusals = [error for _name, _run, error in done if error is not None]
        if names and len(refusals) == len(names):
            raise refusals[0]
        return {
            "results": [_result(call.services, turn, *each) for each in done],
            "warnings": [error.message for error in refusals],
        }

    return await call.commit(decide)


def _act_on_one(turn: Turn, name: str, act: Act) -> str | None:
    effects = list(turn.effects)
    try:
        with turn.tx.part():
            return act(turn, name)
    except ClawError:
        turn.effects[:] = effects
        raise


def _result(
    services: Services, turn: Turn, name: str, run: str | None, error: ClawError | None
) -> Json:
    job = turn.job(name)
    live = statusview.Live(
        now=turn.now,
        # The ticker has not heard yet of what is decided here.
        next_at=lambda job: slots.next_slot(job, turn.standing(job.name), turn.now),
        flags=services.supervisors.flags,
    )
    shown = statusview.job_object(job, statusview.look(turn.tx, (name,)), live)
    result = {"job": name, "state": shown["state"], "run": run}
    return result if error is None else {**result, "error": error.message}


async def send_signal(call: Call, params: Params) -> Json:
    """Send a signal to the children of jobs or runs."""
    services, number = call.services, parse_signal(params["signal"])
    runs = await services.store.read(lambda tx: _active_runs(tx, services, params["targets"]))
    if not runs:
        raise ConflictError("none of them has a child just now", hint="clawctl status")
    results, problems = [], []
    for run in runs:
        result: Json = {"job": run.job, "state": "running", "run": run.id}
        try:
            await _signal_one(services, run, number)
        except ClawError as error:
            problems.append(error)
            result["error"] = error.message
        results.append(result)
    if len(problems) == len(runs):
        raise problems[0]
    return {"results": results, "warnings": [error.message for error in problems]}


async def _signal_one(services: Services, run: Run, number: int) -> None:
    with trio.move_on_after(SIGNAL_PATIENCE_S):
        answer = await services.supervisors.send(
            str(run.sid), {"op": "signal", "number": number}
        )
        if not answer.get("sent", True):
            raise ConflictError(f"job {run.job!r} has no child just now")
        return
    raise TimedOutError(
        f"the supervisor of {run.job!r} did not answer within {SIGNAL_PATIENCE_S:g} s",
        hint=f"clawctl why {run.job}",
    )


def _active_runs(tx: Tx, services: Services, wanted: Sequence[str]) -> list[Run]:
    chosen = targets.choose(tx, services.config.current, wanted)
    runs = {run.id: run for name in chosen.jobs for run in tx.active_runs(name)}
    runs.update((run.id, run) for run in chosen.runs)
    return [run for run in runs.values() if run.is_active and run.sid and run.pid]


def parse_signal(text: str) -> int:
    """Return the number of a signal: ``HUP``, ``SIGHUP`` and ``1`` are the same.

    Raises:
        UsageError: There is no such signal.
    """
    try:
        if text.isascii() and text.isdecimal():
            return int(signal.Signals(int(text)))
        return int(signal.Signals[f"SIG{text.upper().removeprefix('SIG')}"])
    except (KeyError, ValueError):
        raise UsageError(
            f"there is no signal {text[:40]!r}", hint="a name such as HUP, or a number"
        ) from None


async def search(call: Call, params: Params) -> Json:
    """Find jobs by a text."""
    return {"jobs": statusview.search(call.services.config.current.jobs, params["text"])}


async def why(call: Call, params: Params) -> Json:
    """Explain a state, cause by cause."""
    services, target = call.services, params["target"]
    config, live = services.config.current, live_view(services)
    at = parse_time(params["at"], "at") if "at" in params else None

    def read(tx: Tx) -> list[str]:
        found = targets.choose_one(tx, config, target)
        if at is not None:
            name = found.name if isinstance(found, Job) else found.job
            return whyview.explain_then(tx, name, at)
        if isinstance(found, Job):
            return whyview.explain_job(tx, found, live)
        return whyview.explain_run(tx, found, config.job(found.job), live)

    return {"lines": await services.store.read(read)}
