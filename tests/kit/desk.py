"""An engine on a real SQLite in memory, and supervisors that only write journals.

Time stands still until a test moves it. Every decision is one transaction, as in the master.
"""

import json
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from claw.master.engine import consequences, dispatch, intake, journal, services, sync
from claw.master.engine.dispatch import Claim
from claw.master.engine.intake import Ask
from claw.master.engine.turn import Turn
from claw.model.effect import Effect, StopRun
from claw.model.event import Event
from claw.model.evidence import NOTHING, Evidence, Evidences
from claw.model.gates import Standing
from claw.model.job import Config, Daemon, Job, JobType
from claw.model.run import Origin, Run, State
from claw.store.database import Database

T = TypeVar("T")
T0 = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
BOOT = "boot-1"


def job(name: str, type_: JobType = JobType.MANUAL, **values: object) -> Job:
    """Return a job's definition."""
    return Job(name=name, argv=("/bin/true",), type=type_, **values)  # type: ignore[arg-type]


def service(name: str, **values: object) -> Job:
    """Return the definition of a service that waits to be started."""
    return job(name, JobType.CONTINUOUS, **{"autostart": False, **values})


class Journal:
    """The journal of one supervisor, as bytes."""

    def __init__(self, desk: "Desk", sid: str) -> None:
        self._desk = desk
        self.sid = sid
        self.data = b""

    def add(self, ev: str, **values: object) -> None:
        """Append a line, without anyone reading it."""
        at = self._desk.now.timestamp()
        line = json.dumps({"ev": ev, "at": at, "b": at, **values})
        self.data += line.encode() + b"\n"

    def launch(self, claim: Claim, pid: int = 700) -> None:
        """Append the first line."""
        run = claim.run
        self.add(
            "launch",
            run=run.id,
            attempt=claim.attempt,
            job=run.job,
            instance=run.instance,
            cause=run.cause,
            origin=run.origin,
            origin_key=run.origin_key,
            slot=run.slot_at.isoformat() if run.slot_at else None,
            kind="service" if claim.job.type is JobType.CONTINUOUS else "once",
            boot=BOOT,
            pid=pid,
            start=1,
            version="1",
        )

    def exit(self, attempt: int, code: int | None = 0, signal: int | None = None) -> None:
        """Append an ``exited`` line."""
        self.add(
            "exited",
            run="",
            attempt=attempt,
            pid=801,
            code=code,
            signal=signal,
            timed_out=False,
            cpu_s=0.1,
            max_rss=4096,
            dropped=0,
        )


