"""The one sleeper: it wakes for the next slot, and anew when the clock is set.

No test may set the clock of the machine. What the kernel would say of it is played: the
alarm rings, and claw is told another time.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trio

from claw.kernel import alarm, clock
from claw.master.asyncstore import AsyncStore
from claw.master.decider import Decider
from claw.master.engine import services, slots
from claw.master.engine.sync import sync
from claw.master.engine.turn import Turn
from claw.master.supervision import ticker
from claw.master.supervision.ticker import Ticker
from claw.model.effect import Effect
from claw.model.job import CatchUp, Config, Job, JobType
from claw.model.run import Run, State
from claw.store.damage import open_or_rebuild

PATIENCE_S = 30.0
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class PlayedClock:
    """A wall clock that a test can set; the alarm rings by it, as the kernel's does."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._offset = timedelta(0)
        self._was_set = False
        self._fds: list[int] = []
        self._open, self._set, self._take = (
            alarm.open_alarm, alarm.set_alarm, alarm.take_ring,
        )  # fmt: skip
        patch.setattr(clock, "now", self.now)
        patch.setattr(alarm, "open_alarm", self.open_alarm)
        patch.setattr(alarm, "set_alarm", self.set_alarm)
        patch.setattr(alarm, "take_ring", self.take_ring)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def open_alarm(self) -> int:
        self._fds.append(self._open())
        return self._fds[-1]

    def set_alarm(self, fd: int, at: float | None) -> None:
        away_s = self._offset.total_seconds()
        self._set(fd, 0.001 if self._was_set else at and at - away_s)

    def take_ring(self, fd: int) -> bool:
        self._take(fd)
        was_set, self._was_set = self._was_set, False
        return was_set

    def set_to(self, at: datetime) -> None:
        """Set the clock."""
        self._offset = at - datetime.now(UTC)
        self._was_set = True
        for fd in self._fds:
            self._set(fd, 0.001)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> PlayedClock:
    """A clock that shows five past some hour."""
    made = PlayedClock(monkeypatch)
    made.set_to(datetime(2026, 3, 2, 12, 5, tzinfo=UTC))
    return made


@pytest.fixture
def store(tmp_path: Path, played: PlayedClock) -> Iterator[AsyncStore]:
    """A store in a file."""
    database = open_or_rebuild(str(tmp_path / "claw.db"), played.now()).database
    yield AsyncStore(database)
    database.close()


