"""Looks at a database without changing it, beside who uses it or with nobody there."""

import sqlite3
from collections.abc import Mapping

from claw.errors import StoreError
from claw.kernel import files
from claw.store import migrate
from claw.store.connect import is_damage
from claw.store.records import Tx


def sqlite_version() -> tuple[int, ...]:
    """Return the version of the SQLite that Python has."""
    return sqlite3.sqlite_version_info


def problem_of(path: str) -> str | None:
    """Return what is wrong with a database; None: nothing was found.

    Reads every page (``PRAGMA quick_check``); others may use it meanwhile.

    Raises:
        StoreTooNewError: A newer claw has written it.
        StoreError: It cannot be read.
    """
    try:
        connection = _open(path)
        try:
            migrate.check(connection)
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        finally:
            connection.close()
    except sqlite3.Error as error:
        if is_damage(error):
            return str(error)
        raise StoreError(f"cannot read the database {path!r}: {error}") from error
    return None if found == "ok" else str(found)


def served(path: str, sizes: Mapping[str, int]) -> set[str]:
    """Return the supervisors whose journals hold nothing that a database lacks.

    Args:
        path: Of the database.
        sizes: How long the journal of each supervisor is.

    Raises:
        StoreError: It cannot be read.
    """
    try:
        connection = _open(path)
        try:
            connection.row_factory = sqlite3.Row
            tx = Tx(connection)
            found = ((sid, tx.supervisor(sid)) for sid in sizes)
            return {
                sid
                for sid, row in found
                if row is not None and row.closed_at is not None and row.offset >= sizes[sid]
            }
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(f"cannot read the database {path!r}: {error}") from error


def _open(path: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True)


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def sizes_of(path: str) -> tuple[int, int]:
    """Return the size of a database and of its write-ahead log; 0: it has none."""
    log = f"{path}-wal"
    return files.size_at(path), files.size_at(log) if files.exists(log) else 0
