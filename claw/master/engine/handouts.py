"""What the child of a claimed run is told, and given to read, of what its run comes of.

Found anew at each claim, from the store: so an attempt that was never launched, a retry and a
run that a new master takes up are all told the same.
"""

from collections.abc import Callable

from claw.master.engine import earlier, happenings, parents, stepfacts
from claw.master.engine.turn import Turn
from claw.model.handout import Handouts
from claw.model.job import Job
from claw.model.run import Run

_Source = Callable[[Turn, Job, Run, Handouts], None]

_SOURCES: tuple[_Source, ...] = (
    earlier.hand_out,
    happenings.hand_out,
    parents.hand_out,
    stepfacts.hand_out,
)
"""Who has something for a child: each adds what it has."""


def of(turn: Turn, job: Job, run: Run) -> Handouts:
    """Return what a run's child is to have."""
    found = Handouts()
    for source in _SOURCES:
        source(turn, job, run, found)
    return found
