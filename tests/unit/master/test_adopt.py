"""What is said of a supervisor that is gone for good, by what its journal still has."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from claw.master.engine import dispatch, services
from claw.master.engine.turn import Turn
from claw.master.supervision.adopt import Adoption
from claw.model.home import Home, at_folder
from claw.model.retry import Retry
from claw.model.run import Run, State
from tests.kit.desk import Desk, Journal, job


class _Decider:
    """Makes decisions of a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(self, decide: Callable[[Turn], Any]) -> Any:
        return self._desk.do(decide)

    async def patiently(self, decide: Callable[[Turn], Any]) -> Any:
        return self._desk.do(decide)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return at_folder(str(tmp_path))


async def lose(desk: Desk, home: Home, sid: str) -> bool:
    """Have a supervisor called lost that nobody replaces."""
    decide: Any = _Decider(desk)
    evidencing: Any = SimpleNamespace(forget=lambda _sid: None)
    nothing: Any = None
    return await Adoption(home, decide, evidencing, nothing, nothing).lose(sid)


def write(home: Home, sid: str, data: bytes) -> None:
    folder = Path(home.spool) / sid
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "journal").write_bytes(data)


def go_on(desk: Desk, found: Journal) -> Run:
    """Have the supervisor of a journal begin what is next in the queue."""

    def decide(turn: Turn) -> tuple[dispatch.Claim, ...]:
        turn.free = [(found.sid, len(found.data))]
        return dispatch.dispatch(turn)

    [claim] = desk.do(decide)
    assert claim.sid == found.sid
    found.launch(claim)
    found.add("started", run=claim.run.id, attempt=claim.attempt, pid=802, start=6)
    desk.read(found)
    assert desk.run(claim.run.id).state is State.RUNNING
    return desk.run(claim.run.id)


def boot(desk: Desk) -> None:
    desk.do(lambda turn: services.begin(turn, "another boot"))


async def test_a_later_run_of_which_a_host_that_went_down_left_nothing_has_crashed(
    home: Home,
) -> None:
    desk = Desk(job("a"))
    found = desk.begin("a")
    desk.end(found)
    kept = found.data
    desk.ask("a")
    run = go_on(desk, found)
    write(home, found.sid, kept)
    boot(desk)

    assert await lose(desk, home, found.sid)

    assert desk.run(run.id).state is State.CRASHED


async def test_so_has_a_later_attempt_of_the_same_run(home: Home) -> None:
    desk = Desk(job("a", retry=Retry(delays_s=(1.0,), max_attempts=2)))
    found = desk.begin("a")
    desk.end(found, 1)
    kept = found.data
    desk.pass_s(60)
    run = go_on(desk, found)
    assert run.attempt == 2
    write(home, found.sid, kept + b'{"ev": "laun')
    boot(desk)

    assert await lose(desk, home, found.sid)

    assert desk.run(run.id).state is State.CRASHED


async def test_one_whose_end_is_still_to_be_read_is_not_lost(home: Home) -> None:
    desk = Desk(job("a"))
    found = desk.begin("a")
    run = desk.run_of(found)
    found.exit(1, 0)
    found.add("ended", run=run.id, attempt=1, why="exit", by="")
    write(home, found.sid, found.data)

    assert not await lose(desk, home, found.sid)

    assert desk.run(run.id).state is State.RUNNING
    desk.read(found)
    assert desk.run(run.id).state is State.SUCCEEDED
