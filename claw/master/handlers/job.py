"""``job.*``: how jobs are doing, and what operators want of them."""

from collections.abc import Callable, Mapping, Sequence
from itertools import islice

import trio

from claw.errors import ClawError, ConflictError
from claw.kernel import clock
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.engine import intents, slots
from claw.master.engine.turn import Turn
from claw.master.handlers.replies import FILES_CHANGED, live_view, parse_time, warnings_of
from claw.master.views import (
    flowview,
    jobrows,
    searchview,
    slotview,
    statusview,
    usage,
    whyview,
)
from claw.master.views.queuewords import QueueWords
from claw.master.wiring import Json, Services
from claw.model.job import Config
from claw.model.values import replace
from claw.store.records import Tx

_AT_ONCE = 100
_SLOTS_SHOWN = 5


async def status(call: Call, params: Params) -> Json:
    """Tell how jobs are doing."""
    services = call.services
    config, wanted = services.config.current, params.get("targets") or []

    def read(tx: Tx) -> tuple[list[targets.Aim], jobrows.Look, Mapping[str, str]]:
        aims = targets.choose_aims(tx, config, wanted) if wanted else _all_of(config)
        chosen = _chosen(config, aims, params)
        found = jobrows.look(tx, {aim.job for aim in chosen})
        words = QueueWords(tx, config)
        runs = (run for some in found.open_runs.values() for run in some)
        told = flowview.of_active(tx, runs)
        return chosen, replace(found, open_runs=words.of_all(found.open_runs)), told

    aims, rows, told = await services.store.read(read)
    live = live_view(services)
    found = live.found
    live = replace(live, found=lambda run: told.get(run) or found(run))
    shown: list[Json] = []
    for number, aim in enumerate(sorted(aims, key=_by_name)):
        job = config.job(aim.job)
        if job is not None:
            shown += statusview.job_objects(job, rows, live, aim.instance)
        if number % _AT_ONCE == _AT_ONCE - 1:
            await trio.lowlevel.checkpoint()  # others come between a thousand jobs
    if state := params.get("state"):
        shown = [each for each in shown if each["state"] == state]
    if params.get("verbose"):
        await usage.add_usage(services.home, shown, services.confidant.redactor.mask)
    files_changed = await services.has_changed_files()
    return {
        "jobs": shown,
        "warnings": await warnings_of(services, files_changed=files_changed),
    }


def _by_name(aim: targets.Aim) -> tuple[str, int]:
    return aim.job, aim.instance or 0


def _all_of(config: Config) -> list[targets.Aim]:
    return [targets.Aim(job.name) for job in config.known if not job.step_of]


def _chosen(config: Config, aims: Sequence[targets.Aim], params: Params) -> list[targets.Aim]:
    """Return those of some jobs that have what is looked for."""
    tag, kind, text = params.get("tag"), params.get("type"), params.get("text")
    found = []
    for aim in aims:
        job = config.job(aim.job)
        if job is None or (tag and tag not in job.tags) or (kind and job.type != kind):
            continue
        if not text or searchview.has_text(job, text):
            found.append(aim)
    return found


Act = Callable[[Turn, targets.Aim], str | None]
"""Does what is wanted of one job or instance; returns the run that it touched, if one."""


async def start(call: Call, params: Params) -> Json:
    """Release jobs from a stop or pause, and start them."""
    key, forced = call.key, params.get("force", False)
    reply = await _act(
        call,
        params,
        lambda turn, aim: intents.start_job(
            turn,
            aim.job,
            by=call.by,
            key=f"{key}:{aim.label}",
            forced=forced,
            instance=aim.instance,
        ),
    )
    return await _beside_changed_files(call.services, reply)


async def stop(call: Call, params: Params) -> Json:
    """End the runs of jobs, and begin none until they are started."""
    forced = params.get("force", False)
    return await _act(
        call,
        params,
        lambda turn, aim: _first(
            intents.stop_job(turn, aim.job, by=call.by, forced=forced, instance=aim.instance)
        ),
    )