class Ticking:
    """A ticker at work on one hourly job."""

    def __init__(self, store: AsyncStore, *names: str) -> None:
        jobs = tuple(
            Job(
                name=name,
                argv=("/bin/true",),
                type=JobType.SCHEDULED,
                schedule=("0 * * * *",),
                catch_up=CatchUp.ALL,
            )
            for name in names or ("h",)
        )
        config = Config(jobs=jobs)
        self.store = store
        self.decide = Decider(store, lambda: config, self._perform)
        self.ticker = Ticker(store, self.decide, self.decide)
        self.looks = 0
        self.ticker.on_run_due = self._note

    async def _perform(self, _effects: Sequence[Effect]) -> None:
        """Nothing is dispatched here."""

    def _note(self) -> None:
        self.looks += 1

    async def rows(self, count: int) -> tuple[Run, ...]:
        """Wait for so many rows, newest first."""
        while True:
            found = await self.store.read(lambda tx: tx.runs_page(job="h"))
            if len(found) >= count:
                return found
            await trio.sleep(0.01)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait for something."""
        while True:
            if is_so():
                return
            await trio.sleep(0.01)

    def next_is(self, at: datetime) -> Callable[[], bool]:
        """Return what tells whether the ticker sleeps until a slot."""
        return lambda: self.ticker.next_at("h") == at


def test_a_clock_that_is_set_is_noticed_at_once_both_ways(
    played: PlayedClock, store: AsyncStore
) -> None:
    noon = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

    async def main() -> None:
        ticking = Ticking(store)
        await ticking.decide(lambda turn: services.begin(turn, "boot"))
        await ticking.decide(lambda turn: sync(turn, start=False))
        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ticking.ticker.serve)
                await ticking.until(ticking.next_is(noon + HOUR))

                played.set_to(noon + HOUR + 30 * MINUTE)
                (row,) = await ticking.rows(1)
                assert (row.slot_at, row.state) == (noon + HOUR, State.QUEUED)
                await ticking.until(ticking.next_is(noon + 2 * HOUR))

                looks = ticking.looks
                played.set_to(noon + 20 * MINUTE)  # 13:00 comes again, and is over
                await ticking.until(lambda: ticking.looks > looks)
                played.set_to(noon + HOUR + 10 * MINUTE)
                await ticking.until(lambda: ticking.looks > looks + 1)
                assert len(await ticking.rows(1)) == 1
                assert ticking.ticker.next_at("h") == noon + 2 * HOUR

                played.set_to(noon + 2 * HOUR)
                rows = await ticking.rows(2)
                assert [run.slot_at for run in rows] == [noon + 2 * HOUR, noon + HOUR]
                nursery.cancel_scope.cancel()

    trio.run(main)


def test_it_wakes_for_the_next_slot(played: PlayedClock, store: AsyncStore) -> None:
    async def main() -> None:
        ticking = Ticking(store)
        played.set_to(datetime(2026, 3, 2, 12, 59, 59, tzinfo=UTC))
        await ticking.decide(lambda turn: services.begin(turn, "boot"))
        await ticking.decide(lambda turn: sync(turn, start=False))
        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ticking.ticker.serve)
                (row,) = await ticking.rows(1)
                assert row.slot_at == datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
                nursery.cancel_scope.cancel()

    trio.run(main)


def test_many_that_are_due_at_once_get_their_rows_in_several_decisions(
    played: PlayedClock, store: AsyncStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"j{no:02}" for no in range(25)]
    decisions: list[list[str]] = []
    tick = slots.tick

    def noted(turn: Turn, due: Iterable[str]) -> dict[str, datetime | None]:
        decisions.append(list(due))
        return tick(turn, decisions[-1])

    monkeypatch.setattr(slots, "tick", noted)
    monkeypatch.setattr(ticker, "MOST_AT_ONCE", 10)

    async def main() -> None:
        ticking = Ticking(store, *names)
        await ticking.decide(lambda turn: services.begin(turn, "boot"))
        await ticking.decide(lambda turn: sync(turn, start=False))
        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ticking.ticker.serve)
                await ticking.until(lambda: ticking.ticker.next_at("j24") is not None)
                played.set_to(datetime(2026, 3, 2, 13, 0, tzinfo=UTC))
                await ticking.until(lambda: len(decisions) >= 3)
                nursery.cancel_scope.cancel()

    trio.run(main)

    assert decisions == [names[:10], names[10:20], names[20:]]


def test_nothing_is_armed_while_nobody_would_wait_for_its_time(
    played: PlayedClock, store: AsyncStore
) -> None:
    slot = datetime(2026, 3, 2, 13, 0, tzinfo=UTC)
    armed: list[object] = []

    async def main() -> None:
        ticking = Ticking(store, "h", "i", "j", "k", "l")
        ticking.ticker.may_arm = lambda: False
        ticking.ticker.on_armed = armed.append
        await ticking.decide(lambda turn: services.begin(turn, "boot"))
        await ticking.decide(lambda turn: sync(turn, start=False))
        with trio.fail_after(PATIENCE_S):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(ticking.ticker.serve)
                await ticking.until(ticking.next_is(slot))
                played.set_to(slot - timedelta(seconds=1))
                (row,) = await ticking.rows(1)
                assert (row.slot_at, row.state) == (slot, State.QUEUED)
                nursery.cancel_scope.cancel()

    trio.run(main)

    assert armed == []
