"""The typed face of a transaction: model values in, model values out.

`Tx` is handed to every function that `Database.write` or `Database.read` runs; it decides
nothing. Within a reading transaction every change is refused by SQLite.
"""

import contextlib
import json
from collections.abc import Iterator
from datetime import datetime

from claw.model.event import Event
from claw.model.gates import InstanceStanding, Standing
from claw.model.ids import SHORT_LENGTH
from claw.model.rollout import Rollout
from claw.model.run import Attempt, Origin, Run, State, Supervisor
from claw.store import rows
from claw.store.approvalrows import ApprovalRows
from claw.store.deadletters import DeadLetterRows
from claw.store.happenings import HappeningRows, WatchedRows
from claw.store.layout import Value  # noqa: TC001
from claw.store.leavings import LeavingRows
from claw.store.ledgers import LedgerRows
from claw.store.lineagerows import LineageRows
from claw.store.lockrows import LockRows
from claw.store.outboxrows import OutboxRows
from claw.store.placerows import PlaceRows
from claw.store.pruning import PruningRows
from claw.store.queue import BatchRows, PoolRows, QueueRows
from claw.store.slarows import SlaRows
from claw.store.slotrows import SlotRows
from claw.store.tallyrows import TallyRows
from claw.store.transientrows import TransientRows
from claw.store.watching import WatchRows
from claw.store.workflowrows import WorkflowRows

_AFTER_ALL_IDS = "s"
"""Sorts after every run id."""


