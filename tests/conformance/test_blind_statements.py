"""Statements before which no held-back row of a run has to be written."""

import re
import sqlite3
from datetime import UTC, datetime

import pytest

from claw.store.database import Database
from claw.store.queries import QUERIES
from claw.store.statements import _BLIND

_BY_ID = {"run", "update_run"}
"""These find a run by its id, and are told what is held of it."""


@pytest.fixture(scope="module")
def connection() -> sqlite3.Connection:
    return Database.inline(datetime(2026, 1, 1, tzinfo=UTC))._writer


@pytest.mark.parametrize("name", sorted(_BLIND - _BY_ID))
def test_a_statement_that_is_not_told_of_held_rows_looks_at_no_runs(
    connection: sqlite3.Connection, name: str
) -> None:
    looked_at: set[str | None] = set()

    def watch(action: int, table: str | None, column: str | None, *_more: object) -> int:
        is_look = action in {sqlite3.SQLITE_READ, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}
        if is_look and (table, column) != ("runs", "id"):  # a foreign key may ask for that
            looked_at.add(table)
        return sqlite3.SQLITE_OK

    values = dict.fromkeys(_words(QUERIES[name]))
    connection.set_authorizer(watch)
    try:
        connection.execute(f"EXPLAIN {QUERIES[name]}", values).fetchall()
    finally:
        connection.set_authorizer(None)
    assert "runs" not in looked_at


def _words(statement: str) -> list[str]:
    return re.findall(r":(\w+)", statement)
