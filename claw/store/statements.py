"""How a transaction's methods run the named statements; what they all are made of."""

import sqlite3

from claw.model.run import Run
from claw.store import rows
from claw.store.queries import QUERIES


class Statements:
    """Runs statements of ``queries.sql`` on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _do(self, name: str, /, **values: rows.Value) -> sqlite3.Cursor:
        return self._connection.execute(QUERIES[name], values)

    def _one(self, name: str, /, **values: rows.Value) -> sqlite3.Row | None:
        found: sqlite3.Row | None = self._do(name, **values).fetchone()
        return found

    def _number(self, name: str, /, **values: rows.Value) -> int | None:
        found: tuple[int | None] = self._do(name, **values).fetchone()
        return found[0]

    def _runs(self, name: str, /, **values: rows.Value) -> tuple[Run, ...]:
        return tuple(rows.run_of_row(row) for row in self._do(name, **values))
