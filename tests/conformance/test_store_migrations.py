"""The schema's versions: each step whole or not at all, never a newer one, never edited."""

import sqlite3
from pathlib import Path

import pytest

from claw.errors import StoreError, StoreTooNewError
from claw.store import migrate
from claw.store.connect import connect
from claw.store.migrate import Migration
from tests.kit.desk import T0


@pytest.fixture(name="connection")
def _connection(tmp_path: Path) -> sqlite3.Connection:
    return connect(str(tmp_path / "x.db"))


def _tables(connection: sqlite3.Connection) -> set[str]:
    found = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    return {row[0] for row in found}


ONE = Migration(1, "0001_a.sql", "CREATE TABLE a (x INTEGER) STRICT;")
TWO = Migration(2, "0002_b.sql", "CREATE TABLE b (x TEXT) STRICT;\n-- ; no end\nDROP TABLE a;")
BROKEN = Migration(2, "0002_b.sql", "CREATE TABLE b (x INTEGER) STRICT;\nCREATE TABLE a (x);")


def test_migrations_are_numbered_from_one_without_a_gap() -> None:
    numbers = [migration.no for migration in migrate.MIGRATIONS]
    assert numbers == list(range(1, len(numbers) + 1))


def test_steps_are_applied_once_and_in_order(connection: sqlite3.Connection) -> None:
    migrate.apply(connection, T0, [ONE])
    assert migrate.version(connection) == 1
    migrate.apply(connection, T0, [ONE, TWO])
    migrate.apply(connection, T0, [ONE, TWO])
    assert migrate.version(connection) == 2
    assert "b" in _tables(connection)
    assert "a" not in _tables(connection)


def test_a_step_that_fails_leaves_the_schema_before_it(connection: sqlite3.Connection) -> None:
    migrate.apply(connection, T0, [ONE])
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate.apply(connection, T0, [ONE, BROKEN])
    assert migrate.version(connection) == 1
    assert "b" not in _tables(connection)
    migrate.apply(connection, T0, [ONE, TWO])
    assert migrate.version(connection) == 2


def test_a_newer_schema_is_refused_and_left_alone(connection: sqlite3.Connection) -> None:
    migrate.apply(connection, T0, [ONE, TWO])
    with pytest.raises(StoreTooNewError, match="schema 2, this claw knows 1"):
        migrate.apply(connection, T0, [ONE])
    assert "b" in _tables(connection)


def test_an_edited_migration_is_noticed(connection: sqlite3.Connection) -> None:
    migrate.apply(connection, T0, [ONE])
    edited = Migration(1, ONE.name, ONE.sql + " ")
    with pytest.raises(StoreError, match="other migrations"):
        migrate.apply(connection, T0, [edited, TWO])


def test_a_text_is_cut_into_statements() -> None:
    text = "-- a; b\nCREATE TABLE x (\n  a TEXT DEFAULT ';'\n);\n\nSELECT 1; \n-- end\n"
    found = list(migrate.statements(text))
    assert len(found) == 2
    assert found[0].endswith("DEFAULT ';'\n);")
    with pytest.raises(ValueError, match="without an end"):
        list(migrate.statements("SELECT 1"))


def test_all_tables_are_strict(connection: sqlite3.Connection) -> None:
    migrate.apply(connection, T0)
    found = connection.execute("PRAGMA table_list").fetchall()
    loose = {row["name"] for row in found if not row["strict"]}
    assert {name for name in loose if not name.startswith("sqlite_")} == set()


def test_connections_are_durable_and_keep_references(connection: sqlite3.Connection) -> None:
    def pragma(name: str) -> object:
        found: object = connection.execute(f"PRAGMA {name}").fetchone()[0]
        return found

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2
    assert pragma("foreign_keys") == 1
    assert pragma("busy_timeout") == 5000
