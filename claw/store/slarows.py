"""The score of what is promised of jobs; a part of `claw.store.records.Tx`."""

from datetime import datetime

from claw.store import rows
from claw.store.statements import Statements


class SlaRows(Statements):
    """What can be read and written of scores."""

    def sla_mark(self, job: str) -> tuple[str, datetime, int] | None:
        """Return for which schedule a score counts, since when, and the failures in a row."""
        row = self._one("sla_mark", job=job)
        if row is None:
            return None
        return row["key"], rows.instant(row["since"]), row["in_a_row"]

    def put_sla_mark(self, job: str, key: str, since: datetime, in_a_row: int) -> None:
        """Store what a score counts from, and the failures in a row."""
        at = rows.micros(since)
        self._do("put_sla_mark", job=job, key=key, since=at, in_a_row=in_a_row)

    def add_tally(self, job: str, at: datetime, *, passes: int, fails: int) -> None:
        """Count runs of a quarter of an hour."""
        self._do("add_tally", job=job, at=rows.micros(at), passes=passes, fails=fails)

    def tallies(self, job: str, since: datetime) -> tuple[int, int]:
        """Return how many runs passed and failed since a time."""
        row = self._one("tallies", job=job, since=rows.micros(since))
        return (0, 0) if row is None else (row["passes"], row["fails"])

    def prune_tallies(self, job: str, before: datetime) -> None:
        """Forget what was counted before a time."""
        self._do("prune_tallies", job=job, before=rows.micros(before))

    def delete_sla(self, job: str) -> None:
        """Forget a job's score."""
        self._do("delete_sla_mark", job=job)
        self._do("delete_tallies", job=job)
