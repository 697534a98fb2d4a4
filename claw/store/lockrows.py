"""The rows of locks; part of `claw.store.records.Tx`."""

import sqlite3
from datetime import datetime

from claw.model.lock import Backend, Hold, Phase
from claw.store import rows
from claw.store.statements import Statements


class LockRows(Statements):
    """See the module."""

    def put_hold(self, hold: Hold) -> None:
        """Store what this master has of a lock, new or known."""
        self._do(
            "put_hold",
            name=hold.name,
            backend=hold.backend,
            phase=hold.phase,
            fence=hold.fence,
            run=hold.run,
            handle=hold.handle,
            since=_micros(hold.since),
            until=_micros(hold.until),
            seen=hold.seen,
        )

    def hold(self, name: str) -> Hold | None:
        """Return what this master has of a lock."""
        row = self._one("hold", name=name)
        return None if row is None else _hold(row)

    def hold_of(self, run: str) -> Hold | None:
        """Return the lock that a run has."""
        if not self._ask("holds"):
            return None
        return next((_hold(row) for row in self._do("hold_of", run=run)), None)

    def holds(self) -> tuple[Hold, ...]:
        """Return all locks that were ever had, by name."""
        return tuple(_hold(row) for row in self._ask("holds"))


def _micros(at: datetime | None) -> int | None:
    return None if at is None else rows.micros(at)


def _hold(row: sqlite3.Row) -> Hold:
    since, until = row["since"], row["until"]
    return Hold(
        name=row["name"],
        backend=Backend(row["backend"]),
        phase=Phase(row["phase"]),
        fence=row["fence"],
        run=row["run"],
        handle=row["handle"],
        since=None if since is None else rows.instant(since),
        until=None if until is None else rows.instant(until),
        seen=row["seen"],
    )
