"""Services that failed for want of something, once it is there."""

from collections.abc import Iterable

from claw.errors import ClawError
from claw.master.engine import intents
from claw.master.engine.turn import Turn
from claw.model import outcome
from claw.model.job import JobType


def wake(turn: Turn, names: Iterable[str], *, by: str, key: str) -> list[str]:
    """Start those services that had no process because they could not be launched.

    One that somebody has stopped, paused or disabled since stays so.

    Returns:
        The jobs that were started.
    """
    return [
        name for name in names if _lies_unlaunched(turn, name) and _wakes(turn, name, by, key)
    ]


def _lies_unlaunched(turn: Turn, name: str) -> bool:
    job = turn.config.job(name)
    if job is None or job.type is not JobType.CONTINUOUS or not job.enabled:
        return False
    standing = turn.standing(name)
    if standing.stopped_by or standing.paused_by or turn.tx.open_runs(name):
        return False
    newest = turn.tx.newest_run_of(name)
    return newest is not None and turn.run(newest).reason == outcome.SPAWN_FAILED


def _wakes(turn: Turn, name: str, by: str, key: str) -> bool:
    try:
        return intents.start_job(turn, name, by=by, key=f"{key}:{name}") is not None
    except ClawError:  # there is no room now: somebody else starts it
        return False
