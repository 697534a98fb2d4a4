"""Connections as claw wants them: WAL, synchronous FULL, foreign keys, named columns."""

import sqlite3
from collections.abc import Callable

BUSY_TIMEOUT_S = 5.0
"""How long to wait for a reader of another process that is in the way."""

MOST_STATEMENTS = 512
"""Kept prepared: all that have a name, and the parts of updates that are in use."""

JOURNAL_LIMIT_BYTES = 64 << 20
"""What is left of a write-ahead log after it was once larger."""

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}

Tracer = Callable[[str], None]


def connect(
    path: str, *, tracer: Tracer | None = None, read_only: bool = False
) -> sqlite3.Connection:
    """Open a database; its threads take care that only one at a time uses it.

    Args:
        path: Of the file, or ``:memory:``.
        tracer: Called with the text of each statement.
        read_only: Refuse every change.
    """
    connection = sqlite3.connect(
        path,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=MOST_STATEMENTS,
    )
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA temp_store = MEMORY")  # copies of pages go to no file
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute(f"PRAGMA journal_size_limit = {JOURNAL_LIMIT_BYTES}")
        connection.execute(f"PRAGMA query_only = {int(read_only)}")
        connection.set_trace_callback(tracer)
    except BaseException:
        connection.close()
        raise
    return connection


def is_damage(error: BaseException) -> bool:
    """Tell whether an error says that the file is not, or no longer, a sound database."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF in _DAMAGED
