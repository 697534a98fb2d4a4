"""What runs come of, and what waits for several of them; part of `claw.store.records.Tx`."""

from dataclasses import dataclass

from claw.model.run import Run
from claw.store.statements import Statements


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
