"""Slots whose runs are armed end as one row each, and begin once: random histories.

What may come between the arming of a run and its begin comes in any order: the end of its wait,
its withdrawal, a pause, a stop, a reload, a restart of the master, a launch that never was, a
clock that is set. No child begins before its time, none begins twice, and no slot goes without
a row.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from claw.master.engine import arming, intents, journal, services, slots, sync
from claw.master.engine.dispatch import Claim
from claw.model.effect import StopRun, Withdraw
from claw.model.job import CatchUp, Job, JobType
from claw.model.run import Origin, State
from claw.schedule import fires
from tests.kit.chance import examples
from tests.kit.desk import BOOT, T0, Desk, Journal, job

EVERY = timedelta(minutes=1)
STEPS = (0.1, 0.5, 1.0, 5.0, 29.0, 61.0)


class History:
    """An engine with one job, and its supervisors, each of which waits, lives or is gone."""

    def __init__(self, catch_up: CatchUp) -> None:
        self._catch_up = catch_up
        self.desk = Desk(self._job(""))
        self.waiting: dict[str, Claim] = {}
        self.living: list[Journal] = []
        self.begun: Counter[datetime] = Counter()

    def _job(self, title: str) -> Job:
        schedule = ("* * * * *",)
        values = {"schedule": schedule, "catch_up": self._catch_up, "title": title}
        return job("h", JobType.SCHEDULED, **values)

    # -- the master -----------------------------------------------------------------------

    def arm(self, _by: int) -> None:
        until = self.desk.now + timedelta(seconds=2)
        for claim in self.desk.do(lambda turn: arming.arm(turn, ["h"], until)):
            assert claim.begin_at is not None
            self.waiting[claim.sid] = claim

    def tick(self, _by: int) -> None:
        self.desk.do(lambda turn: slots.tick(turn, ["h"]))
        for claim in self.desk.dispatch():
            assert claim.run.due_at <= self.desk.now
            self._begin(claim)

    def pause(self, _by: int) -> None:
        self.desk.do(lambda turn: intents.pause_job(turn, "h", by="x"))

    def stop(self, _by: int) -> None:
        self.desk.do(lambda turn: intents.stop_job(turn, "h", by="x"))

    def start(self, by: int) -> None:
        self.desk.do(lambda turn: intents.start_job(turn, "h", by="x", key=str(by)))

    def ask(self, by: int) -> None:
        standing = self.desk.standing("h")
        if standing.paused_by is None and standing.stopped_by is None:
            self.desk.ask("h", key=f"{by} {self.desk.now}")

    def reload(self, by: int) -> None:
        self.desk.set_config(self._job(str(by)))

    def restart(self, _by: int) -> None:
        self.desk.do(lambda turn: services.begin(turn, BOOT))
        self.desk.do(lambda turn: sync.sync(turn, start=False))

    def lose(self, _by: int) -> None:
        """Have a launch fail, or find that it never was."""
        if self.waiting:
            _sid, claim = self.waiting.popitem()
            run = claim.run.id
            self.desk.do(lambda turn: journal.launch_refused(turn, run, 1, "x", retryable=True))

    # -- the supervisors ------------------------------------------------------------------

    def hear(self, by: int) -> None:
        """Have some that wait hear what they were told to do."""
        told = [one for one in self.desk.effects if isinstance(one, Withdraw | StopRun)]
        self.desk.effects.clear()
        for effect in told[: 1 + by % 3]:
            if effect.sid in self.waiting:
                self._withdraw(self.waiting.pop(effect.sid))

    def come(self, _by: int) -> None:
        """Have those begin whose time has come."""
        for sid, claim in tuple(self.waiting.items()):
            if claim.begin_at is not None and claim.begin_at <= self.desk.now:
                self._begin(self.waiting.pop(sid))

    def end(self, by: int) -> None:
        for one in self.living:
            self.desk.end(one, by % 2)
        self.living.clear()

    def step(self, by: int) -> None:
        self.desk.pass_s(STEPS[by % len(STEPS)])

    def set_clock(self, by: int) -> None:
        """Set the clock, which all that wait notice."""
        self.desk.pass_s((-20.0, 20.0, 400.0)[by % 3])
        for claim in self.waiting.values():
            self._withdraw(claim)
        self.waiting.clear()

    def _begin(self, claim: Claim) -> None:
        if claim.run.slot_at is not None:
            self.begun[claim.run.slot_at] += 1
        self.living.append(self.desk.launch(claim))

    def _withdraw(self, claim: Claim) -> None:
        said = Journal(self.desk, claim.sid)
        said.add("withdrawn", run=claim.run.id, attempt=claim.attempt, why="test")
        self.desk.read(said)

    # -- the end --------------------------------------------------------------------------

    def check(self) -> None:
        """Have all come to rest, and look at what there is of each slot."""
        for claim in self.waiting.values():
            self._withdraw(claim)
        self.waiting.clear()
        for _ in range(3):
            self.end(0)
            self.tick(0)
        through = self.desk.standing("h").scheduled_through
        assert through is not None
        wanted = fires.parse(("* * * * *",), "UTC").between(T0, through, T0)
        rows: Counter[datetime] = Counter()
        for run in self.desk.runs("h"):
            if run.origin is Origin.SCHEDULE and run.slot_at is not None:
                rows.update(run.slot_at + number * EVERY for number in range(run.slot_count))
                assert run.state is not State.CLAIMED
        assert rows == Counter(wanted)
        assert max(self.begun.values(), default=1) == 1


ACTS: tuple[Callable[[History, int], None], ...] = (
    History.arm,
    History.tick,
    History.come,
    History.hear,
    History.step,
    History.step,
    History.end,
    History.pause,
    History.stop,
    History.start,
    History.ask,
    History.reload,
    History.restart,
    History.lose,
    History.set_clock,
)


@settings(max_examples=examples(150), deadline=None)
@given(
    st.sampled_from(CatchUp),
    st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 5)), max_size=40),
)
def test_i5_each_slot_has_one_row_and_begins_once(
    catch_up: CatchUp, acts: list[tuple[Callable[[History, int], None], int]]
) -> None:
    history = History(catch_up)
    history.desk.now = T0 + timedelta(seconds=59)
    history.arm(0)
    for act, by in acts:
        act(history, by)
    history.check()
