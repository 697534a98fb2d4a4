"""``approval.*``: what is asked of people before runs begin, and what they say.

These methods are also there for whoever connects to the socket of children without a token:
they are told of, and may decide about, those runs for which they are named.
"""

from collections.abc import Callable, Sequence

import trio

from claw.errors import ConflictError, DeniedError, NotFoundError
from claw.master.control import peers, targets
from claw.master.control.calls import Call, Params
from claw.master.engine import approvals
from claw.master.engine.turn import Turn
from claw.master.handlers.replies import no_run
from claw.master.views import approvalview
from claw.master.wiring import Json
from claw.model.approval import Approval, Asked, Decider
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
    is_told = not call.peer.is_guest  # others do not learn which jobs there are
    if is_told and not found and job is not None and config.job(job) is None:
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

    def read(tx: Tx) -> tuple[list[str], list[Approval]]:
        runs = _meant(tx, text)
        found = (tx.approval(run) for run in runs)
        known = [(one, tx.run(one.run)) for one in found if one is not None]
        rules = [approvals.rule_of(config, run, one) for one, run in known if run is not None]
        return runs, rules

    try:
        runs, rules = await call.services.store.read(read)
    except (ConflictError, NotFoundError):
        if call.peer.is_guest:
            raise _nothing_for(call, text) from None
        raise
    # The system's users and groups may be asked for over a network: not while others wait.
    entries = {entry for rule in rules for entry in rule.by}
    named = await trio.to_thread.run_sync(peers.named, call.peer, entries)
    is_named = len(rules) == len(runs) and all(named & set(rule.by) for rule in rules)
    if call.peer.is_guest and not is_named:
        raise _nothing_for(call, text)
    who = Decider(name=call.peer.name, named=named, is_operator=not call.peer.is_guest)

    def inside(turn: Turn) -> Json:
        decided = [decide(turn, run, who, params.get("reason", "")) for run in runs]
        return {
            "runs": [{"run": run.id, "job": run.job, "state": run.state} for run in decided]
        }

    return await call.commit(inside)


def _nothing_for(call: Call, text: str) -> DeniedError:
    """Return what a guest is told of all that is not asked of them, be it there or not."""
    return DeniedError(
        f"no run {text[:60]!r} waits for {call.peer.name} to decide",
        hint="clawctl approvals list lists those that do",
    )


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
