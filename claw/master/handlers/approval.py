"""``approval.*``: what is asked of people before runs begin, and what they say.

These methods are also there for whoever connects to the socket of children without a token:
they are told of, and may decide about, those runs for which they are named.
"""

from collections.abc import Callable, Sequence

import trio

from claw.errors import NotFoundError
from claw.master.control import peers, targets
from claw.master.control.calls import Call, Params
from claw.master.engine import approvals
from claw.master.engine.turn import Turn
from claw.master.handlers.replies import no_run
from claw.master.views import approvalview
from claw.master.wiring import Json
from claw.model.approval import Asked, Decider
from claw.model.run import Run, State
from claw.store.records import Tx

_LISTED = 100
_Decide = Callable[[Turn, str, Decider, str], Run]


async def list_(call: Call, params: Params) -> Json:
    """List what waits for somebody to decide, oldest first, or all, newest first."""
    config, limit = call.services.config.current, params.get("limit", _LISTED)
    job, start = params.get("job"), params.get("after")

    def read(tx: Tx) -> tuple[Sequence[Asked], list[Json]]:
        if params.get("all"):
            found = tx.all_approvals(job=job, before=start, limit=limit + 1)
        else:
            found = tx.pending_approvals(job=job, after=start or "", limit=limit + 1)
        return found, approvalview.listed(tx, config, found[:limit])

    found, shown = await call.services.store.read(read)
    if not found and job is not None and config.job(job) is None:
        raise targets.no_job(config, job)
    if call.peer.is_guest:
        entries = {entry for one in shown for entry in one["by"]}
        named = await trio.to_thread.run_sync(peers.named, call.peer, entries)
        shown = [one for one in shown if named & set(one["by"])]
    more = len(found) > limit
    return {"approvals": shown, "next": found[limit - 1].run if more else None}


async def approve(call: Call, params: Params) -> Json:
    """Let a run begin, or those of a batch that wait for it."""
    return await _decide(call, params, approvals.approve)


async def reject(call: Call, params: Params) -> Json:
    """Cancel a run before it begins, or those of a batch that wait for approval."""
    return await _decide(call, params, approvals.reject)


async def _decide(call: Call, params: Params, decide: _Decide) -> Json:
    config, text = call.services.config.current, params["run"]

    def read(tx: Tx) -> set[str]:
        found = (tx.approval(run) for run in _meant(tx, text))
        known = [(one, tx.run(one.run)) for one in found if one is not None]
        rules = (approvals.rule_of(config, run, one) for one, run in known if run is not None)
        return {entry for rule in rules for entry in rule.by}

    entries = await call.services.store.read(read)
    # The system's users and groups may be asked for over a network: not while others wait.
    named = await trio.to_thread.run_sync(peers.named, call.peer, entries)
    who = Decider(name=call.peer.name, named=named, is_operator=not call.peer.is_guest)

    def inside(turn: Turn) -> Json:
        runs = [
            decide(turn, run, who, params.get("reason", "")) for run in _meant(turn.tx, text)
        ]
        return {"runs": [{"run": run.id, "job": run.job, "state": run.state} for run in runs]}

    return await call.commit(inside)


def _meant(tx: Tx, text: str) -> list[str]:
    """Return the run that is meant, or those of a batch that wait for approval.

    Raises:
        NotFoundError: There is none.
    """
    run = targets.find_run(tx, text)
    if run is not None:
        return [run.id]
    batch = targets.find_batch(tx, text)
    if batch is None:
        raise no_run(text)
    waiting = [one.id for one in tx.batch_runs(batch, State.AWAITING_APPROVAL)]
    if not waiting:
        raise NotFoundError(f"no run of batch {text} waits for approval")
    return waiting
