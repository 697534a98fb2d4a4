"""The queue as the gates see it; part of `claw.store.records.Tx`.

Each waiting run that is due is marked with the gate that holds it, and of each job only the
first that would go with the capacity that it lacks. So a pass of the gates finds those that
may go at the front of an index, however many wait.
"""

from dataclasses import dataclass
from datetime import datetime

from claw.model.run import Priority, Run
from claw.store import rows
from claw.store.statements import Statements


@dataclass(frozen=True, slots=True)
class Head:
    """The first waiting run of a job, and the gate that it waits at."""

    gate: str
    priority: Priority
    due_at: datetime
    id: str
    job: str

    @property
    def key(self) -> tuple[Priority, datetime, str]:
        """What its place in the queue depends on."""
        return self.priority, self.due_at, self.id


class QueueRows(Statements):
    """See the module."""

    def fresh_jobs(self, now: datetime) -> tuple[str, ...]:
        """Return the jobs that have due runs nobody has looked at since something changed."""
        return tuple(row["job"] for row in self._do("fresh_jobs", now=rows.micros(now)))

    def jobs_at_gate(self, gate: str) -> tuple[str, ...]:
        """Return the jobs that have runs waiting at a gate."""
        return tuple(row["job"] for row in self._do("jobs_at_gate", gate=gate))

    def gates_with_runs(self) -> tuple[str, ...]:
        """Return the gates at which runs wait: one step for each."""
        found: list[str] = []
        gate = self._next_gate("")
        while gate is not None:
            found.append(gate)
            gate = self._next_gate(gate)
        return tuple(found)

    def _next_gate(self, after: str) -> str | None:
        found: tuple[str | None] = self._do("next_gate", after=after).fetchone()
        return found[0]

    def heads(self, gate: str, limit: int) -> tuple[Head, ...]:
        """Return the first runs at a gate, so many of each priority."""
        return tuple(
            Head(
                gate,
                Priority(row["priority"]),
                rows.instant(row["due_at"]),
                row["id"],
                row["job"],
            )
            for row in self._do("heads", gate=gate, limit=limit)
        )

    def due_runs(self, job: str, now: datetime, limit: int = -1) -> tuple[Run, ...]:
        """Return a job's queued runs that are due: of each priority the first, in order.

        Args:
            job: Whose.
            now: Due by then.
            limit: At most so many of each priority; -1: all.
        """
        return self._runs("due_runs", job=job, now=rows.micros(now), limit=limit)

    def forced_runs(self, job: str, now: datetime) -> tuple[Run, ...]:
        """Return a job's due runs that were asked for with ``--force``."""
        return self._runs("forced_runs", job=job, now=rows.micros(now))

    def count_due(self, job: str, now: datetime) -> int:
        """Return how many runs of a job wait and are due."""
        return self._number("count_due", job=job, now=rows.micros(now)) or 0

    def set_gate(self, run: str, gate: str, text: str) -> None:
        """Note which gate holds a queued run, and in words; the same is not written again."""
        self._do("set_gate", id=run, gate=gate, text=text)

    def settle_gates(self, now: datetime) -> None:
        """Have all due runs that were not looked at wait in the line of their job."""
        self._do("settle_gates", now=rows.micros(now))

    def look_again(self) -> None:
        """Have all waiting runs looked at in the next pass."""
        self._do("look_again")

    def next_due(self, now: datetime) -> datetime | None:
        """Return when the next run becomes due that is queued, or waits for a retry."""
        times = (
            self._number(name, now=rows.micros(now)) for name in ("next_due", "next_retry")
        )
        first = min((value for value in times if value is not None), default=None)
        return None if first is None else rows.instant(first)

    def due_retries(self, now: datetime, limit: int) -> tuple[Run, ...]:
        """Return the runs whose wait for another attempt is over, the earliest first."""
        return self._runs("due_retries", now=rows.micros(now), limit=limit)
