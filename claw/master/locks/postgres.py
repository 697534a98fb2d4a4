"""Locks in PostgreSQL: one row for each, judged by the server's clock.

The fencing number comes from a sequence, and is greater than that of the row in any case; it
is taken while the row is locked, so that it grows in the order of the grants. psycopg is an
extra: ``pip install 'claw[postgres]'``.
"""

import importlib
from functools import partial
from typing import Any

import trio

from claw.kernel import clock
from claw.master.locks.backend import Holder, LockTroubleError
from claw.model.lock import Claimant, Grant, Locks

_PATIENCE_S = 3
_HANDLE_BYTES = 12
_THREADS = 4

_MAKE = """
SELECT pg_advisory_xact_lock(hashtext('{table}'));  -- two that make it at once collide
CREATE TABLE IF NOT EXISTS {table} (
    name   text PRIMARY KEY,
    owner  text,
    host   text,
    run    text,
    handle text,
    fence  bigint NOT NULL,
    until  timestamptz
);
CREATE SEQUENCE IF NOT EXISTS {table}_fence;
"""
_TAKE = """
INSERT INTO {table} AS held (name, owner, host, run, handle, fence, until)
VALUES (%(name)s, %(owner)s, %(host)s, %(run)s, %(handle)s, nextval('{table}_fence'),
        clock_timestamp() + make_interval(secs => %(lease_s)s))
ON CONFLICT (name) DO UPDATE SET
    owner = excluded.owner, host = excluded.host, run = excluded.run, handle = excluded.handle,
    fence = greatest(held.fence + 1, nextval('{table}_fence')),
    until = clock_timestamp() + make_interval(secs => %(lease_s)s)
WHERE held.owner IS NULL OR held.owner = excluded.owner OR held.until < clock_timestamp()
RETURNING fence
"""
_RENEW = """
UPDATE {table} SET run = %(run)s, until = clock_timestamp() + make_interval(secs => %(lease_s)s)
WHERE name = %(name)s AND handle = %(handle)s RETURNING fence
"""
_RELEASE = """
UPDATE {table} SET owner = NULL, handle = NULL WHERE name = %(name)s AND handle = %(handle)s
"""
_LOOK = """
SELECT owner, host, run, fence, until FROM {table}
WHERE name = %(name)s AND owner IS NOT NULL AND until >= clock_timestamp()
"""
_TAKE_AWAY = "UPDATE {table} SET owner = NULL, handle = NULL WHERE name = %(name)s"

Rows = list[tuple[Any, ...]]


class Postgres:
    """The `Backend` in PostgreSQL."""

    def __init__(self, settings: Locks) -> None:
        """Take where it is; nothing is asked yet.

        Raises:
            LockTroubleError: psycopg is not installed.
        """
        try:
            self._psycopg = importlib.import_module("psycopg")
        except ImportError as error:
            raise LockTroubleError(
                "psycopg is not installed: pip install 'claw[postgres]'"
            ) from error
        self._dsn = settings.dsn
        self._table = settings.table
        self._is_made = False
        self._threads = trio.CapacityLimiter(_THREADS)

    async def acquire(self, name: str, claimant: Claimant) -> Grant | Holder:
        """See `Backend`."""
        handle = clock.random(_HANDLE_BYTES).hex()
        given = {
            "owner": claimant.owner,
            "host": claimant.host,
            "run": claimant.run,
            "lease_s": claimant.lease_s,
        }
        granted = await self._do(_TAKE, name=name, handle=handle, **given)
        if granted:
            return Grant(granted[0][0], handle)
        holder = await self.look(name)
        if holder is None:
            raise LockTroubleError("it changes hands just now")
        return holder

    async def renew(self, name: str, claimant: Claimant, grant: Grant) -> bool:
        """See `Backend`."""
        given = {"run": claimant.run, "lease_s": claimant.lease_s}
        return bool(await self._do(_RENEW, name=name, handle=grant.handle, **given))

    async def release(self, name: str, grant: Grant) -> None:
        """See `Backend`."""
        await self._do(_RELEASE, name=name, handle=grant.handle)

    async def look(self, name: str) -> Holder | None:
        """See `Backend`."""
        found = await self._do(_LOOK, name=name)
        if not found:
            return None
        owner, host, run, fence, until = found[0]
        return Holder(owner=owner, host=host, run=run, fence=fence, until=until)

    async def take_away(self, name: str) -> Holder | None:
        """See `Backend`."""
        holder = await self.look(name)
        await self._do(_TAKE_AWAY, name=name)
        return holder

    async def _do(self, statement: str, **values: object) -> Rows:
        """Run a statement in a thread, and return its rows.

        Raises:
            LockTroubleError: It failed, or the server cannot be reached.
        """
        run = partial(self._run, statement.format(table=self._table), values)
        found: Rows = await trio.to_thread.run_sync(
            run, abandon_on_cancel=True, limiter=self._threads
        )
        return found

    def _run(self, statement: str, values: dict[str, object]) -> Rows:
        """Run a statement over a connection of its own: one that hangs hangs no other."""
        try:
            with self._connect() as connection, connection.cursor() as cursor:
                cursor.execute(statement, values)
                return list(cursor.fetchall()) if cursor.description else []
        except self._psycopg.Error as error:
            words = str(error).strip().partition("\n")[0]
            raise LockTroubleError(words or type(error).__name__) from error

    def _connect(self) -> Any:
        connection = self._psycopg.connect(
            self._dsn, autocommit=True, connect_timeout=_PATIENCE_S
        )
        try:
            connection.execute(f"SET statement_timeout = '{_PATIENCE_S}s'")
            if not self._is_made:
                connection.execute(_MAKE.format(table=self._table))
                self._is_made = True
        except BaseException:
            connection.close()
            raise
        return connection
