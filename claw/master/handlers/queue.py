"""``queue.*``, ``pool.*``, ``run.stale``: what waits, and what operators say of it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from claw.kernel import clock
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.engine import intents, piecemeal, pools
from claw.master.engine.intents import Revocation
from claw.master.engine.turn import Turn
from claw.master.views import queueview
from claw.master.wiring import Json
from claw.model.job import Config, JobType
from claw.model.run import State
from claw.store.queue import Waiting
from claw.store.records import Tx

DEFAULT_LIMIT = 100
CLEARED = 5000
"""So many runs a request revokes."""
AT_ONCE = 200
"""So many are revoked in one transaction."""
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
    """Revoke what waits; services are not concerned, nor what is asked for at a later time.

    The last in the queue go first, some in each transaction, so that others are not kept
    waiting; of very many the caller asks again for what is left.
    """
    services, config, now = call.services, call.services.config.current, clock.now()
    how = Revocation(
        by=call.by,
        why=f"queue clear: {params['why']}" if params.get("why") else "queue clear",
    )
    wanted = params.get("targets", [])
    is_all = params.get("all", False) or bool(wanted)

    def read(tx: Tx) -> list[Waiting]:
        chosen = _chosen(tx, config, wanted)
        return [one for one in tx.waiting() if chosen(one) and not _is_service(config, one.job)]

    def drop(turn: Turn) -> int:
        until = None if is_all else now
        heaps = piecemeal.waiting(turn.tx, until=until)
        if wanted:
            chosen = targets.choose(turn.tx, config, wanted)
            jobs = [aim.job for aim in chosen.aims]
            heaps = piecemeal.meant(turn.tx, jobs, chosen.batches)
        return piecemeal.drop(turn, heaps, by=call.by)

    dropped = await services.decide(drop)
    waiting = await services.store.read(read)
    meant = [one.id for one in waiting if is_all or not _is_for_later(one, now)]
    first, done = meant[:CLEARED], list[str]()
    for begin in range(0, len(first), AT_ONCE):
        some = first[begin : begin + AT_ONCE]
        done += await services.decide(partial(_revoke, some=some, how=how))
    return {
        "canceled": done,
        "later": len(waiting) - len(meant),
        "left": len(meant) - len(first),
        "dropped": dropped,
    }


def _chosen(tx: Tx, config: Config, wanted: Sequence[str]) -> Callable[[Waiting], bool]:
    """Return what tells whether a run is meant."""
    if not wanted:
        return lambda _one: True
    chosen = targets.choose(tx, config, wanted)
    jobs, runs = {aim.job for aim in chosen.aims}, {run.id for run in chosen.runs}
    return lambda one: one.job in jobs or one.id in runs


def _is_service(config: Config, name: str) -> bool:
    job = config.job(name)
    return job is not None and job.type is JobType.CONTINUOUS


def _is_for_later(one: Waiting, now: datetime) -> bool:
    """Tell whether a run does not wait for its turn but for its own time."""
    return one.state is State.QUEUED and one.due_at > now


def _revoke(turn: Turn, some: Sequence[str], how: Revocation) -> list[str]:
    """Revoke those of some runs that still wait, and return them."""
    runs = (turn.tx.run(run_id) for run_id in some)
    waiting = [run.id for run in runs if run is not None and run.state in _WAITING]
    intents.cancel_runs(turn, waiting, how)
    return waiting


async def budgets(call: Call, _params: Params) -> Json:
    """Tell how much of everything that is bounded is used."""
    config = call.services.config.current
    now = clock.now()
    return await call.services.store.read(lambda tx: queueview.budgets(tx, config, now))


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
