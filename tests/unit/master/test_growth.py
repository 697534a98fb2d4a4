"""What journals have grown by is read for a decision, or by who follows the supervisor."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from claw.errors import StoreError
from claw.master.engine.turn import Turn
from claw.master.supervision.evidence import Evidencing
from claw.master.supervision.growth import Growth, Supervised
from claw.master.supervision.pulse import Pulse
from claw.model.home import Home, at_folder
from claw.model.job import Config
from claw.model.redact import Redactor
from claw.model.run import State
from tests.kit.desk import Desk, Journal, job

PATIENCE_S = 30.0
LONG_BYTES = 1 << 16
NOTE = 1000


class Bench:
    """A desk with journals on disk, and all that takes them in."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.desk = Desk(job("a", max_instances=8))
        self.count = 0
        self.errors: list[Exception] = []
        self.pulse = Pulse(self._decide)  # type: ignore[arg-type]
        self.growth = Growth(home, self.evidencing)
        self.pulse.grown = self.growth.take

    @property
    def evidencing(self) -> Evidencing:
        nothing: Any = None
        return Evidencing(
            self.home,
            Config,
            nothing,
            self.pulse.apply,
            nothing,
            Redactor(),
        )

    async def _decide(self, decide: Callable[[Turn], Any]) -> Any:
        await trio.lowlevel.checkpoint()
        self.count += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.desk.do(decide)

    def ended(self, *, notes: int = 0) -> Journal:
        """Return a journal on disk that holds the end of a run."""
        found = self.desk.begin("a")
        for _ in range(notes):
            found.add("note", run="", attempt=1, text="x" * NOTE)
        found.exit(1, 0)
        found.add("ended", run="", attempt=1, why="exit", by="")
        self.write(found)
        return found

    def write(self, journal: Journal, end: int | None = None) -> None:
        folder = Path(self.home.spool) / journal.sid
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "journal").write_bytes(journal.data[:end])

    def state(self, journal: Journal) -> State:
        return self.desk.run_of(journal).state


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(at_folder(str(tmp_path)))


async def grow(bench: Bench, *ones: Supervised) -> None:
    """Have it said of some that their journals have grown, and see what comes of it."""
    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bench.growth.serve, bench.pulse)
            for one in ones:
                bench.growth.note(one)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()


async def test_what_several_have_written_is_one_decision(bench: Bench) -> None:
    journals = [bench.ended() for _ in range(4)]
    ones = [Supervised(one.sid, 0) for one in journals]

    await grow(bench, *ones)

    assert bench.count == 1
    assert [one.offset for one in ones] == [len(journal.data) for journal in journals]
    assert {bench.state(one) for one in journals} == {State.SUCCEEDED}
    assert not any(one.is_left for one in ones)


async def test_what_has_been_read_already_is_no_decision(bench: Bench) -> None:
    journal = bench.ended()
    one = Supervised(journal.sid, 0)
    await grow(bench, one)

    bench.growth.note(one, len(journal.data))
    await grow(bench)

    assert bench.count == 1


async def test_half_a_line_waits_for_its_rest(bench: Bench) -> None:
    journal = bench.ended()
    bench.write(journal, -1)
    one = Supervised(journal.sid, 0)
    await grow(bench, one)
    assert bench.state(journal) is State.RUNNING

    bench.write(journal)
    await grow(bench, one)

    assert bench.state(journal) is State.SUCCEEDED
    assert one.offset == len(journal.data)


async def test_a_long_journal_is_left_to_who_follows_it_and_holds_up_no_other(
    bench: Bench,
) -> None:
    long, short = bench.ended(notes=LONG_BYTES // NOTE), bench.ended()
    first, second = Supervised(long.sid, 0), Supervised(short.sid, 0)

    await grow(bench, first, second)

    assert (first.is_left, first.wake.is_set(), first.offset) == (True, True, 0)
    assert bench.state(short) is State.SUCCEEDED
    await bench.growth.drain(first)
    assert bench.state(long) is State.SUCCEEDED
    assert first.offset == len(long.data)


async def test_a_journal_that_cannot_be_read_is_left_to_who_follows_it(bench: Bench) -> None:
    journals = [bench.ended() for _ in range(2)]
    path = Path(bench.home.spool) / journals[0].sid / "journal"
    path.unlink()
    path.mkdir()
    ones = [Supervised(one.sid, 0) for one in journals]

    await grow(bench, *ones)

    assert [one.is_left for one in ones] == [True, False]
    assert bench.state(journals[1]) is State.SUCCEEDED


@pytest.mark.parametrize("error", [StoreError("no room"), ZeroDivisionError()])
async def test_what_could_not_be_taken_in_is_taken_in_by_who_follows_it(
    bench: Bench, error: Exception
) -> None:
    journal = bench.ended()
    one = Supervised(journal.sid, 0)
    bench.errors = [error, error]

    await grow(bench, one)

    assert (one.is_left, one.offset, bench.state(journal)) == (True, 0, State.RUNNING)
    await bench.growth.drain(one)
    assert bench.state(journal) is State.SUCCEEDED


async def test_a_mistake_with_one_journal_keeps_no_other_from_being_taken_in(
    bench: Bench,
) -> None:
    journals = [bench.ended() for _ in range(3)]
    ones = [Supervised(one.sid, 0) for one in journals]
    ones[1].offset = len(journals[1].data) - 1  # which the database has not reached

    await grow(bench, *ones)

    assert [one.is_left for one in ones] == [False, True, False]
    states = [bench.state(one) for one in journals]
    assert states == [State.SUCCEEDED, State.RUNNING, State.SUCCEEDED]


async def test_what_somebody_reads_is_read_by_nobody_else_and_what_comes_then_is_not_lost(
    bench: Bench,
) -> None:
    journal = bench.ended()
    one = Supervised(journal.sid, 0)
    async with one.reading:
        await grow(bench, one)
        assert bench.count == 0

    async with trio.open_nursery() as nursery:
        nursery.start_soon(bench.growth.serve, bench.pulse)
        bench.write(journal, 0)
        await bench.growth.drain(one)
        bench.write(journal)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    assert bench.state(journal) is State.SUCCEEDED


async def test_what_there_is_no_room_for_is_in_the_next_decision(bench: Bench) -> None:
    journals = [bench.ended() for _ in range(2)]
    for one in journals:
        bench.growth.note(Supervised(one.sid, 0))

    assert [piece.sid for piece in bench.growth.take(1)] == [journals[0].sid]
    assert [piece.sid for piece in bench.growth.take(1)] == [journals[1].sid]
    assert bench.growth.take(1) == []


def test_a_child_whose_begin_is_not_taken_in_yet_is_known_by_the_journal(
    tmp_path: Path,
) -> None:
    home = at_folder(str(tmp_path))
    path = Path(home.spool) / "s1/journal"
    path.parent.mkdir(parents=True)
    before = b'{"ev":"launch","run":"r","attempt":1}\n'
    path.write_bytes(before + b'{"ev":"started","pid":7,"start":9}\n{"ev":"torn","pi')
    nothing: Any = None
    growth = Growth(home, nothing)

    assert growth.begun(Supervised("s1", len(before))) == (7, 9)
    assert growth.begun(Supervised("s1", path.stat().st_size)) is None
    assert growth.begun(Supervised("s2", 0)) is None