class Tx(
    ApprovalRows,
    BatchRows,
    DeadLetterRows,
    HappeningRows,
    LeavingRows,
    LedgerRows,
    LineageRows,
    LockRows,
    OutboxRows,
    PlaceRows,
    PoolRows,
    PruningRows,
    QueueRows,
    SlotRows,
    TransientRows,
    WatchRows,
    WatchedRows,
    SlaRows,
    TallyRows,
    WorkflowRows,
):
    """What can be read and written of the store; valid until its function returns."""

    @contextlib.contextmanager
    def part(self) -> Iterator[None]:
        """Take back what the block has changed, and nothing else, when it raises."""
        seen = len(self.events_appended)
        self.settle()
        self._connection.execute("SAVEPOINT part")
        try:
            yield
            self.settle()
        except BaseException:
            self.forget()
            del self.events_appended[seen:]
            if self._connection.in_transaction:  # a full disk takes back all of it by itself
                self._connection.execute("ROLLBACK TO part")
                self._connection.execute("RELEASE part")
            raise
        self._connection.execute("RELEASE part")

    def set_waiting_for(self, run: str, text: str | None) -> None:
        """Note which gate holds a queued run; the same text is not written again."""
        self._do("set_waiting_for", id=run, text=text)

    def run_by_origin(self, origin: Origin, origin_key: str) -> Run | None:
        """Return the one run of an origin key."""
        row = self._one("run_by_origin", origin=origin, origin_key=origin_key)
        return None if row is None else rows.RUNS.value(row)

    def runs_named(self, text: str) -> tuple[str, ...]:
        """Return up to two ids that begin or end with a text of six characters or more."""
        if len(text) < SHORT_LENGTH:
            return ()
        beginning = self._do("runs_beginning", low=text, high=text + "~")
        ending = self._do("runs_ending", tail=text[-SHORT_LENGTH:], length=len(text), text=text)
        return tuple(sorted({row["id"] for row in (*beginning, *ending)}))[:2]

    def active_runs(self, job: str | None = None) -> tuple[Run, ...]:
        """Return the claimed and running runs, of one job or all, oldest first."""
        if job is None:
            return self._runs("active_runs")
        found = [row[0] for row in self._do("active_runs_of", job=job)]  # mostly known
        return tuple(run for run in map(self.run, found) if run is not None)

    def armed_runs(self, now: datetime) -> tuple[Run, ...]:
        """Return the claimed runs that are not due yet, in order of due time."""
        return self._runs("armed_runs", now=rows.micros(now))

    def take_back_run(self, run: str) -> None:
        """Forget a claimed run of which nothing has begun, with its only attempt."""
        self._do("take_back_run", id=run)

    def begun_counts(self, now: datetime) -> dict[str, int]:
        """Return how many runs are claimed or running, but for those that are armed, by job."""
        counts = self.active_counts()
        for run in self.armed_runs(now):
            counts[run.job] -= 1
        return {job: count for job, count in counts.items() if count}

    def active_counts(self) -> dict[str, int]:
        """Return how many runs are claimed or running, by job."""
        return {row["job"]: row["count"] for row in self._do("active_counts")}

    def open_runs(self, job: str | None = None) -> tuple[Run, ...]:
        """Return the runs that are not final, of one job or all, in order of due time."""
        return self._runs("open_runs") if job is None else self._runs("open_runs_of", job=job)

    def telling_runs(self, job: str | None = None, most: int = 5) -> tuple[Run, ...]:
        """Return the open runs that tell how jobs are doing, in order of due time.

        Args:
            job: Of this one; None: of all.
            most: So many of each job's, and all that are active.
        """
        if job is None:
            return self._runs("telling_runs", most=most)
        return self._runs("telling_runs_of", job=job, most=most)

    def count_open(self) -> int:
        """Return how many runs are not final."""
        return self._number("count_open") or 0

    def last_runs(self) -> dict[str, Run]:
        """Return for each job the last run that began and ended."""
        return {run.job: run for run in self._runs("last_runs")}

    def last_success(self, job: str) -> Run | None:
        """Return the newest run of a job that ended well."""
        return next(iter(self._runs("last_success_of", job=job)), None)

    def runs_page(
        self,
        *,
        job: str | None = None,
        state: State | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> tuple[Run, ...]:
        """Return runs, newest first, before a run id."""
        query = "runs_page" + ("_of_job" if job else "") + ("_in_state" if state else "")
        values: dict[str, Value] = {"before": before or _AFTER_ALL_IDS, "limit": limit}
        if job:
            values["job"] = job
        if state:
            values["state"] = state
        return self._runs(query, **values)

    def put_attempt(self, attempt: Attempt) -> None:
        """Store an attempt, new or known."""
        self._hold(Attempt, (attempt.run, attempt.no), attempt)

    def attempt(self, run: str, no: int) -> Attempt | None:
        """Return one attempt of a run."""
        return self._by_key(Attempt, (run, no), "attempt", run=run, no=no)

    def attempts(self, run: str, limit: int = 100) -> tuple[Attempt, ...]:
        """Return a run's attempts, the last ``limit`` of them, in order."""
        found = self._do("attempts", run=run, limit=limit)
        return tuple(rows.ATTEMPTS.value(row) for row in found)[::-1]

    def live_attempts(self) -> dict[str, Attempt]:
        """Return the present attempt of each active run, by run."""
        found = map(rows.ATTEMPTS.value, self._do("live_attempts"))
        return {attempt.run: attempt for attempt in found}

    def delete_attempt(self, run: str, no: int) -> None:
        """Forget an attempt that was never launched."""
        self._do("delete_attempt", run=run, no=no)

    def put_supervisor(self, supervisor: Supervisor) -> None:
        """Store a supervisor, new or known."""
        self._hold(Supervisor, supervisor.sid, supervisor)

    def supervisor(self, sid: str) -> Supervisor | None:
        """Return the supervisor of that id."""
        return self._by_key(Supervisor, sid, "supervisor", sid=sid)

    def open_supervisors(self) -> tuple[Supervisor, ...]:
        """Return the supervisors whose journals are not settled, oldest first."""
        return tuple(rows.SUPERVISORS.value(row) for row in self._do("open_supervisors"))

    def delete_supervisor(self, sid: str) -> None:
        """Forget a supervisor that was never launched, or whose spool is gone."""
        self._do("delete_supervisor", sid=sid)

    def prunable_spools(self, older_than: datetime, limit: int = 1000) -> tuple[str, ...]:
        """Return the ids of supervisors that were settled before a time.

        Their folders may be removed, and after that their rows (`delete_supervisor`).
        """
        before = rows.micros(older_than)
        found = self._do("prunable_supervisors", before=before, limit=limit)
        return tuple(row["sid"] for row in found)

    def put_standing(self, standing: Standing) -> None:
        """Store a job's standing, new or known."""
        self._hold(Standing, standing.name, standing)

    def standing(self, job: str) -> Standing | None:
        """Return the standing of a job."""
        return self._by_key(Standing, job, "standing", name=job)

    def standings(self) -> dict[str, Standing]:
        """Return the standing of every job, by name."""
        return {row["name"]: rows.STANDINGS.value(row) for row in self._do("standings")}

    def delete_standing(self, job: str) -> None:
        """Forget the standing of a job that is no longer defined."""
        self._do("delete_standing", name=job)

    def put_instance(self, one: InstanceStanding) -> None:
        """Store what is known of one instance, new or known."""
        self._do("put_instance", **rows.row_of_instance(one))

    def instances(self, job: str | None = None) -> dict[tuple[str, int], InstanceStanding]:
        """Return what is known of the instances of one job or all, by job and number."""
        found = self._do("instances") if job is None else self._ask("instances_of", job=job)
        return {(row["job"], row["no"]): rows.instance_of_row(row) for row in found}

    def delete_instances(self, job: str) -> None:
        """Forget the instances of a job that is no longer defined."""
        self._do("delete_instances", job=job)

    def put_rollout(self, rollout: Rollout) -> None:
        """Store how far a rolling restart is."""
        self._do("put_rollout", **rows.row_of_rollout(rollout))

    def rollout(self, job: str) -> Rollout | None:
        """Return the rolling restart of a job, under way or failed."""
        return next(map(rows.rollout_of_row, self._ask("rollout", job=job)), None)

    def rollouts(self) -> dict[str, Rollout]:
        """Return all rolling restarts, by job."""
        return {row["job"]: rows.rollout_of_row(row) for row in self._do("rollouts")}

    def delete_rollout(self, job: str) -> None:
        """Forget the rolling restart of a job."""
        self._do("delete_rollout", job=job)

    def events(
        self,
        *,
        after: int = 0,
        limit: int = 500,
        job: str | None = None,
        run: str | None = None,
        kind: str | None = None,
    ) -> tuple[Event, ...]:
        """Return events in order from after a cursor on.

        Args:
            after: The cursor of the last event known; 0 for all.
            limit: At most so many.
            job: Only this job's.
            run: Only this run's; ``job`` is then not looked at.
            kind: Only types of this shell-style pattern, as ``run.*``.
        """
        bounds: dict[str, Value] = {"after": after, "limit": limit, "type": kind}
        if run is not None:
            found = self._do("events_of_run", run=run, **bounds)
        elif job is not None:
            found = self._do("events_of_job", job=job, **bounds)
        else:
            found = self._do("events", **bounds)
        return tuple(rows.EVENTS.value(row) for row in found)

    def events_before(self, *, job: str, at: datetime, limit: int) -> tuple[Event, ...]:
        """Return the last events of a job up to a time, in order."""
        found = self._do("events_of_job_before", job=job, at=rows.micros(at), limit=limit)
        return tuple(rows.EVENTS.value(row) for row in found)[::-1]

    def last_event(self, run: str, kind: str) -> Event | None:
        """Return a run's newest event of a type, given as a shell-style pattern."""
        row = self._one("last_event_of_run", run=run, type=kind)
        return None if row is None else rows.EVENTS.value(row)

    def last_cursor(self) -> int:
        """Return the cursor of the newest event; 0 when there is none."""
        return self._number("last_cursor") or 0

    def insert_request(self, request_id: str, method: str, reply: object, at: datetime) -> None:
        """Remember the answer to a request."""
        text = json.dumps(reply)
        self._do("insert_request", id=request_id, method=method, reply=text, at=rows.micros(at))

    def request(self, request_id: str) -> tuple[str, object, datetime] | None:
        """Return method, answer and time of a request that was answered before."""
        row = self._one("request", id=request_id)
        if row is None:
            return None
        return row["method"], json.loads(row["reply"]), rows.instant(row["at"])

    def forget_requests(self, before: datetime) -> None:
        """Forget requests that were answered before a time."""
        self._do("forget_requests", before=rows.micros(before))

    def meta(self, key: str) -> str | None:
        """Return a single value kept under a name."""
        return next((row["value"] for row in self._ask("meta", key=key)), None)

    def put_meta(self, key: str, value: str | None) -> None:
        """Keep a single value under a name; None forgets it."""
        if value is None:
            self._do("delete_meta", key=key)
        else:
            self._do("put_meta", key=key, value=value)

    def metas(self, low: str, high: str, limit: int = -1) -> tuple[tuple[str, str], ...]:
        """Return names from one up to another, with their values; -1: all, else the first."""
        found = self._do("metas", low=low, high=high, limit=limit)
        return tuple((row["key"], row["value"]) for row in found)

    def delete_metas(self, low: str, high: str) -> None:
        """Forget the values of all names from one up to another."""
        self._do("delete_metas", low=low, high=high)
