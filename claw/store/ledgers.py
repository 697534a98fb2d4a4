"""The rows of the idempotency ledger; part of `claw.store.records.Tx`."""

import sqlite3
from datetime import datetime

from claw.model.idem import Entry
from claw.store import rows
from claw.store.statements import Statements


class LedgerRows(Statements):
    """See the module."""

    def put_idem(self, entry: Entry) -> None:
        """Store what the ledger says of a key, new or known."""
        self._do(
            "put_idem",
            key=entry.key,
            run=entry.run,
            by=entry.by,
            at=rows.micros(entry.at),
            done_at=None if entry.done_at is None else rows.micros(entry.done_at),
            expires_at=rows.micros(entry.expires_at),
        )

    def idem(self, key: str) -> Entry | None:
        """Return what the ledger says of a key, expired or not."""
        row = self._one("idem", key=key)
        return None if row is None else _entry(row)

    def idem_page(self, after: str, limit: int) -> tuple[Entry, ...]:
        """Return entries in the order of their keys, from after one on."""
        return tuple(_entry(row) for row in self._do("idem_page", after=after, limit=limit))

    def delete_idem(self, key: str) -> None:
        """Forget a key."""
        self._do("delete_idem", key=key)

    def finish_idem(self, run: str, at: datetime) -> None:
        """Note that what a run has claimed is done."""
        if self._ask("keyed_run"):
            self._do("finish_idem", run=run, at=rows.micros(at))

    def release_idem(self, run: str) -> None:
        """Forget what a run has claimed and not done."""
        if self._ask("keyed_run"):
            self._do("release_idem", run=run)

    def forget_idem_of(self, job: str, until: str) -> int:
        """Forget the keys of a job's runs that are over, up to one; return how many."""
        return self._do("forget_idem_of", job=job, until=until).rowcount

    def prune_idem(self, now: datetime, limit: int) -> int:
        """Forget keys that have expired, so many at most, and return how many."""
        return self._do("prune_idem", now=rows.micros(now), limit=limit).rowcount


def _entry(row: sqlite3.Row) -> Entry:
    done_at = row["done_at"]
    return Entry(
        key=row["key"],
        run=row["run"],
        by=row["by"],
        at=rows.instant(row["at"]),
        done_at=None if done_at is None else rows.instant(done_at),
        expires_at=rows.instant(row["expires_at"]),
    )
