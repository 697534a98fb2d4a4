"""``log.*``: what jobs have written."""

from claw.errors import NotFoundError, UsageError
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.output import logs
from claw.master.output.logfiles import Place
from claw.master.output.logstream import Following, LogStream
from claw.master.wiring import Json, Services
from claw.model import ids
from claw.model.job import Job
from claw.store.records import Tx

_MAX_PLACES = 10_000


async def read(call: Call, params: Params) -> Json:
    """Read the end of a job's or run's output."""
    services, streams = call.services, logs.streams_of(params.get("stream", "both"))
    job, run = await _named(services, params["target"])
    logs.check_streams(services.config.current, job, streams)
    lines = params.get("lines", logs.DEFAULT_LINES)
    return await logs.read(services.home, job, run=run, streams=streams, lines=lines)


async def _named(services: Services, target: str) -> tuple[str, str | None]:
    """Return the job and run that a target names; a job that is gone may have left output."""
    config = services.config.current
    try:
        found = await services.store.read(lambda tx: targets.choose_one(tx, config, target))
    except NotFoundError:
        is_name = ids.name_problem(target) is None
        if is_name and await logs.has_output(services.home, target):
            return target, None
        raise
    return (found.name, None) if isinstance(found, Job) else (found.job, found.id)


async def follow(call: Call, params: Params) -> Json:
    """Read the end of some output, and then all that follows."""
    services, config = call.services, call.services.config.current
    asked = tuple(params["targets"])

    def choose(tx: Tx) -> targets.Chosen:
        return targets.choose(tx, config, asked)

    chosen = await services.store.read(choose)
    wanted = Following(
        targets=asked,
        jobs=chosen.jobs,
        runs=tuple((run.job, run.id) for run in chosen.runs),
        streams=logs.streams_of(params.get("stream", "both")),
        lines=params.get("lines", logs.DEFAULT_LINES),
        since=_places(params.get("from", [])),
    )
    if len(chosen.jobs) == 1 and not chosen.runs:
        logs.check_streams(config, chosen.jobs[0], wanted.streams)

    output = LogStream(services, wanted)
    try:
        await output.open()
        return {"subscription": call.connection.open_stream(output.serve)}
    except BaseException:
        output.close()
        raise


def _places(cursors: list[str]) -> tuple[Place, ...]:
    try:
        return tuple(Place.parse(cursor) for cursor in cursors[:_MAX_PLACES])
    except ValueError:
        raise UsageError("log.follow: 'from' has what is no cursor of a `log`") from None
