"""What becomes of the runs of one job that are due while others of it are active.

``skip``          a run that finds the job's instances taken, or wanted by an earlier run,
                  is turned away
``queue``         it waits its turn; beyond ``max_queued`` waiting ones it is turned away
``kill_restart``  it ends the oldest active run and takes its place; of several that wait,
                  only the newest is kept

Runs that make up for missed slots, and those that have had an attempt already, are never
turned away: they wait their turn.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from claw.model import ids
from claw.model.job import Job, Overlap
from claw.model.run import Run

CATCH_UP = "catch_up"
"""The cause of a run that makes up for a missed slot."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A decision about the due runs of one job, each in exactly one of the first three."""

    go: tuple[Run, ...] = ()  # may be claimed, in this order
    wait: tuple[tuple[Run, str], ...] = ()
    skip: tuple[tuple[Run, str], ...] = ()
    end: tuple[Run, ...] = ()  # active runs that are to make room


def decide(job: Job, active: Sequence[Run], due: Sequence[Run]) -> Lane:
    """Return what becomes of the due runs.

    Args:
        job: Whose runs they are.
        active: Claimed or running, oldest first.
        due: Queued and due, in the order in which they would go.
    """
    free = max(job.max_instances - len(active), 0)
    go, rest = tuple(due[:free]), due[free:]
    if not rest:
        return Lane(go=go)
    if job.on_overlap is Overlap.SKIP:
        return _skip(go, rest, active)
    if job.on_overlap is Overlap.KILL_RESTART:
        return _replace(go, rest, active, job.max_instances)
    return _queue(go, rest, active, job.max_queued)


def _waits_its_turn(run: Run) -> bool:
    """Tell whether a run is never turned away."""
    return run.cause == CATCH_UP or run.attempt > 0


def _names(runs: Sequence[Run]) -> str:
    shown = ", ".join(ids.short(run.id) for run in runs[:3])
    return shown + (f" and {len(runs) - 3} more" if len(runs) > 3 else "")  # noqa: PLR2004


def _waits(runs: Sequence[Run], holders: Sequence[Run]) -> tuple[tuple[Run, str], ...]:
    text = f"max_instances: waits for run {_names(holders)} of the same job to end"
    return tuple((run, text) for run in runs)


def _skip(go: tuple[Run, ...], rest: Sequence[Run], active: Sequence[Run]) -> Lane:
    holders = [*active, *go]
    kept = [run for run in rest if _waits_its_turn(run)]
    text = f"on_overlap = skip: run {_names(holders)} of the same job had not ended"
    skipped = tuple((run, text) for run in rest if not _waits_its_turn(run))
    return Lane(go=go, wait=_waits(kept, holders), skip=skipped)


def _queue(
    go: tuple[Run, ...], rest: Sequence[Run], active: Sequence[Run], max_queued: int
) -> Lane:
    room = max_queued or len(rest)
    text = f"on_overlap = queue: {max_queued} waited already (max_queued)"
    kept = [run for at, run in enumerate(rest) if at < room or _waits_its_turn(run)]
    skipped = [run for at, run in enumerate(rest) if at >= room and not _waits_its_turn(run)]
    return Lane(
        go=go,
        wait=_waits(kept, [*active, *go]),
        skip=tuple((run, text) for run in skipped),
    )


def _replace(
    go: tuple[Run, ...], rest: Sequence[Run], active: Sequence[Run], max_instances: int
) -> Lane:
    newest = rest[-1]
    kept = [run for run in rest if _waits_its_turn(run) or run is newest]
    text = f"on_overlap = kill_restart: run {ids.short(newest.id)} came after it"
    skipped = tuple((run, text) for run in rest if run not in kept)
    waits = _waits(kept, [*active, *go])
    if _waits_its_turn(newest):
        return Lane(go=go, wait=waits, skip=skipped)
    leaving = [run for run in active if run.stop_why is not None]
    # One place is enough: when one is being left already, nobody else has to go.
    room_made = bool(leaving) or len(active) < max_instances
    end = () if room_made else tuple(run for run in active if run not in leaving)[:1]
    return Lane(go=go, wait=waits, skip=skipped, end=end)
