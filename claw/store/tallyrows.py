"""Events, counted; a part of `claw.store.records.Tx`."""

import sqlite3

from claw.model.tally import OTHERS, Tally
from claw.store import rows
from claw.store.statements import Statements

_MICROS = 1_000_000


class TallyRows(Statements):
    """What can be read and written of counts."""

    def events_counted(self, after: int, through: int) -> tuple[Tally, ...]:
        """Return how often what happened between two cursors; the second is included."""
        found = self._do("events_counted", after=after, through=through)
        return tuple(map(_tally_of, found))

    def add_event_tally(self, more: Tally) -> None:
        """Add to what is counted of a job's events of a type."""
        self._do(
            "add_event_tally",
            job=more.job,
            type=more.type,
            count=more.count,
            last_at=rows.micros(more.last_at),
            timed=more.timed,
            micros=round(more.seconds * _MICROS),
        )

    def event_tallies(self) -> tuple[Tally, ...]:
        """Return all that is counted."""
        return tuple(map(_tally_of, self._do("event_tallies")))


def _tally_of(row: sqlite3.Row) -> Tally:
    return Tally(
        job=row["job"] or OTHERS,
        type=row["type"],
        count=row["count"],
        last_at=rows.instant(row["last_at"]),
        timed=row["timed"],
        seconds=row["micros"] / _MICROS,
    )
