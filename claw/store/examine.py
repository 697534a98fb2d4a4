"""Looks at a database without changing it, beside who uses it or with nobody there."""

import sqlite3

from claw.errors import StoreError
from claw.kernel import files
from claw.store import migrate
from claw.store.connect import is_damage


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
        connection = sqlite3.connect(f"file:{_quoted(path)}?mode=ro", uri=True)
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


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


def sizes_of(path: str) -> tuple[int, int]:
    """Return the size of a database and of its write-ahead log; 0: it has none."""
    log = f"{path}-wal"
    return files.size_at(path), files.size_at(log) if files.exists(log) else 0
