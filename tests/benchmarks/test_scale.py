"""How cost grows with the number of scheduled jobs: -m benchmark -n 0 -s.

The engine, its agenda and a database on disk live through a day by a virtual clock; of the
processes there are only the journals that their supervisors would have written.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from claw.master.engine import consequences, dispatch, journal, slots
from claw.master.engine.dispatch import Claim
from claw.master.engine.turn import Turn
from claw.master.supervision.ticker import MOST_AT_ONCE
from claw.model.job import Daemon, Job, JobType
from claw.model.run import State
from claw.schedule.agenda import Agenda
from tests.kit.desk import T0, Desk, Journal, job

pytestmark = pytest.mark.benchmark
DAY = timedelta(days=1)
Times = dict[str, datetime | None]


def daily(number: int) -> Job:
    """Return a job that runs once a day, at a minute that no rule is needed to guess."""
    minute, hour = number % 60, number // 60 % 24
    return job(f"j{number:06d}", JobType.SCHEDULED, schedule=(f"{minute} {hour} * * *",))


class Day(Desk):
    """A desk with a ticker: what falls due at a time is decided in a few transactions."""

    def __init__(self, path: Path, count: int) -> None:
        jobs = tuple(daily(number) for number in range(count))
        super().__init__(*jobs, daemon=Daemon(max_parallel=count), path=str(path))
        self.effects.clear()
        self.agenda = Agenda()
        self.agenda.replace(
            self.database.view(lambda tx: slots.next_slots(tx, self.config, self.now))
        )
        self.fires = 0

    def pass_until(self, end: datetime) -> None:
        """Let all be done that is due until then, at its time."""
        while (at := self.agenda.earliest()) is not None and at <= end:
            self.now = at
            due = sorted(self.agenda.take_due(at, MOST_AT_ONCE))
            times, claims = self.do(partial(self._fall_due, names=due))
            self.agenda.update(times)
            self.do(partial(self._live, claims=claims))
            self.fires += len(claims)
            self.effects.clear()

    @staticmethod
    def _fall_due(turn: Turn, names: list[str]) -> tuple[Times, tuple[Claim, ...]]:
        """Write some slots and claim their runs: see `claw.master.supervision.pulse`."""
        times = slots.tick(turn, names)
        consequences.follow(turn)
        return times, dispatch.dispatch(turn)

    def _live(self, turn: Turn, claims: tuple[Claim, ...]) -> None:
        """Take in all that the journals of some runs are going to say."""
        for claim in claims:
            found = Journal(self, claim.sid)
            found.launch(claim)
            run = claim.run.id
            found.add("started", run=run, attempt=claim.attempt, pid=801, start=5)
            found.exit(claim.attempt)
            found.add("ended", run=run, attempt=claim.attempt, why="exit", by="")
            journal.apply_journal(turn, claim.sid, found.data, 0)


@dataclass(frozen=True)
class Cost:
    """What a day of so many jobs costs, in seconds."""

    jobs: int
    begin_s: float
    day_s: float
    fires: int

    @property
    def fire_ms(self) -> float:
        """Milliseconds for one fire."""
        return 1000 * self.day_s / self.fires


def live_through_a_day(path: Path, count: int) -> Cost:
    begun = time.perf_counter()
    day = Day(path, count)
    begin_s = time.perf_counter() - begun
    begun = time.perf_counter()
    day.pass_until(T0 + DAY)
    cost = Cost(count, begin_s, time.perf_counter() - begun, day.fires)
    rows = day.database.view(lambda tx: tx.active_counts())
    assert not rows
    assert day.fires == count
    assert all(run.state is State.SUCCEEDED for run in day.runs())
    return cost


def test_a_day_of_100_000_scheduled_jobs(tmp_path: Path) -> None:
    costs = [live_through_a_day(tmp_path / f"{n}.db", n) for n in (1000, 10_000, 100_000)]

    print()
    for cost in costs:
        print(
            f"{cost.jobs:7} jobs: {cost.begin_s:6.1f} s to begin, a day {cost.day_s:6.1f} s,"
            f" {cost.fire_ms:.2f} ms a fire"
        )