class Desk:
    """One master without processes."""

    def __init__(
        self,
        *jobs: Job,
        daemon: Daemon | None = None,
        pools: tuple[tuple[str, int], ...] = (),
        path: str = ":memory:",
    ) -> None:
        self.now = T0
        self.config = Config(jobs=jobs, daemon=daemon or Daemon(), pools=pools)
        self.database = Database.inline(T0, path)
        self.effects: list[Effect] = []
        self._ids = 0
        self.journals: dict[str, Journal] = {}
        self.do(lambda turn: services.begin(turn, BOOT))
        self.do(lambda turn: sync.sync(turn, start=False))
        self.do(services.autostart)

    def do(self, fn: Callable[[Turn], T]) -> T:
        """Make one decision; its effects are added to `effects`."""

        turns: list[Turn] = []

        def inside(tx: object) -> tuple[T, list[Effect]]:
            turn = Turn(tx, self.config, self.now, self._random)  # type: ignore[arg-type]
            turns.append(turn)
            found = fn(turn)
            consequences.follow(turn)
            return found, list(turn.effects)

        try:
            value, effects = self.database.transact(inside)
        except BaseException:
            for turn in turns:
                turn.take_back()
            raise
        self.effects += effects
        return value

    def _random(self, count: int) -> bytes:
        """Return bytes that make ids sort in the order in which they are made."""
        self._ids += 1
        return self._ids.to_bytes(count, "big")

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def set_config(
        self, *jobs: Job, daemon: Daemon | None = None, restart: Collection[str] = ()
    ) -> sync.Synced:
        """Reload."""
        old = self.config
        self.config = replace(old, jobs=jobs, daemon=daemon or old.daemon)
        return self.do(lambda turn: sync.sync(turn, old=old, restart=restart))

    def ask(self, name: str, key: str = "", **values: object) -> Run:
        """Ask for a run by hand, a microsecond after whatever was before."""
        self.now += timedelta(microseconds=1)
        key = key or f"request-{name}-{self.database.view(lambda tx: tx.last_cursor())}"
        ask = Ask(job=name, origin=Origin.MANUAL, key=key, by="tester", **values)  # type: ignore[arg-type]
        return self.do(lambda turn: intake.submit(turn, ask))

    def dispatch(self) -> tuple[Claim, ...]:
        """Let go what may go."""
        return self.do(dispatch.dispatch)

    def launch(self, claim: Claim) -> Journal:
        """Have a claim's supervisor and child begin."""
        found = Journal(self, claim.sid)
        self.journals[claim.sid] = found
        found.launch(claim)
        found.add("started", run=claim.run.id, attempt=claim.attempt, pid=801, start=5)
        self.read(found)
        return found

    def begin(self, name: str, **values: object) -> Journal:
        """Ask for a run, dispatch and launch it."""
        run = self.ask(name, **values)  # type: ignore[arg-type]
        (claim,) = [claim for claim in self.dispatch() if claim.run.id == run.id]
        return self.launch(claim)

    def read(
        self,
        found: Journal,
        offset: int | None = None,
        evidences: Evidences = journal.NO_EVIDENCE,
    ) -> int:
        """Take in a journal from what was taken in last, or from an earlier offset."""
        row = self.database.view(lambda tx: tx.supervisor(found.sid))
        start = (row.offset if row else 0) if offset is None else offset
        data = found.data[start:]
        return self.do(
            lambda turn: journal.apply_journal(turn, found.sid, data, start, evidences)
        )

    def end(
        self,
        found: Journal,
        code: int | None = 0,
        *,
        signal: int | None = None,
        why: str = "exit",
        evidence: Evidence = NOTHING,
    ) -> Run:
        """Have a child end and its supervisor be done; return the run."""
        run = self.run_of(found)
        found.exit(run.attempt, code, signal)
        found.add("ended", run=run.id, attempt=run.attempt, why=why, by="")
        self.read(found, evidences={(run.id, run.attempt): evidence})
        return self.run(run.id)

    def run(self, run_id: str) -> Run:
        """Return a run as it is stored."""
        found = self.database.view(lambda tx: tx.run(run_id))
        assert found is not None
        return found

    def run_of(self, found: Journal) -> Run:
        """Return the run of a supervisor."""
        row = self.database.view(lambda tx: tx.supervisor(found.sid))
        assert row is not None
        return self.run(row.run)

    def runs(self, name: str | None = None, state: State | None = None) -> tuple[Run, ...]:
        """Return stored runs, newest first."""
        return self.database.view(lambda tx: tx.runs_page(job=name, state=state, limit=1000))

    def standing(self, name: str) -> Standing:
        """Return a job's standing."""
        found = self.database.view(lambda tx: tx.standing(name))
        assert found is not None
        return found

    def events(self, run: str | None = None, job: str | None = None) -> tuple[Event, ...]:
        """Return stored events."""
        return self.database.view(lambda tx: tx.events(run=run, job=job, limit=10000))

    def moves(self, run: str) -> list[tuple[str | None, str | None]]:
        """Return a run's moves as its events tell them."""
        found = self.events(run=run)
        return [(event.old, event.new) for event in found if event.type.startswith("run.")]

    def stops(self) -> list[StopRun]:
        """Return the stops asked for so far, and forget them."""
        found = [effect for effect in self.effects if isinstance(effect, StopRun)]
        self.effects.clear()
        return found

    def dump(self) -> list[tuple[object, ...]]:
        """Return every row of the database that a journal can touch."""
        tables = ("runs", "attempts", "supervisors", "events", "jobs")
        connection = self.database._writer
        return [
            (table, *tuple(row))
            for table in tables
            for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2")
        ]


def a_run(**values: object) -> Run:
    """Return a run for tests of pure functions."""
    run = Run(
        id="r" + "0" * 26,
        job="j",
        state=State.QUEUED,
        origin=Origin.MANUAL,
        origin_key="k",
        queued_at=T0,
        due_at=T0,
    )
    return replace(run, **values)  # type: ignore[arg-type]
