"""Every due slot ends as exactly one row: random histories against a small model of slots.

The model knows a mark and the schedule. What a tick loses in a crash, a clock that is set
back, a pause, a reload: none of it may leave a slot without a row, or with two.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claw.master.engine import intents, services, slots, sync
from claw.master.engine.turn import Turn
from claw.model.job import CatchUp, Job, JobType, Overlap
from claw.model.run import Origin, Run, State
from claw.model.timing import Hours, Outside
from claw.schedule import fires
from tests.kit.chance import examples
from tests.kit.desk import BOOT, T0, Desk, job

HOUR = timedelta(hours=1)
FURTHEST_BACK = timedelta(hours=23)
SCHEDULES = (("0 * * * *",), ("*/20 * * * *", "@every 50m"), ("30 2,14 * * *",), ("@every 7m",))


class LostError(Exception):
    """The transaction is lost, as in a crash."""


class History:
    """An engine with one job, and beside it the slots that have to have a row by now."""

    def __init__(self, values: dict[str, object]) -> None:
        self.values = values
        self.expressions: tuple[str, ...] = SCHEDULES[0]
        self.desk = Desk(self._job())
        self.mark = T0
        self.wanted: list[datetime] = []

    def _job(self, **values: object) -> Job:
        every = {"schedule": self.expressions, **self.values, **values}
        return job("h", JobType.SCHEDULED, **every)

    def _note(self) -> None:
        """Take what was due since the mark as wanted."""
        schedule = fires.parse(self.expressions, "UTC")
        self.wanted += schedule.between(self.mark, self.desk.now, T0)
        self.mark = max(self.mark, self.desk.now)

    def tick(self, _by: int) -> None:
        self.desk.do(lambda turn: slots.tick(turn, ["h"]))

    def crash(self, _by: int) -> None:
        """Lose a tick, and begin anew."""

        def lost(turn: Turn) -> None:
            slots.tick(turn, ["h"])
            raise LostError

        with pytest.raises(LostError):
            self.desk.do(lost)
        self.restart(0)

    def restart(self, _by: int) -> None:
        self.desk.do(lambda turn: services.begin(turn, BOOT))
        self.desk.do(lambda turn: sync.sync(turn, start=False))

    def set_back(self, by: int) -> None:
        """Set the clock back, less than a day before the mark."""
        self._note()
        self.tick(0)
        self.desk.now = max(
            self.desk.now - timedelta(seconds=3 * by), self.mark - FURTHEST_BACK, T0
        )

    def reload(self, by: int) -> None:
        """Take in another schedule: up to now the former one holds."""
        self._note()
        former, self.expressions = self.expressions, SCHEDULES[by % len(SCHEDULES)]
        self.desk.set_config(self._job())
        begins = self.desk.standing("h").scheduled_through
        if self.expressions != former and begins is not None:
            self.mark = begins  # no row was due since, should the clock have been set back

    def disable(self, _by: int) -> None:
        self.desk.set_config(self._job(enabled=False))

    def enable(self, _by: int) -> None:
        self.desk.set_config(self._job())

    def pause(self, _by: int) -> None:
        self.desk.do(lambda turn: intents.pause_job(turn, "h", by="x"))

    def resume(self, _by: int) -> None:
        if self.desk.standing("h").paused_by:
            self.desk.do(lambda turn: intents.resume_job(turn, "h", by="x"))

    def stop(self, _by: int) -> None:
        self.desk.do(lambda turn: intents.stop_job(turn, "h", by="x"))

    def work(self, by: int) -> None:
        """Let go what may go; each run ends at once, some of them badly."""
        for claim in self.desk.dispatch():
            self.desk.end(self.desk.launch(claim), by % 2)

    def check(self) -> None:
        """Compare the rows with what is wanted."""
        self._note()
        self.tick(0)
        found: Counter[datetime] = Counter()
        for run in self.desk.runs("h"):
            if run.origin is Origin.SCHEDULE:
                found.update(self._slots_of(run))
        assert found == Counter(self.wanted)

    def _slots_of(self, run: Run) -> list[datetime]:
        assert run.slot_at is not None
        if run.slot_until is None:
            assert run.slot_count == 1
            return [run.slot_at]
        stretch = [slot for slot in self.wanted if run.slot_at <= slot <= run.slot_until]
        assert len(stretch) == run.slot_count
        return stretch


ACTS: tuple[Callable[[History, int], None], ...] = (
    History.tick, History.crash, History.restart, History.set_back, History.reload,
    History.disable, History.enable, History.pause, History.resume, History.stop,
    History.work,
)  # fmt: skip
NIGHT = Hours(begin=(22, 0), end=(13, 30))


@settings(max_examples=examples(120))
@given(
    st.lists(st.tuples(st.integers(0, 20000), st.sampled_from(ACTS)), max_size=16),
    st.fixed_dictionaries(
        {
            "catch_up": st.sampled_from(CatchUp),
            "catch_up_window_s": st.sampled_from([None, 0.0, 5000.0]),
            "jitter_s": st.sampled_from([0.0, 300.0, 7200.0]),
            "error_backoff": st.booleans(),
            "hours": st.sampled_from(
                [None, NIGHT, Hours(begin=(1, 0), end=(2, 0), outside=Outside.WAIT)]
            ),
            "on_overlap": st.sampled_from(Overlap),
        }
    ),
)
def test_i5_every_due_slot_has_exactly_one_row_whatever_happens(
    script: list[tuple[int, Callable[[History, int], None]]], values: dict[str, object]
) -> None:
    history = History(values)
    for seconds, act in script:
        history.desk.pass_s(seconds)
        act(history, seconds)
    history.desk.pass_s(5)
    history.check()


def _slots_with_a_row(desk: Desk) -> int:
    """Return how many slots the rows stand for; none may have two of its own."""
    own = [run.slot_at for run in desk.runs("h") if run.slot_until is None]
    assert len(set(own)) == len(own)
    return sum(run.slot_count for run in desk.runs("h"))


def _hourly(**values: object) -> Desk:
    return Desk(job("h", JobType.SCHEDULED, schedule=("0 * * * *",), **values))


def _look(desk: Desk) -> datetime | None:
    """Do what a ticker does that hears that the clock was set; return when it wakes next."""
    found = desk.database.view(lambda tx: slots.next_slots(tx, desk.config, desk.now))
    if found["h"] <= desk.now:
        return desk.do(lambda turn: slots.tick(turn, ["h"]))["h"]
    return found["h"]


def test_a_time_that_a_wrong_clock_passed_is_lived_again_with_one_row_for_each_slot() -> None:
    desk = _hourly(catch_up=CatchUp.NONE)
    desk.now = T0 + timedelta(days=400)
    _look(desk)
    assert [run.slot_count for run in desk.runs("h")][-1] == 9599
    desk.now = T0 + timedelta(minutes=30)
    assert _look(desk) == T0 + HOUR
    for hour in range(1, 30):
        desk.now = T0 + hour * HOUR
        assert _look(desk) == desk.now + HOUR
    ran = {run.slot_at for run in desk.runs("h", State.QUEUED)}
    # The first slot of the stretch is what its row is named by: it stays missed.
    assert {T0 + hour * HOUR for hour in range(2, 30)} <= ran
    assert _slots_with_a_row(desk) == 9600


def test_a_master_that_begins_by_a_clock_far_behind_runs_its_schedule_all_the_same() -> None:
    desk = _hourly(catch_up=CatchUp.NONE)
    for hour in (1, 2, 3):
        desk.now = T0 + hour * HOUR
        _look(desk)
    before = _slots_with_a_row(desk)
    desk.now = datetime(1970, 1, 1, 0, 30, tzinfo=T0.tzinfo)
    desk.do(lambda turn: services.begin(turn, BOOT))
    _look(desk)
    desk.now += timedelta(minutes=30)
    _look(desk)
    assert desk.runs("h", State.QUEUED)[0].slot_at is not None
    assert _slots_with_a_row(desk) == before + 1
    desk.now = T0 + 6 * HOUR  # the clock is right again
    _look(desk)
    rows = [run for run in desk.runs("h") if run.slot_at and run.slot_at > T0]
    assert sum(run.slot_count for run in rows) == 6


def test_intervals_go_on_by_a_clock_far_behind() -> None:
    desk = Desk(job("h", JobType.SCHEDULED, schedule=("@every 10m",)))
    desk.now = T0 - timedelta(days=3, minutes=5)
    _look(desk)
    for _ in range(3):
        desk.now += timedelta(minutes=10)
        _look(desk)
    assert len(desk.runs("h", State.QUEUED)) == 3


def test_a_clock_that_was_set_back_after_the_start_makes_no_slot_late() -> None:
    desk = _hourly(catch_up=CatchUp.NONE)
    desk.now = T0 + 3 * HOUR + timedelta(minutes=1)
    _look(desk)
    desk.do(lambda turn: services.begin(turn, BOOT))
    desk.now -= timedelta(days=2)
    _look(desk)
    desk.now = desk.now.replace(minute=0, second=0, microsecond=3000) + HOUR
    _look(desk)
    assert desk.runs("h", State.QUEUED)[0].cause == "start"


def test_a_schedule_that_is_changed_after_a_step_back_begins_where_the_last_one_ended() -> None:
    desk = _hourly(catch_up=CatchUp.NONE)
    desk.now = T0 + 3 * HOUR
    _look(desk)
    desk.now -= 2 * HOUR
    desk.set_config(job("h", JobType.SCHEDULED, schedule=("*/20 * * * *",)))
    desk.now = T0 + 3 * HOUR + timedelta(minutes=20)
    _look(desk)
    assert _slots_with_a_row(desk) == 4
    assert desk.runs("h")[0].slot_at == desk.now


def test_a_step_forwards_is_missed_time() -> None:
    desk = _hourly(catch_up=CatchUp.NONE)
    desk.now = T0 + timedelta(minutes=10)
    _look(desk)
    desk.now += timedelta(minutes=55)  # 13:05 at once
    assert _look(desk) == T0 + 2 * HOUR
    (row,) = desk.runs("h")
    assert (row.state, row.slot_at) == (State.MISSED, T0 + HOUR)
