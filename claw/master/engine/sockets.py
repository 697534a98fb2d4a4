"""Which jobs have something to do with their sockets, see `claw.master.supervision.sockets`."""

from claw.master.engine.turn import Turn
from claw.model.job import JobType
from claw.model.run import State


def needing(turn: Turn) -> dict[str, bool]:
    """Return the jobs that need their sockets, and whether a run of theirs is up."""
    needing = {}
    for job in turn.config.with_sockets:
        runs = turn.tx.open_runs(job.name)
        if any(run.is_active or job.type is JobType.CONTINUOUS for run in runs):
            needing[job.name] = any(run.state is State.RUNNING for run in runs)
    return needing