async def restart(call: Call, params: Params) -> Json:
    """End the children of jobs and start them anew."""
    key, forced = call.key, params.get("force", False)
    batch = None if params.get("all_at_once") else params.get("batch", 1)
    reply = await _act(
        call,
        params,
        lambda turn, aim: _first(
            intents.restart_job(
                turn,
                aim.job,
                by=call.by,
                key=f"{key}:{aim.label}",
                forced=forced,
                extent=intents.Extent(instance=aim.instance, batch=batch),
            )
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
        call, params, lambda turn, aim: intents.pause_job(turn, _whole(aim), by=call.by)
    )


async def resume(call: Call, params: Params) -> Json:
    """Take up jobs that were paused."""
    return await _act(
        call, params, lambda turn, aim: intents.resume_job(turn, _whole(aim), by=call.by)
    )


def _whole(aim: targets.Aim) -> str:
    """Return the job that is meant as a whole.

    Raises:
        ConflictError: One instance is meant.
    """
    if aim.instance is not None:
        raise ConflictError(
            f"{aim.label} is one instance, and a pause is about the whole job",
            hint=f"name {aim.job}, or stop and start {aim.label}",
        )
    return aim.job


async def scale(call: Call, params: Params) -> Json:
    """Have so many instances of services."""
    counts: dict[str, int] = params["counts"]
    return await _act(
        call,
        {"targets": list(counts)},
        lambda turn, aim: intents.scale_job(turn, _whole(aim), counts[aim.job], by=call.by),
    )


def _first(runs: Sequence[str]) -> str | None:
    return runs[0] if runs else None


async def _act(call: Call, params: Params, act: Act) -> Json:
    """Do what is wanted of each job, all in one transaction.

    What one of several jobs refuses is taken back and told beside the results; what the
    only one, or all of them, refuse is the request's error.
    """

    def decide(turn: Turn) -> Json:
        aims = targets.choose_aims(turn.tx, turn.config, params["targets"])
        done: list[tuple[targets.Aim, str | None, ClawError | None]] = []
        for aim in aims:
            try:
                done.append((aim, _act_on_one(turn, aim, act), None))
            except ClawError as error:
                done.append((aim, None, error))
        refusals = [error for _aim, _run, error in done if error is not None]
        if aims and len(refusals) == len(aims):
            raise refusals[0]
        results = (_results(call.services, turn, *each) for each in done)
        return {
            "results": [result for some in results for result in some],
            "warnings": [error.message for error in refusals],
        }

    return await call.commit(decide)


def _act_on_one(turn: Turn, aim: targets.Aim, act: Act) -> str | None:
    effects, changes = dict(turn.effects), list(turn.changes)
    try:
        with turn.tx.part():
            return act(turn, aim)
    except ClawError:
        turn.effects, turn.changes = effects, changes
        raise


def _results(
    services: Services, turn: Turn, aim: targets.Aim, run: str | None, error: ClawError | None
) -> list[Json]:
    """Return how a job is now, or each of its instances."""
    live = statusview.Live(
        now=turn.now,
        # The ticker has not heard yet of what is decided here.
        next_at=lambda job: slots.next_slot(
            job, turn.standing(job.name), turn.now, turn.tx.timing(job.name).again_through
        ),
        flags=services.supervisors.flags,
    )
    rows = jobrows.look(turn.tx, (aim.job,))
    shown = statusview.job_objects(turn.job(aim.job), rows, live, aim.instance)
    told = {} if error is None else {"error": error.message}
    return [
        {
            "job": aim.job,
            "name": one["name"],
            "instance": one["instance"],
            "state": one["state"],
            "run": run if one["instance"] is None else one["run"],
            **told,
        }
        for one in shown
    ]


async def search(call: Call, params: Params) -> Json:
    """Find jobs by a text."""
    return {"jobs": searchview.search(call.services.config.current.jobs, params["text"])}


async def why(call: Call, params: Params) -> Json:
    """Explain a state, cause by cause."""
    services, target = call.services, params["target"]
    config, live = services.config.current, live_view(services)
    at = parse_time(params["at"], "at") if "at" in params else None

    def read(tx: Tx) -> list[str]:
        found = targets.choose_one(tx, config, target)
        if at is not None:
            return whyview.explain_then(tx, config, found.job, at, live.now)
        if isinstance(found, targets.Aim):
            return whyview.explain_job(tx, config, found, live)
        return whyview.explain_run(tx, config, found, live)

    return {"lines": await services.store.read(read)}


async def next_(call: Call, params: Params) -> Json:
    """Foresee the slots of jobs."""
    config, now = call.services.config.current, clock.now()
    count = params.get("count", _SLOTS_SHOWN)

    def read(tx: Tx) -> list[Json]:
        found: list[Json] = []
        for name in dict.fromkeys(
            aim.job for aim in targets.choose_aims(tx, config, params["targets"])
        ):
            job, standing = config.job(name), tx.standing(name)
            if job is None or standing is None:
                continue
            coming = islice(slotview.coming(tx, job, standing, now), count)
            found.append(
                {
                    "job": name,
                    "type": job.type,
                    "timezone": job.timezone,
                    "schedule": list(job.schedule),
                    "fires": [one.shown() for one in coming],
                }
            )
        return found

    return {"jobs": await call.services.store.read(read)}
