"""What is found to be forgotten, and forgotten; part of `claw.store.records.Tx`."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from claw.model import ids
from claw.model.run import State
from claw.store import rows
from claw.store.statements import Statements


@dataclass(frozen=True, slots=True)
class Old:
    """A run that may be forgotten."""

    id: str
    job: str
    instance: int | None
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spared:
    """What is too young to be forgotten, whatever else is said.

    Attributes:
        settled: Runs that ended later: somebody may still look at their files.
        slots: Runs for later slots: by them it is known which slots have had their run.
    """

    settled: datetime
    slots: datetime


class PruningRows(Statements):
    """See the module. Nothing here touches an open run, a dead letter, or a job's last run."""

    def next_job_with_runs(self, after: str) -> str | None:
        """Return the first job after a name, in their order, that has runs."""
        row = self._one("next_job_with_runs", after=after)
        return None if row is None else row[0]

    def surplus_of(
        self, job: str, keep: int, spared: Spared, after: str, limit: int
    ) -> tuple[Old, ...]:
        """Return runs of a job that succeeded, beyond the newest ``keep``, oldest first."""
        found = self._do(
            "surplus_of",
            job=job,
            keep=keep,
            settled=rows.micros(spared.settled),
            slots=rows.micros(spared.slots),
            after=after,
            limit=limit,
        )
        return _olds(found)

    def jobs_with_surplus(
        self, after: str, keep: int, spared: Spared, limit: int
    ) -> tuple[str, list[str]]:
        """Look at some jobs: where to go on, ``''`` after the last; and those with surplus.

        Args:
            after: The job to go on after.
            keep: See `surplus_of`.
            spared: See `surplus_of`.
            limit: So many jobs are looked at.
        """
        found: list[str] = []
        for _ in range(limit):
            job = self.next_job_with_runs(after)
            if job is None:
                return "", found
            after = job
            if self.surplus_of(job, keep, spared, "", 1):
                found.append(job)
        return after, found

    def aged_in(
        self, state: State, before: datetime, spared: Spared, after: str, limit: int
    ) -> tuple[str, tuple[Old, ...]]:
        """Return where to go on, and those runs that ended in a state before a time.

        Those that succeeded only of jobs that are not defined any more, or never were. So
        many runs as the limit says are looked at, oldest first; ``''``: there are no more.
        """
        first = ids.run_id(int(before.timestamp() * 1000), bytes(10))
        row = self._one("aged_until", state=state, after=after, before=first, limit=limit)
        until = None if row is None else row[0]
        if until is None:
            return "", ()
        found = self._do(
            "aged_in",
            state=state,
            gone=int(state is State.SUCCEEDED),
            until=until,
            ended=rows.micros(min(before, spared.settled)),
            slots=rows.micros(spared.slots),
            after=after,
        )
        return until, _olds(found)

    def ended_of(self, job: str, after: str, until: str, limit: int) -> tuple[Old, ...]:
        """Return the runs of a job that are over, between two ids, oldest first."""
        return _olds(self._do("ended_of", job=job, after=after, until=until, limit=limit))

    def newest_run_of(self, job: str) -> str | None:
        """Return the id of a job's newest run."""
        row = self._one("newest_run_of", job=job)
        return None if row is None else row[0]

    def sids_of(self, run: str) -> tuple[str, ...]:
        """Return the supervisors whose last run that was."""
        return tuple(row["sid"] for row in self._do("sids_of", run=run))

    def delete_runs(self, runs: Iterable[str]) -> int:
        """Forget runs that are over, with all that belongs to them; return how many.

        Those that `is_needed` tells of stay.
        """
        return sum(
            self._do("delete_run", id=run).rowcount for run in runs if not self.is_needed(run)
        )

    def is_needed(self, run: str) -> bool:
        """Tell whether one that is not over may be told what a run has left.

        So may the steps of the run's workflow, and runs that follow it, alone or with others,
        or that its child has asked for; and where such a run is repeated, that repetition.
        """
        return self._one("needed_run", id=run) is not None

    def events_older_than(self, at: datetime, limit: int) -> int | None:
        """Return the cursor of the last of the oldest events that happened before a time."""
        found: int | None = None
        for row in self._do("first_events", limit=limit):
            if row["at"] >= rows.micros(at):
                break
            found = row["cursor"]
        return found

    def delete_events(self, through: int) -> int:
        """Forget the events up to a cursor, and return how many there were."""
        return self._do("delete_events", through=through).rowcount

    def delete_events_of(self, job: str, through: int, limit: int) -> int:
        """Forget events of a job up to a cursor, and return how many."""
        return self._do("delete_events_of", job=job, through=through, limit=limit).rowcount


def _olds(found: Iterable[sqlite3.Row]) -> tuple[Old, ...]:
    return tuple(Old(row["id"], row["job"], row["instance"], row["attempt"]) for row in found)
