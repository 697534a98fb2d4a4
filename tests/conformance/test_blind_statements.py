"""What is held back is written before each statement that might see it."""

import re
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from claw.model.event import Event
from claw.store.database import Database
from claw.store.queries import QUERIES
from claw.store.statements import ANSWERS, KINDS, sees, tables_changed

_WRITES = {
    **{kind: tuple(filter(None, (one.put, one.update))) for kind, one in KINDS.items()},
    Event: ("append_event",),
}
_OWN = {name for names in _WRITES.values() for name in names}
_BY_KEY = {"run", "attempt", "supervisor", "standing"}
"""These find one row by its key, and are only run when nothing is held of it."""

_ADDING = {"insert_run"}
"""It adds a row of which nothing can be held, and one to a count, whatever that is."""


@pytest.fixture(scope="module")
def connection() -> Iterator[sqlite3.Connection]:
    database = Database.inline(datetime(2026, 1, 1, tzinfo=UTC))
    yield database._writer
    database.close()


def _touched(connection: sqlite3.Connection, name: str, actions: set[int]) -> set[str]:
    """Return the tables on which SQLite says that a statement, or its triggers, act so."""
    tables: set[str] = set()

    def watch(action: int, table: str | None, column: str | None, *_more: object) -> int:
        is_there = (table, column) == ("runs", "id")  # a foreign key may ask for that
        if action in actions and table is not None and not is_there:
            tables.add(table)
        return sqlite3.SQLITE_OK

    values = dict.fromkeys(re.findall(r":(\w+)", QUERIES[name]))
    connection.set_authorizer(watch)
    try:
        connection.execute(f"EXPLAIN {QUERIES[name]}", values).fetchall()
    finally:
        connection.set_authorizer(None)
    return tables


CHANGES = {sqlite3.SQLITE_INSERT, sqlite3.SQLITE_UPDATE, sqlite3.SQLITE_DELETE}


@pytest.mark.parametrize("name", sorted(QUERIES.keys() - _OWN - _BY_KEY - _ADDING))
def test_a_statement_is_told_of_what_is_held_back_of_the_tables_that_it_touches(
    connection: sqlite3.Connection, name: str
) -> None:
    touched = _touched(connection, name, {sqlite3.SQLITE_READ, *CHANGES})

    for kind, names in _WRITES.items():
        written = {table for one in names for table in _touched(connection, one, CHANGES)}
        if touched & written:
            assert kind in sees(name), (kind, touched & written)


def test_there_are_statements_that_need_nothing_written_before_them() -> None:
    assert not sees("meta")
    assert not sees("standing_alerts")


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_an_answer_is_remembered_that_one_table_gives(
    connection: sqlite3.Connection, name: str
) -> None:
    assert _touched(connection, name, {sqlite3.SQLITE_READ, *CHANGES}) == {ANSWERS[name]}


@pytest.mark.parametrize("name", sorted(QUERIES))
def test_who_changes_a_table_that_answers_are_remembered_of_says_so_in_its_first_words(
    connection: sqlite3.Connection, name: str
) -> None:
    changed = _touched(connection, name, CHANGES) & set(ANSWERS.values())

    assert changed <= tables_changed(name)


def test_what_changes_runs_means_by_id_the_run_that_it_changes() -> None:
    """Of `id` a statement is taken to tell which run is no longer as it is remembered."""
    changing = [text for text in QUERIES.values() if re.search(r"UPDATE (OR FAIL )?runs", text)]

    assert changing
    for text in changing:
        assert ":id" not in text or re.search(r"WHERE id = :id\b", text), text
