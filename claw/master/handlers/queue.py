"""``queue.*``, ``pool.*``, ``run.stale``: what waits, and what operators say of it."""

from claw.kernel import clock
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.engine import intents, pools
from claw.master.engine.intents import Revocation
from claw.master.engine.turn import Turn
from claw.master.views import queueview
from claw.master.wiring import Json
from claw.model.job import JobType
from claw.model.run import Run, State

DEFAULT_LIMIT = 100
_WAITING = {State.QUEUED, State.RETRY_WAIT}


async def list_(call: Call, params: Params) -> Json:
    """List what waits, in the order in which it would go."""
    config = call.services.config.current
    job, pool = params.get("job"), params.get("pool")
    if job is not None and config.job(job) is None:
        raise targets.no_job(config, job)
    if pool is not None:
        pools.meant(config, f"pool:{pool}")
    return await call.services.store.read(
        lambda tx: queueview.queue(
            tx,
            config,
            clock.now(),
            job=job,
            pool=pool,
            limit=params.get("limit", DEFAULT_LIMIT),
        )
    )


async def pause(call: Call, params: Params) -> Json:
    """Have nothing begin; what runs goes on, and services are not concerned."""

    def decide(turn: Turn) -> Json:
        what = pools.meant(turn.config, params.get("what"))
        return {"what": what, "changed": pools.pause(turn, what, by=call.by)}

    return await call.commit(decide)


async def resume(call: Call, params: Params) -> Json:
    """Take a pause back."""

    def decide(turn: Turn) -> Json:
        what = pools.meant(turn.config, params.get("what"))
        return {"what": what, "changed": pools.resume(turn, what, by=call.by)}

    return await call.commit(decide)


async def clear(call: Call, params: Params) -> Json:
    """Revoke what waits; services are not concerned, nor what is asked for at a later time."""
    why = f"queue clear: {params['why']}" if params.get("why") else "queue clear"

    def decide(turn: Turn) -> Json:
        runs = turn.tx.open_runs()
        if params.get("targets"):
            chosen = targets.choose(turn.tx, turn.config, params["targets"])
            runs = tuple(chosen.open_runs(turn.tx).values())
        is_all = params.get("all", False) or bool(params.get("targets"))
        waiting = [run for run in runs if _is_in_queue(turn, run)]
        found = [run.id for run in waiting if is_all or not _is_for_later(turn, run)]
        intents.cancel_runs(turn, found, Revocation(by=call.by, why=why))
        return {"canceled": found, "later": len(waiting) - len(found)}

    return await call.commit(decide)


def _is_in_queue(turn: Turn, run: Run) -> bool:
    job = turn.config.job(run.job)
    is_service = job is not None and job.type is JobType.CONTINUOUS
    return run.state in _WAITING and not is_service


def _is_for_later(turn: Turn, run: Run) -> bool:
    """Tell whether a run does not wait for its turn but for its own time."""
    return run.state is State.QUEUED and run.due_at > turn.now


async def budgets(call: Call, _params: Params) -> Json:
    """Tell how much of everything that is bounded is used."""
    config = call.services.config.current
    return await call.services.store.read(lambda tx: queueview.budgets(tx, config))


async def pool_list(call: Call, _params: Params) -> Json:
    """List the pools."""
    config = call.services.config.current
    found = await call.services.store.read(lambda tx: queueview.pool_list(tx, config))
    return {"pools": found}


async def pool_set(call: Call, params: Params) -> Json:
    """Give a pool so many slots."""
    name, count = params["pool"], params["slots"]

    def decide(turn: Turn) -> Json:
        pools.set_slots(turn, name, count, by=call.by)
        return {"pool": name, "slots": count}

    return await call.commit(decide)


async def stale(call: Call, params: Params) -> Json:
    """List the runs that take much longer than usual."""
    config, now, older_s = call.services.config.current, clock.now(), params.get("older_s")
    found = await call.services.store.read(lambda tx: queueview.stale(tx, config, now, older_s))
    return {"runs": found}
