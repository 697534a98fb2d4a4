"""The queue as the gates see it; part of `claw.store.records.Tx`.

Each waiting run that is due is marked with the gate that holds it, and of each job only the
first that would go with the capacity that it lacks. So a pass of the gates finds those that
may go at the front of an index, however many wait.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from claw.model.ids import SHORT_LENGTH
from claw.model.run import Priority, Run, State
from claw.store import rows
from claw.store.layout import Row  # noqa: TC001
from claw.store.statements import Statements


@dataclass(frozen=True, slots=True)
class Head:
    """The place of a run that waits, and the gate that it waits at, '' if that is left out."""

    gate: str
    priority: Priority
    due_at: datetime
    id: str
    job: str

    @property
    def key(self) -> tuple[Priority, datetime, str]:
        """What its place in the queue depends on."""
        return self.priority, self.due_at, self.id


@dataclass(frozen=True, slots=True)
class Waiting:
    """The place of a run that waits, for its turn or for another attempt."""

    id: str
    job: str
    due_at: datetime
    state: State


def _head(gate: str, row: Mapping[str, Any]) -> Head:
    due_at = rows.instant(row["due_at"])
    return Head(gate, Priority(row["priority"]), due_at, row["id"], row["job"])


class QueueRows(Statements):
    """See the module."""

    def fresh_jobs(self, now: datetime) -> tuple[str, ...]:
        """Return the jobs that have due runs nobody has looked at since something changed."""
        return tuple(row["job"] for row in self._do("fresh_jobs", now=rows.micros(now)))

    def jobs_at_gate(self, gate: str) -> tuple[str, ...]:
        """Return the jobs that have runs waiting at a gate."""
        return tuple(row["job"] for row in self._do("jobs_at_gate", gate=gate))

    def gates_after(self, gate: str) -> tuple[str, ...]:
        """Return the gates behind one at which runs wait, but those that open by themselves.

        One step for each.
        """
        found: list[str] = []
        following = self._next_gate(gate)
        while following is not None:
            found.append(following)
            following = self._next_gate(following)
        return tuple(found)

    def _next_gate(self, after: str) -> str | None:
        found: tuple[str | None] = self._do("next_gate", after=after).fetchone()
        return found[0]

    def heads(self, gate: str, limit: int) -> tuple[Head, ...]:
        """Return the first runs at a gate, so many of each priority."""
        return tuple(_head(gate, row) for row in self._do("heads", gate=gate, limit=limit))

    def queued(self) -> tuple[Head, ...]:
        """Return the place of each queued run, those not due yet among them, in no order."""
        return tuple(_head("", row) for row in self._do("queued"))

    def waiting(self) -> tuple[Waiting, ...]:
        """Return what waits in the queue or for another attempt, the last one due first."""
        return tuple(
            Waiting(row["id"], row["job"], rows.instant(row["due_at"]), State(row["state"]))
            for row in self._do("waiting_places")
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

    def look_again(self, gate: str | None = None) -> int:
        """Have all waiting runs looked at in the next pass, or those at a gate.

        Returns:
            How many these are.
        """
        if gate is None:
            return self._do("look_again").rowcount
        return self._do("look_at_gate", gate=gate).rowcount

    def look_until(self, gate: str) -> int:
        """Have runs looked at that wait for a time, up to a gate; return how many."""
        return self._do("look_until", gate=gate).rowcount

    def first_gate(self, low: str, high: str) -> str | None:
        """Return the first gate between two, themselves among them, at which runs wait."""
        found: tuple[str | None] = self._do("first_gate", low=low, high=high).fetchone()
        return found[0]

    def next_due(self, now: datetime) -> datetime | None:
        """Return when the next run becomes due that is queued, or waits for a retry."""
        return rows.instant_or_none(self._number("next_due", now=rows.micros(now)))

    def due_retries(self, now: datetime, limit: int) -> tuple[Run, ...]:
        """Return the runs whose wait for another attempt is over, the earliest first."""
        return self._runs("due_retries", now=rows.micros(now), limit=limit)


class BatchRows(Statements):
    """Runs that belong together, and runs that ask for the same thing."""

    def run_like(self, job: str, key: str, since: datetime) -> Run | None:
        """Return the last run of a job that asked for the same thing since a time."""
        found = self._runs("run_like", job=job, key=key, since=rows.micros(since))
        return next(iter(found), None)

    def batch_counts(self, batch: str) -> dict[State, int]:
        """Return how many runs of a batch are in each state; empty: there is none."""
        found = self._do("batch_counts", batch=batch)
        return {State(row["state"]): row["count"] for row in found}

    def count_open_of(self, batch: str) -> int:
        """Return how many runs of a batch are not final."""
        return self._number("count_open_of", batch=batch) or 0

    def batch_runs(self, batch: str, state: State) -> tuple[Run, ...]:
        """Return the runs of a batch that are in a state, in order."""
        return self._runs("batch_runs", batch=batch, state=state)

    def runs_of_batch(
        self,
        batch: str,
        state: State | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> tuple[Run, ...]:
        """Return runs of a batch, or those in a state, newest first, before a run id."""
        bounds: Row = {"batch": batch, "before": before or "s", "limit": limit}
        return self._runs("runs_page_of_batch", state=state, **bounds)

    def batches_named(self, text: str) -> tuple[str, ...]:
        """Return up to two ids of batches that begin or end with a text of six or more."""
        if len(text) < SHORT_LENGTH:
            return ()
        beginning = self._do("batches_beginning", low=text, high=text + "~")
        tail = text[-SHORT_LENGTH:]
        ending = self._do("batches_ending", tail=tail, length=len(text), text=text)
        return tuple(sorted({row["batch"] for row in (*beginning, *ending)}))[:2]


@dataclass(frozen=True, slots=True)
class PoolOverride:
    """How many slots an operator wants a pool to have, and how many were configured then."""

    name: str
    slots: int
    configured: int
    by: str


class PoolRows(Statements):
    """What operators say of the queue and of pools."""

    def put_pool(self, override: PoolOverride) -> None:
        """Store how many slots a pool is to have."""
        self._do(
            "put_pool",
            name=override.name,
            slots=override.slots,
            configured=override.configured,
            by=override.by,
        )

    def delete_pool(self, name: str) -> None:
        """Let a pool have what is configured."""
        self._do("delete_pool", name=name)

    def pool_overrides(self) -> dict[str, PoolOverride]:
        """Return what was said of pools, by name."""
        return {
            row["name"]: PoolOverride(row["name"], row["slots"], row["configured"], row["by"])
            for row in self._ask("pools")
        }

    def put_pause(self, what: str, by: str, at: datetime) -> bool:
        """Hold back ``all``, ``job NAME`` or ``pool NAME``; False when it is already."""
        return self._do("put_pause", what=what, by=by, at=rows.micros(at)).rowcount == 1

    def delete_pause(self, what: str) -> bool:
        """Hold it back no more; False when it was not."""
        return self._do("delete_pause", what=what).rowcount == 1

    def pauses(self) -> dict[str, str]:
        """Return what is held back, and by whom."""
        return {row["what"]: row["by"] for row in self._ask("pauses")}

    def count_queued(self, job: str) -> int:
        """Return how many runs of a job wait; those not due yet among them."""
        return self._number("count_queued", job=job) or 0

    def queued_counts(self) -> dict[str, int]:
        """Return how many runs wait, by job; those not due yet among them."""
        return {row["job"]: row["count"] for row in self._do("queued_counts")}
