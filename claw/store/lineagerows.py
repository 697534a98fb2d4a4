"""What runs come of, and what waits for several of them; part of `claw.store.records.Tx`."""

from dataclasses import dataclass

from claw.model.run import Run, State
from claw.store.statements import Statements

_AFTER_ALL_IDS = "s"
"""Sorts after every run id."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where the ends meet that begin a job together.

    Attributes:
        job: It is begun.
        root: The first run that the ends come of; empty: they have nothing in common.
        rule: Under which rule: ends that another one has gathered do not count.
    """

    job: str
    root: str
    rule: str


class LineageRows(Statements):
    """See the module."""

    def put_joined(self, at: Meeting, run: Run) -> None:
        """Store that a run has ended as it is waited for, in the place of one before it."""
        self._do("put_join", job=at.job, root=at.root, rule=at.rule, parent=run.job, run=run.id)

    def joined(self, at: Meeting) -> dict[str, str]:
        """Return the runs that have ended as it is waited for, by their jobs."""
        found = self._do("joined", job=at.job, root=at.root, rule=at.rule)
        return {row["parent"]: row["run"] for row in found}

    def delete_joined(self, at: Meeting) -> None:
        """Begin anew with what is waited for."""
        self._do("delete_joined", job=at.job, root=at.root)

    def children_of(self, run: str) -> tuple[Run, ...]:
        """Return the runs that come of a run itself, oldest first."""
        return self._runs("children_of", parent=run)

    def count_made(self, parent: str, *, only_open: bool = False) -> int:
        """Return how many runs a run's children have made (by events too), or are open."""
        query = "count_made_open" if only_open else "count_made"
        return self._number(query, parent=parent) or 0

    def count_asked_open(self, by: str) -> int:
        """Return how many open runs the children of a user's runs have asked for."""
        return self._number("count_asked_open", by=by) or 0

    def runs_of_parent(
        self,
        parent: str,
        state: State | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> tuple[Run, ...]:
        """Return what comes of a run itself, all or in a state, newest first, before an id."""
        before = before or _AFTER_ALL_IDS
        return self._runs(
            "runs_of_parent", parent=parent, state=state, before=before, limit=limit
        )
