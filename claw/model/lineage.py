"""Lineage: what a run comes of, when nobody asked for it from outside.

A run may follow another one, be asked for by another one's child, be a step of a workflow, or
answer to an event. Each that comes of another run is one level deeper than that; the depth has
a limit, so that no chain of them goes on for ever.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from claw.model.run import Run

MAX_DEPTH = 10
"""So many runs may come of each other, the first one not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """What a run comes of.

    Attributes:
        parent: The run that it follows, or whose child asked for it.
        root: The first of that line; None: it is the first itself.
        depth: How many came before it.
        workflow: The id of its workflow, which is that of the workflow's first run.
        step: Which step of it; None: it is the workflow's own run, or no workflow's.
        event: The id of the event that it answers to.
    """

    parent: str | None = None
    root: str | None = None
    depth: int = 0
    workflow: str | None = None
    step: str | None = None
    event: str | None = None

    @property
    def is_too_deep(self) -> bool:
        """Whether it is beyond the limit."""
        return self.depth > MAX_DEPTH

    @property
    def repeated(self) -> "Lineage":
        """That of a run that repeats one with this: it comes of the same, and is no step."""
        return replace(self, workflow=None, step=None)


ALONE = Lineage()
"""Of a run that was asked for from outside, by people or by time."""


def below(
    parent: "Run",
    *,
    workflow: str | None = None,
    step: str | None = None,
    event: str | None = None,
) -> Lineage:
    """Return the lineage of a run that comes of another one.

    Args:
        parent: What it comes of.
        workflow: Its own workflow, if it is a step of one.
        step: Which step.
        event: What it answers to.
    """
    return Lineage(
        parent=parent.id,
        root=parent.lineage.root or parent.id,
        depth=parent.lineage.depth + 1,
        workflow=workflow,
        step=step,
        event=event,
    )
