"""How a transaction's methods run the named statements; what they all are made of.

A run takes several steps in one transaction when a piece of a journal tells of all its short
life. Its row is written once: what has become of a run is held back until a statement that
might see it, or the end, and whoever asks for that run meanwhile is told what is held.
"""

import sqlite3

from claw.model.run import Run
from claw.store import rows
from claw.store.queries import QUERIES

_BLIND = frozenset(
    {
        "append_event", "attempt", "finish_idem", "meta", "put_attempt", "put_supervisor",
        "rollout", "run", "standing", "standing_alerts", "supervisor", "timing", "update_run",
    }
)  # fmt: skip
"""Statements that neither look at the rows of runs nor change any, but by a run's id."""


class Statements:
    """Runs statements of ``queries.sql`` on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[str, Run] = {}  # as they are by now
        self._held: dict[str, Run] = {}  # of these, what is not written yet

    def _do(self, name: str, /, **values: rows.Value) -> sqlite3.Cursor:
        if name not in _BLIND:
            self.settle()
        return self._connection.execute(QUERIES[name], values)

    def _one(self, name: str, /, **values: rows.Value) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._do(name, **values).fetchone()
        return found

    def _number(self, name: str, /, **values: rows.Value) -> int | None:
        found: tuple[int | None] = self._do(name, **values).fetchone()
        return found[0]

    def _runs(self, name: str, /, **values: rows.Value) -> tuple[Run, ...]:
        return tuple(rows.run_of_row(row) for row in self._do(name, **values))

    def run(self, run_id: str) -> Run | None:
        """Return the run of that whole id."""
        known = self._known.get(run_id)
        if known is None:
            row = self._one("run", id=run_id)
            known = None if row is None else rows.run_of_row(row)
            if known is not None:
                self._known[run_id] = known
        return known

    def update_run(self, run: Run) -> None:
        """Store what has become of a run; its id, job and origin never change."""
        self._known[run.id] = self._held[run.id] = run

    def settle(self) -> None:
        """Write what is held back."""
        held, self._held = self._held, {}
        self._known.clear()
        for run in held.values():
            self._do("update_run", **rows.row_of_run(run))

    def forget(self) -> None:
        """Give up what is held back: it is not to be."""
        self._held.clear()
        self._known.clear()
