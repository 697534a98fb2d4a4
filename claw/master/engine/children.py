"""What runs make: the runs and jobs that their children ask for, and how many of them.

Whose child asks is known by the token that it has shown (`claw.master.control.jobcalls`). A
limit on the depth and one on the number keep a job that asks for itself from going on for ever.
"""

from claw.errors import ConflictError, SaturatedError
from claw.master.engine import definitions
from claw.master.engine.turn import Turn
from claw.model import ids, making
from claw.model.job import Job, JobType
from claw.model.lineage import ALONE, MAX_DEPTH, Lineage, below
from claw.model.run import Origin, Run

MAX_FANOUT = 25
"""So many runs, and so many jobs, may the children of one run make."""

MAX_OF_USER = 100
"""So many runs may be open that children or events of another user have asked for."""

_OUTSIDE = frozenset({Origin.MANUAL, Origin.AT, Origin.REINJECT})
"""A run that people ask for comes of them, whoever has made its job."""


def maker(turn: Turn, run_id: str) -> Run:
    """Return the run whose child asks.

    Raises:
        ConflictError: It is over, or what it makes would be too deep.
    """
    run = turn.run(run_id)
    if not run.is_active:
        raise ConflictError(f"run {ids.short(run_id)} is over, and makes nothing any more")
    if below(run).is_too_deep:
        raise ConflictError(
            f"too deep: {MAX_DEPTH} runs came of each other, and run {ids.short(run_id)} is the"
            " last of them",
            hint="a job that asks for itself? break the chain",
        )
    return run


def check_fanout(turn: Turn, parent: str, count: int = 1) -> None:
    """See that a run may make so many more runs.

    Of a run that ends by itself all count that it has made, by events too; of a service those
    that are open.

    Raises:
        ConflictError: It may not.
    """
    job = definitions.recall(turn.tx, turn.config, turn.run(parent).job)
    is_service = job is not None and job.type is JobType.CONTINUOUS
    has = turn.tx.count_made(parent, only_open=is_service)
    if has + count <= MAX_FANOUT:
        return
    open_ = "open at once" if is_service else "in all"
    raise ConflictError(
        f"run {ids.short(parent)} has made {has} runs and asks for {count} more: one run may"
        f" make {MAX_FANOUT} {open_}",
        hint=f"clawctl runs list --parent {ids.short(parent)}",
    )


def check_user(turn: Turn, name: str, count: int = 1) -> None:
    """See that a user other than the owner does not fill the queue.

    Raises:
        SaturatedError: So many runs that their children have asked for are open.
    """
    if turn.tx.count_asked_open(name) + count > MAX_OF_USER:
        raise SaturatedError(
            f"{MAX_OF_USER} runs may be open that runs or events of {name} have made: no more",
            hint="wait until some have ended",
        )


def inherited(turn: Turn, job: Job, origin: Origin, lineage: Lineage) -> Lineage:
    """Return what a run comes of: if nothing is said of that, what has made its job.

    So the runs of a job that a run has made are as deep as that run's own would be.
    """
    found = making.maker_of(job.origin)
    if lineage != ALONE or found is None or origin in _OUTSIDE:
        return lineage
    run, depth = found
    made_by = turn.tx.run(run)
    return Lineage(parent=run, root=run, depth=depth + 1) if made_by is None else below(made_by)
