"""The schema's versions: numbered files, never edited, each applied in one transaction.

``PRAGMA user_version`` is the number of the last one, set in the same transaction, so a
crash leaves either the old schema or the new one. ``executescript`` is never used: it
commits whatever is open first.
"""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources

from claw.errors import StoreError, StoreTooNewError

_HISTORY = """CREATE TABLE IF NOT EXISTS schema_migrations (
    no         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    applied_at TEXT NOT NULL
) STRICT"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    no: int  # from 1, without a gap
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """What is recorded of its text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load() -> tuple[Migration, ...]:
    """Return the program's migrations, in order."""
    folder = resources.files(__package__).joinpath("migrations")
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql"))
    return tuple(
        Migration(int(name[:4]), name, folder.joinpath(name).read_text("utf-8"))
        for name in names
    )


MIGRATIONS = load()


def version(connection: sqlite3.Connection) -> int:
    """Return the schema version of a database; 0 has no tables."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def apply(
    connection: sqlite3.Connection,
    at: datetime,
    migrations: Sequence[Migration] = MIGRATIONS,
) -> None:
    """Bring a database to the program's schema.

    Raises:
        StoreTooNewError: A newer claw has written it.
        StoreError: Its history is not that of this program.
    """
    present = check(connection, migrations)
    for migration in migrations[present:]:
        _step(connection, migration, at)


def check(connection: sqlite3.Connection, migrations: Sequence[Migration] = MIGRATIONS) -> int:
    """Return the schema version of a database that this program can use; raises as `apply`."""
    present = version(connection)
    if present > len(migrations):
        raise StoreTooNewError(
            f"the database has schema {present}, this claw knows {len(migrations)}",
            hint="run the claw that wrote it, or a newer one",
        )
    _check_history(connection, migrations[:present])
    return present


def _check_history(connection: sqlite3.Connection, known: Sequence[Migration]) -> None:
    if not known:
        return
    query = "SELECT no, sha256 FROM schema_migrations ORDER BY no"
    found = [tuple(row) for row in connection.execute(query)]
    if found != [(migration.no, migration.sha256) for migration in known]:
        raise StoreError(
            "the database was made by a claw with other migrations",
            hint="run the claw that wrote it",
        )


def _step(connection: sqlite3.Connection, migration: Migration, at: datetime) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(_HISTORY)
        for statement in statements(migration.sql):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO schema_migrations VALUES (?, ?, ?, ?)",
            (migration.no, migration.name, migration.sha256, at.isoformat()),
        )
        connection.execute(f"PRAGMA user_version = {migration.no}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def statements(sql: str) -> Iterator[str]:
    """Yield the statements of a text, each of which ends with its line."""
    held = ""
    for line in sql.splitlines(keepends=True):
        held += line
        if sqlite3.complete_statement(held):
            yield held.strip()
            held = ""
    if held.strip() and not held.strip().startswith("--"):
        raise ValueError(f"a statement without an end: {held.strip()[:40]!r}")
