"""Dead letters: runs that have failed for good, kept until somebody decides about them.

The mark is on the run, whose state goes on saying why it ended. It is resolved when the run
is reinjected, as a new run that says which one it repeats, or purged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from claw.errors import ConflictError, NotFoundError
from claw.master.engine import alerts, intake
from claw.master.engine.turn import Change, Turn
from claw.model import ids, retry
from claw.model.alerts import AlertKind
from claw.model.run import Origin, Run
from claw.model.values import replace

PURGED = "run.purged"
REINJECTED = "run.reinjected"
DEAD_LETTER = "run.dead_letter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What a reinjected run has in place of what the dead one had; None: the same."""

    env: tuple[tuple[str, str], ...] = ()  # besides what that had
    args: tuple[str, ...] | None = None


def mark(turn: Turn, run: Run) -> None:
    """Mark a run that has just ended, if it is to be kept; called once for each."""
    job = turn.config.job(run.job)
    if job is None or not job.dead_letter or run.state not in retry.BAD:
        return
    why = run.reason or str(run.state)
    run = turn.run(run.id)
    dead = replace(run, dead_at=run.ended_at or turn.now, dead_why=why)
    turn.tx.update_run(dead)
    turn.changes.append(Change(run, dead, None))
    turn.note(DEAD_LETTER, job=run.job, run=run.id, why=why)


def reinject(turn: Turn, dead: Run, *, key: str, by: str, changes: Changes) -> Run:
    """Have a dead letter done again, by a new run.

    Args:
        turn: The decision.
        dead: The run that carries the mark.
        key: Of the request: the same one finds the same run.
        by: Who asks.
        changes: What is different this time.

    Raises:
        ConflictError: It is no dead letter, or none any more.
        NotFoundError: Its job is gone.
        SaturatedError: There is no room in the queue.
    """
    origin_key = f"{dead.id}:{key}"
    known = turn.tx.run_by_origin(Origin.REINJECT, origin_key)
    if known is not None:
        return known
    check(dead)
    env = {**dict(dead.env), **dict(changes.env)}
    ask = intake.Ask(
        job=dead.job,
        origin=Origin.REINJECT,
        key=origin_key,
        by=by,
        slot_at=dead.slot_at,
        env=tuple(env.items()),
        args=dead.args if changes.args is None else changes.args,
        replay_of=dead.id,
        lineage=dead.lineage.repeated,
        priority=dead.priority,
    )
    run = intake.submit(turn, ask)
    turn.tx.update_run(replace(dead, dead_at=None, reinjected_as=run.id))
    turn.note(REINJECTED, job=dead.job, run=dead.id, why=f"as run {ids.short(run.id)}", by=by)
    _resolve(turn, dead.job)
    return run


def check(run: Run) -> None:
    """Refuse a run that is no dead letter.

    Raises:
        ConflictError: It is none.
    """
    short = ids.short(run.id)
    if run.dead_at is not None:
        return
    if run.reinjected_as is not None:
        raise ConflictError(
            f"run {short} was reinjected as {run.reinjected_as}",
            hint=f"clawctl runs show {ids.short(run.reinjected_as)}",
        )
    raise ConflictError(f"run {short} is no dead letter", hint="clawctl dlq list lists them")


def purge(turn: Turn, dead: Run, *, by: str, why: str = "purged") -> None:
    """Take the mark from a run, which stays as it is."""
    turn.tx.update_run(replace(dead, dead_at=None))
    turn.note(PURGED, job=dead.job, run=dead.id, why=why, by=by)
    _resolve(turn, dead.job)


def expire(turn: Turn, before: datetime, limit: int) -> int:
    """Purge the dead letters that are older than they are kept; return how many.

    Args:
        turn: The decision.
        before: Those marked before then, the oldest first.
        limit: At most so many.
    """
    dead = turn.tx.dead_letters_before(before, limit)
    for run in dead:
        purge(turn, run, by="claw", why="kept for retention.dead_letters")
    return len(dead)


def chosen(
    turn: Turn, *, job: str | None, before: datetime | None, limit: int
) -> Sequence[Run]:
    """Return dead letters of a job, or of all, perhaps only those marked before a time.

    Raises:
        NotFoundError: There is neither such a job nor a dead letter of one.
    """
    if before is not None:
        old = turn.tx.dead_letters_before(before, limit if job is None else -1)
        return [run for run in old if job in {None, run.job}][:limit]
    found = turn.tx.dead_letters(job=job, limit=limit)
    if not found and job is not None and turn.config.job(job) is None:
        raise NotFoundError(f"no job {job!r}", hint="clawctl status lists the jobs")
    return found


def _resolve(turn: Turn, job: str) -> None:
    """Say that a job has no dead letter any more, once that is so."""
    if not turn.tx.dead_letters(job=job, limit=1):
        alerts.resolve(turn, AlertKind.DEAD_LETTER, job, "none is left")
