"""Opens the database of a home, or sets a damaged one aside and makes a new one.

A database is made under another name, with all its tables, and then renamed: one that is
empty or has no tables has therefore lost them, and counts as damaged.

``PRAGMA quick_check`` reads every page. It is run at each start on a database of up to
`CHECK_ALWAYS_BYTES` (less than a second), and on a larger one only when the last stop was
not a clean one: SQLite outlives a killed process unharmed, so what is being looked for is
a failing disk, a torn copy or a foreign hand, and those are met sooner or later by a
query too (`Database.is_damaged`).
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from claw.errors import StoreError
from claw.kernel import files
from claw.model.event import Event
from claw.store import migrate
from claw.store.connect import Tracer, connect, is_damage
from claw.store.database import CLEAN_STOP, Database
from claw.store.records import Tx

CHECK_ALWAYS_BYTES = 256 << 20
_SIDE_FILES = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Damage:
    """What was found, and where the damaged files are now."""

    why: str
    set_aside: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A database that can be used."""

    database: Database
    is_new: bool  # it holds nothing: the spools may hold more
    damage: Damage | None


def open_or_rebuild(
    path: str,
    now: datetime,
    *,
    tracer: Tracer | None = None,
    on_events: Callable[[tuple[Event, ...]], None] | None = None,
) -> Opened:
    """Open the database, migrated; the caller rebuilds when it is new or was damaged.

    The caller holds the lock of the home. See `Database` for the arguments.

    Raises:
        StoreTooNewError: A newer claw has written it; it is left as it is.
        StoreError: It cannot be opened, or a damaged one cannot be set aside.
    """
    try:
        damage = _mend(path, now)
        is_new = not files.exists(path)
        if is_new:
            _make(path, now)
        else:
            _migrate(path, now)
        return Opened(Database(path, tracer=tracer, on_events=on_events), is_new, damage)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(
            f"cannot open the database {path!r}: {error}",
            hint="see that its folder is there, has room and can be written",
        ) from error


def _mend(path: str, now: datetime) -> Damage | None:
    """Set a damaged database aside, and say what is wrong with it."""
    why = _what_is_wrong(path)
    if why is None:
        return None
    aside = f"{path}.damaged-{now:%Y%m%dT%H%M%SZ}"
    while files.exists(aside) or files.exists(aside + "-wal"):
        aside += "-again"
    for suffix in _SIDE_FILES:
        if files.exists(path + suffix):
            files.rename(path + suffix, aside + suffix)
    return Damage(why, aside)


def _what_is_wrong(path: str) -> str | None:
    if not files.exists(path):
        # Left alone, SQLite would play this log into the new database.
        return "its file is gone" if files.exists(path + "-wal") else None
    if files.size_at(path) == 0:
        return "its file is empty"
    try:
        connection = connect(path)
        try:
            return _what_a_look_shows(connection, files.size_at(path))
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return str(error)
        raise


def _what_a_look_shows(connection: sqlite3.Connection, size: int) -> str | None:
    version = migrate.version(connection)
    if version > len(migrate.MIGRATIONS):
        return None
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
    if version == 0 or not {"schema_migrations", "meta", "runs"} <= tables:
        return "its tables are gone"
    if size > CHECK_ALWAYS_BYTES and Tx(connection).meta(CLEAN_STOP) is not None:
        return None
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    return None if found == "ok" else str(found)


def _make(path: str, now: datetime) -> None:
    """Make a new database under another name, then give it its own."""
    draft = path + ".new"
    for suffix in _SIDE_FILES:
        files.remove(draft + suffix)
    files.create_exclusive(draft, b"")
    _migrate(draft, now)
    files.rename(draft, path)


def _migrate(path: str, now: datetime) -> None:
    connection = connect(path)
    try:
        migrate.apply(connection, now)
        Tx(connection).put_meta(CLEAN_STOP, None)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()
