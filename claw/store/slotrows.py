"""The part of `claw.store.records.Tx` that is about slots and the times of jobs."""

import sqlite3
from datetime import datetime

from claw.model.run import Run
from claw.model.timing import Timing
from claw.store import rows
from claw.store.statements import Statements


class SlotRows(Statements):
    """What can be read and written of slots and of the times of jobs."""

    def timing(self, job: str) -> Timing:
        """Return what has come of a job's times."""
        found = self._ask("timing", job=job)
        return _timing_of_row(found[0]) if found else Timing(job=job)

    def timings(self) -> dict[str, Timing]:
        """Return what has come of the times of all jobs of which there is something to say."""
        return {row["job"]: _timing_of_row(row) for row in self._do("timings")}

    def put_timing(self, timing: Timing) -> None:
        """Store what has come of a job's times."""
        self._do(
            "put_timing",
            job=timing.job,
            errors=timing.errors,
            error_at=_micros(timing.error_at),
            again_through=_micros(timing.again_through),
            retire_at=_micros(timing.retire_at),
        )

    def delete_timing(self, job: str) -> None:
        """Forget the times of a job that is no longer defined."""
        self._do("delete_timing", job=job)

    def retiring(self, now: datetime) -> tuple[str, ...]:
        """Return the jobs whose time to go has come."""
        return tuple(row["job"] for row in self._do("retiring", now=rows.micros(now)))

    def next_retirement(self) -> datetime | None:
        """Return when the next job is to go."""
        [(found,)] = self._ask("next_retirement")
        return None if found is None else rows.instant(found)

    def stretch_over(self, job: str, slot: datetime) -> Run | None:
        """Return the row that stands for a slot among others."""
        row = self._one("stretch_over", job=job, at=rows.micros(slot))
        if row is None or row["slot_until"] < rows.micros(slot):
            return None
        return rows.RUNS.value(row)

    def set_slot_count(self, run: str, count: int) -> None:
        """Say for how many slots a row stands."""
        self._do("set_slot_count", id=run, count=count)

    def slot_before(self, job: str, at: datetime) -> Run | None:
        """Return the row of the newest slot that has one, at a time or before it."""
        row = self._one("slot_before", job=job, at=rows.micros(at))
        return None if row is None else rows.RUNS.value(row)

    def slot_after(self, job: str, at: datetime) -> Run | None:
        """Return the row of the first slot that has one after a time."""
        row = self._one("slot_after", job=job, at=rows.micros(at))
        return None if row is None else rows.RUNS.value(row)


def _micros(at: datetime | None) -> int | None:
    return None if at is None else rows.micros(at)


def _timing_of_row(row: sqlite3.Row) -> Timing:
    def instant(name: str) -> datetime | None:
        value: int | None = row[name]
        return None if value is None else rows.instant(value)

    return Timing(
        job=row["job"],
        errors=row["errors"],
        error_at=instant("error_at"),
        again_through=instant("again_through"),
        retire_at=instant("retire_at"),
    )
