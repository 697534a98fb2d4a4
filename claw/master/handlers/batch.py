"""``run.submit_batch``, ``run.batch`` and ``run.retry``: runs that belong together."""

from datetime import datetime

from claw.errors import NotFoundError, UsageError
from claw.kernel import clock
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.engine import batches, intake, piecemeal
from claw.master.engine.intake import Particular
from claw.master.engine.turn import Turn
from claw.master.handlers.run import asked, check_texts, of_asker
from claw.master.wiring import Json
from claw.model.run import Run
from claw.store.records import Tx


async def submit_batch(call: Call, params: Params) -> Json:
    """Ask for many runs of a job, all or none, in one request or in several."""
    common = asked(call, params)
    name = common.job
    for one in params["runs"]:
        check_texts(one.get("env", {}), one.get("args", []))
    runs = [
        Particular(tuple(one.get("args", ())), tuple(one.get("env", {}).items()))
        for one in params["runs"]
    ]

    begun, is_last = params.get("batch"), not params.get("more", False)
    is_large = begun is not None or not is_last
    if is_large and call.connection.run is not None:
        raise UsageError("run.submit_batch: the child of a run asks for a batch in one request")

    def decide(turn: Turn) -> Json:
        if turn.config.job(name) is None:
            raise targets.no_job(turn.config, name)
        ask = of_asker(turn, call, common)
        if is_large:
            heap = piecemeal.add(turn, ask, runs, batch=begun, is_last=is_last)
            queued = heap.count if is_last else 0
            return {"batch": heap.batch, "job": name, "count": heap.count, "queued": queued}
        batch, queued = intake.submit_batch(turn, ask, runs)
        return {"batch": batch, "job": name, "count": len(runs), "queued": queued}

    return await call.commit(decide)


async def batch(call: Call, params: Params) -> Json:
    """Tell how far a batch is."""
    text = params["batch"]

    def read(tx: Tx, now: datetime) -> Json | None:
        found = targets.find_batch(tx, text)
        return None if found is None else batches.progress(tx, found, now)

    found = await call.services.store.read(lambda tx: read(tx, clock.now()))
    if found is None:
        raise NotFoundError(f"no batch {text!r}", hint="clawctl runs list shows runs")
    return found


async def retry(call: Call, params: Params) -> Json:
    """Run again what has failed: of batches all that has, and runs that are named."""

    def decide(turn: Turn) -> Json:
        found: dict[str, Run] = {}
        for text in params["targets"]:
            found |= {run.id: run for run in _of_target(turn, text)}
        return batches.retry(turn, list(found.values()), key=call.key, by=call.by)

    return await call.commit(decide)


def _of_target(turn: Turn, text: str) -> list[Run]:
    run = targets.find_run(turn.tx, text)
    if run is not None:
        return [run]
    found = targets.find_batch(turn.tx, text)
    if found is None:
        raise targets.no_job(turn.config, text)
    return batches.failed_of(turn.tx, found)
