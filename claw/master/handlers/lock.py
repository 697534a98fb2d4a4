"""``lock.*``: who has which lock, and taking one away."""

from typing import Any

import trio

from claw.errors import NotFoundError
from claw.master.control.calls import Call, Params
from claw.master.engine import locks
from claw.master.engine.turn import Turn
from claw.master.locks.backend import Holder, LockTroubleError
from claw.master.wiring import Json
from claw.model.lock import Hold, Phase
from claw.store.records import Tx

_AT_ONCE = 8
"""So many locks are asked for at a time; a place with many is not flooded."""
_ONE_S, _ALL_S = 5.0, 20.0
"""How long is waited for what is said of one lock, and of all."""


async def list_(call: Call, _params: Params) -> Json:
    """List the locks that jobs want, or that are held, with who has them."""
    config = call.services.config.current
    holds, runs = await call.services.store.read(_known)
    jobs: dict[str, list[str]] = {name: [] for name, one in holds.items() if one.run}
    for job in config.jobs:
        if job.lock:
            jobs.setdefault(job.lock, []).append(job.name)
    found = {name: _wire_of(name, holds.get(name), runs) for name in sorted(jobs)}
    room = trio.CapacityLimiter(_AT_ONCE)
    with trio.move_on_after(_ALL_S):
        async with trio.open_nursery() as nursery:
            for name, one in found.items():
                one |= {"jobs": jobs[name], "backend": str(config.locks.backend)}
                if one["state"] == "free" and config.locks.is_shared:
                    one |= {"state": "unknown", "note": "nobody has said in time who has it"}
                    nursery.start_soon(_look, call, one, room)
    return {"locks": list(found.values())}


def _known(tx: Tx) -> tuple[dict[str, Hold], dict[str, str]]:
    holds = {one.name: one for one in tx.holds()}
    runs = {one.run: tx.run(one.run) for one in holds.values() if one.run}
    return holds, {run_id: run.job for run_id, run in runs.items() if run is not None}


def _wire_of(name: str, hold: Hold | None, runs: dict[str, str]) -> Json:
    if hold is None or hold.phase is Phase.FREE:
        return {"name": name, "state": "free", "fence": hold.fence if hold else None}
    return {
        "name": name,
        "state": str(hold.phase),
        "run": hold.run,
        "job": runs.get(hold.run or ""),
        "fence": hold.fence,
        "since": None if hold.since is None else hold.since.isoformat(),
        "until": None if hold.until is None else hold.until.isoformat(),
    }


async def _look(call: Call, one: Json, room: trio.CapacityLimiter) -> None:
    """Note which other master has a lock; nothing when nobody says it in time."""
    assert call.services.locks is not None  # noqa: S101  a shared lock is somewhere
    async with room:
        with trio.move_on_after(_ONE_S):
            try:
                holder = await call.services.locks.look(one["name"])
            except LockTroubleError as error:
                one["note"] = error.message
                return
            del one["note"]
            one["state"] = "free"
            if holder is not None:
                one |= {"state": "elsewhere", **_of(holder)}


def _of(holder: Holder) -> dict[str, Any]:
    return {
        "host": holder.host,
        "run": holder.run,
        "fence": holder.fence,
        "until": None if holder.until is None else holder.until.isoformat(),
    }


async def release(call: Call, params: Params) -> Json:
    """Take a lock away from whoever has it: a run of this master is ended at once."""
    name, by = params["name"], call.by
    holder: Holder | None = None
    if call.services.locks is not None:
        holder = await call.services.locks.take_away(name)

    def decide(turn: Turn) -> Json:
        try:
            hold = locks.release(turn, name, by)
        except NotFoundError:
            if holder is None:
                raise NotFoundError(
                    f"nobody has a lock {name!r}", hint="clawctl lock list"
                ) from None
            return {"name": name, **_of(holder)}
        return {"name": name, "run": hold.run, "fence": hold.fence}

    return await call.commit(decide)
