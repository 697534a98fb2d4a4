"""``dlq.*``: runs that have failed for good, and what becomes of them."""

from collections.abc import Sequence
from datetime import timedelta

from claw.errors import NotFoundError, UsageError
from claw.master.control import targets
from claw.master.control.calls import Call, Params
from claw.master.engine import deadletters, intake
from claw.master.engine.turn import Turn
from claw.master.handlers import run as runs
from claw.master.views import runview
from claw.master.wiring import Json
from claw.model.run import Run
from claw.store.records import Tx

AT_ONCE = 500
"""So many are dealt with in one transaction; the caller asks again for what is left."""
_LISTED = 50


async def list_(call: Call, params: Params) -> Json:
    """List dead letters, newest first, a page at a time."""
    job, limit = params.get("job"), params.get("limit", _LISTED)

    def read(tx: Tx) -> Json:
        before = params.get("before")
        found = tx.dead_letters(job=job, before=before, limit=limit + 1)
        more = len(found) > limit
        shown = runview.page(tx, found[:limit])
        return {"runs": shown, "next": found[limit - 1].id if more else None}

    page = await call.services.store.read(read)
    runs.check_known(call.services.config.current, job, page["runs"])
    return page


async def reinject(call: Call, params: Params) -> Json:
    """Have dead letters done again."""
    changes = deadletters.Changes(
        env=tuple(params.get("env", {}).items()),
        args=tuple(params["args"]) if "args" in params else None,
    )
    runs.check_texts(dict(changes.env), changes.args or ())

    def decide(turn: Turn) -> Json:
        dead, left = _chosen(turn, params)
        if call.is_limited:
            _check_changes(turn, dead, changes)
        made = [
            deadletters.reinject(turn, one, key=call.key, by=call.by, changes=changes)
            for one in dead
        ]
        pairs = [{"run": run.id, "of": run.replay_of, "job": run.job} for run in made]
        return {"reinjected": pairs, "left": left}

    return await call.commit(decide)


def _check_changes(turn: Turn, dead: Sequence[Run], changes: deadletters.Changes) -> None:
    """Refuse what an operator may not change: what a run had it may have again.

    Raises:
        DeniedError: One of their jobs does not allow it.
    """
    names = dict(changes.env)
    for job in {run.job for run in dead}:
        intake.check_allowed(turn.job(job), names, has_args=changes.args is not None)


async def purge(call: Call, params: Params) -> Json:
    """Forget that runs are dead letters."""

    def decide(turn: Turn) -> Json:
        dead, left = _chosen(turn, params)
        for one in dead:
            deadletters.check(one)
            deadletters.purge(turn, one, by=call.by)
        return {"purged": [one.id for one in dead], "left": left}

    return await call.commit(decide)


def _chosen(turn: Turn, params: Params) -> tuple[Sequence[Run], bool]:
    """Return the dead letters that are meant, and whether there are more."""
    named, age_s, job = params.get("runs", []), params.get("older_than_s"), params.get("job")
    if named and (job is not None or params.get("all") or age_s is not None):
        raise UsageError("runs, or a choice of dead letters (--all, --job), not both")
    if named:
        return [_run(turn, text) for text in named], False
    if job is None and age_s is None and not params.get("all"):
        raise UsageError("which dead letters? Name runs, or --all, or --job JOB")
    before = None if age_s is None else turn.now - timedelta(seconds=age_s)
    found = deadletters.chosen(turn, job=job, before=before, limit=AT_ONCE + 1)
    return found[:AT_ONCE], len(found) > AT_ONCE


def _run(turn: Turn, text: str) -> Run:
    found = targets.find_run(turn.tx, text)
    if found is None:
        raise NotFoundError(f"no run {text!r}", hint="clawctl dlq list lists them")
    return found
