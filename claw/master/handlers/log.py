"""``log.*``: what jobs have written."""

from datetime import datetime
from functools import partial

from claw.errors import NotFoundError, UsageError
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.output import logs, stored
from claw.master.output.logfiles import Place
from claw.master.output.logstream import Following, LogStream, shape_of
from claw.master.views import workflowview
from claw.master.wiring import Json, Services
from claw.model import ids, instances
from claw.model.job import Config
from claw.model.redact import Redactor
from claw.store.records import Tx

_MAX_PLACES = 10_000


async def read(call: Call, params: Params) -> Json:
    """Read the end of a job's or run's output."""
    services, streams = call.services, logs.streams_of(params.get("stream", "both"))
    label, run = await _named(services, params["target"])
    config = services.config.current
    whole = await services.store.read(lambda tx: workflowview.printing(tx, config, label, run))
    if whole is not None:
        return {"text": "", "source": "steps", "steps": whole}
    logs.check_streams(services.config.current, instances.split(label)[0], streams)
    lines = params.get("lines", logs.DEFAULT_LINES)
    job, names = services.config.current.job(label), [label]
    if job is not None and run is None:
        names = logs.names_of(job, logs.numbers_there(services.home))
    reply = await logs.read(services.home, names, run=run, streams=streams, lines=lines)
    newest = await services.store.read(partial(stored.newest, job=label, run=run))
    if newest is not None and not _is_shown(reply, newest):
        reply = await services.store.read(partial(stored.tail, newest, streams, lines))
    found = services.config.current.job(instances.split(label)[0])
    if params.get("mask") or (found is not None and found.log.mask_secrets):
        reply = _masked(reply, services.confidant.redactor)
    return reply if found is None else {**reply, **shape_of(found.log)}


def _masked(reply: Json, redactor: Redactor) -> Json:
    """Return what was read without the secrets in it."""
    parts = [{**one, "text": redactor.mask(one["text"])} for one in reply["parts"]]
    return {**reply, "text": redactor.mask(reply["text"]), "parts": parts}


def _is_shown(reply: Json, run: str) -> bool:
    """Tell whether files have shown this run's output, or a later one's."""
    return any(part["run"] is None or part["run"] >= run for part in reply["parts"])


async def _named(services: Services, target: str) -> tuple[str, str | None]:
    """Return under which name, and of which run, the output lies that a target means.

    A job that is gone may have left some.
    """
    config = services.config.current
    try:
        found = await services.store.read(lambda tx: targets.choose_one(tx, config, target))
    except NotFoundError:
        is_name = ids.name_problem(target) is None
        if is_name and await logs.has_output(services.home, target):
            return target, None
        raise
    if isinstance(found, targets.Aim):
        return found.label, None
    return instances.label(found.job, found.instance), found.id


async def follow(call: Call, params: Params) -> Json:
    """Read the end of some output, and then all that follows."""
    services, config = call.services, call.services.config.current
    asked = tuple(params["targets"])

    def choose(tx: Tx) -> targets.Chosen:
        return targets.choose(tx, config, asked)

    chosen = await services.store.read(choose)
    has_times = "since" in params or "until" in params
    wanted = Following(
        targets=asked,
        jobs=tuple(label for aim in chosen.aims for label in _printing(config, aim)),
        runs=tuple((instances.label(run.job, run.instance), run.id) for run in chosen.runs),
        streams=logs.streams_of(params.get("stream", "both")),
        lines=params.get("lines", None if has_times else logs.DEFAULT_LINES),
        places=_places(params.get("from", [])),
        since=_seconds(params.get("since")),
        until=_seconds(params.get("until")),
        wants_times=params.get("times", False),
        only_present=params.get("stop", False),
        from_store=True,
    )
    if len(chosen.aims) == 1 and not chosen.runs:
        logs.check_streams(config, chosen.aims[0].job, wanted.streams)

    output = LogStream(services, wanted)
    try:
        await output.open()
        return {"subscription": call.connection.open_stream(output.serve)}
    except BaseException:
        output.close()
        raise


def _printing(config: Config, aim: targets.Aim) -> list[str]:
    """Return under which names lies what a job prints: its steps do what a workflow does."""
    job = config.job(aim.job)
    if job is None or job.workflow is None:
        return [aim.label]
    return [step.job for step in job.workflow.steps if step.job == f"{job.name}.{step.name}"]


def _seconds(text: str | None) -> float | None:
    return None if text is None else datetime.fromisoformat(text).timestamp()


def _places(cursors: list[str]) -> tuple[Place, ...]:
    try:
        return tuple(Place.parse(cursor) for cursor in cursors[:_MAX_PLACES])
    except ValueError:
        raise UsageError("log.follow: 'from' has what is no cursor of a `log`") from None
