"""Batches: runs that one request made together; how far they are, and what failed again."""

from collections.abc import Collection
from datetime import UTC, datetime

from claw.errors import ConflictError
from claw.master.engine import intake, piecemeal
from claw.master.engine.turn import Turn
from claw.master.views.statusview import Json
from claw.model import ids
from claw.model.run import FINAL, Origin, Run, State
from claw.store.records import Tx

FAILED = (State.FAILED, State.TIMED_OUT, State.CRASHED, State.CANCELED)
"""What has not done what it was asked for, and is tried again by ``runs retry``."""


def progress(tx: Tx, batch: str, now: datetime) -> Json:
    """Return how far a batch is.

    The time left is what the others will take if they end as often as those did that have
    ended since the batch was asked for; None until one has.
    """
    counts = tx.batch_counts(batch)
    total = sum(counts.values()) + piecemeal.left_of(tx, batch)
    done = sum(count for state, count in counts.items() if state in FINAL)
    asked_at = datetime.fromtimestamp(ids.millis_of(batch) / 1000, UTC)
    elapsed_s = max((now - asked_at).total_seconds(), 0.0)
    newest = next(iter(tx.runs_of_batch(batch, limit=1)), None)
    return {
        "batch": batch,
        "job": None if newest is None else newest.job,
        "asked_at": asked_at.isoformat(),
        "total": total,
        "done": done,
        "running": counts.get(State.RUNNING, 0) + counts.get(State.CLAIMED, 0),
        "failed": sum(counts.get(state, 0) for state in FAILED),
        "left_s": elapsed_s * (total - done) / done if done else None,
        "states": {str(state): count for state, count in sorted(counts.items())},
    }


def retry(turn: Turn, old: Collection[Run], *, key: str, by: str) -> Json:
    """Run again what has failed, as new runs that name the old ones.

    Several new runs are a batch of their own.

    Raises:
        ConflictError: A run goes on, or there is none.
    """
    if not old:
        raise ConflictError("nothing of that has failed", hint="clawctl runs list --batch ID")
    batch = turn.new_batch_id() if len(old) > 1 else None
    runs = []
    for run in old:
        if run.is_open:
            raise ConflictError(
                f"run {ids.short(run.id)} is {run.state}",
                hint=f"first: clawctl cancel {ids.short(run.id)}",
            )
        ask = intake.Ask(
            job=run.job,
            origin=Origin.MANUAL,
            key=f"{key}:{run.id}",
            by=by,
            env=run.env,
            args=run.args,
            priority=run.priority,
            replay_of=run.id,
            lineage=run.lineage.repeated,
            batch=batch,
        )
        runs.append(intake.submit(turn, ask).id)
    return {"batch": batch, "runs": runs}


def failed_of(tx: Tx, batch: str) -> list[Run]:
    """Return the runs of a batch that have not done what they were asked for."""
    return [run for state in FAILED for run in tx.batch_runs(batch, state)]
