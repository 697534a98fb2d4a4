"""Consistent copies of the database, while it is used (SQLite's online backup).

A copy is made under another name, synced, then renamed: one that is there is whole.
"""

import os
import sqlite3
from datetime import datetime

from claw.errors import StoreError
from claw.kernel import files
from claw.store import migrate
from claw.store.connect import connect
from claw.store.records import Tx

KEPT = 5
"""Copies that are kept; older ones go."""
_PREFIX, _SUFFIX = "claw-", ".db"


def make(path: str, folder: str, now: datetime, about: str) -> str:
    """Copy a database into a folder and return the copy's path; the oldest copies go.

    Args:
        path: Of the database.
        folder: Of the copies; made if need be.
        now: The time, UTC; with ``about`` it names the copy.
        about: A word for people, such as a version.

    Raises:
        StoreError: No copy could be made; nothing has changed.
    """
    name = f"{_PREFIX}{now:%Y%m%dT%H%M%S%fZ}-{about}{_SUFFIX}"
    draft, whole = f"{folder}/.new", f"{folder}/{name}"
    try:
        files.make_folder(folder)
        _copy(path, draft)
        fd = os.open(draft, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
        files.rename(draft, whole)
        for old in copies(folder)[:-KEPT]:
            files.remove(old)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(
            f"cannot copy the database to {whole!r}: {error}",
            hint="see that its disk has room and can be written",
        ) from error
    return whole


def copies(folder: str) -> list[str]:
    """Return the copies in a folder, oldest first."""
    try:
        names = os.listdir(folder)  # noqa: PTH208
    except FileNotFoundError:
        return []
    return [
        f"{folder}/{name}"
        for name in sorted(names)
        if name.startswith(_PREFIX) and name.endswith(_SUFFIX)
    ]


def copy(path: str, draft: str) -> None:
    """Copy a database, as it stands at one moment, while others write to it.

    Args:
        path: Of the database.
        draft: Of the copy; what has that name is replaced. It is not synced.

    Raises:
        StoreError: It cannot be copied.
    """
    try:
        _copy(path, draft)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"cannot copy the database to {draft!r}: {error}") from error


def put_meta(path: str, key: str, value: str) -> None:
    """Note something in a database that nobody uses, and leave no other file beside it.

    Raises:
        StoreError: It cannot be written.
    """
    try:
        connection = connect(path)
        try:
            Tx(connection).put_meta(key, value)
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(f"cannot write the database {path!r}: {error}") from error


def _copy(path: str, draft: str) -> None:
    files.remove(draft)
    source = connect(path, read_only=True)
    try:
        target = sqlite3.connect(draft)
        try:
            source.backup(target)
            target.execute("PRAGMA journal_mode = DELETE").fetchone()
        finally:
            target.close()
    finally:
        source.close()


def check_readable(path: str) -> None:
    """See that this program can use a database, if there is one.

    Raises:
        StoreTooNewError: A newer claw has written it.
        StoreError: It is another program's, or cannot be read.
    """
    if not files.exists(path):
        return
    try:
        connection = connect(path, read_only=True)
        try:
            migrate.check(connection)
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StoreError(f"cannot read the database {path!r}: {error}") from error
