"""Who asks for passes of the gates goes on, whatever comes of them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing

from claw.errors import StoreError
from claw.master.supervision.dispatcher import Dispatcher
from claw.master.supervision.pulse import Passed, Pulse
from claw.model.home import Home
from claw.model.run import State
from tests.kit.desk import Desk, job


class _Links:
    """Supervisors of which there is none."""

    def __init__(self) -> None:
        self.on_refused: Callable[[str, dict[str, object]], None] = lambda _sid, _message: None

    @staticmethod
    def free() -> list[tuple[str, int]]:
        return []


class _Sockets:
    """Notes what sockets are said to be needed."""

    def __init__(self) -> None:
        self.needed: list[object] = []
        self.are_settled = False
        self.may_settle = trio.Event()
        self.may_settle.set()

    def is_settled(self, _needed: object) -> bool:
        return self.are_settled

    async def settle(self, needed: object) -> None:
        await self.may_settle.wait()
        self.needed.append(needed)


class _Failing:
    """A decider that fails so many times, and then finds nothing to do."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.is_done = trio.Event()

    async def __call__(self, _decide: Callable[[Any], Any]) -> None:
        await trio.lowlevel.checkpoint()
        if self.errors:
            raise self.errors.pop(0)
        self.is_done.set()


@pytest.mark.parametrize("error", [ZeroDivisionError("by 0"), StoreError("no room")])
def test_a_pass_that_fails_is_tried_again_after_a_pause_and_ends_nothing(
    error: Exception, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = Home(**{name: str(tmp_path / name) for name in ("config", "state", "run", "log")})

    async def main() -> None:
        decide: Any = _Failing(*[error] * 10)  # a single pass is tried twice at a time
        links: Any = _Links()
        nothing: Any = None
        dispatcher = Dispatcher(
            home, Pulse(decide), nothing, links, nothing, (nothing, nothing)
        )
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(dispatcher.serve, nursery)
            dispatcher.wake()
            await decide.is_done.wait()
            nursery.cancel_scope.cancel()
        assert trio.current_time() >= began + 5  # seconds of a clock that jumps

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))

    traced = [record for record in caplog.records if record.exc_info]
    assert len(traced) == isinstance(error, ZeroDivisionError)  # one kind, said once


async def test_what_is_armed_says_nothing_of_sockets_and_closes_none(tmp_path: Path) -> None:
    home = Home(**{name: str(tmp_path / name) for name in ("config", "state", "run", "log")})
    nothing: Any = None
    links: Any = _Links()
    sockets: Any = _Sockets()
    dispatcher = Dispatcher(home, Pulse(nothing), nothing, links, sockets, (nothing, nothing))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(dispatcher.serve, nursery)
        await trio.testing.wait_all_tasks_blocked()
        assert dispatcher.pulse.on_passed is not None

        dispatcher.take_armed(())
        dispatcher.pulse.on_passed(Passed((), None, {"web": True}))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    assert sockets.needed == [{"web": True}]


async def test_what_sockets_are_needed_for_the_last_pass_is_settled_last(
    tmp_path: Path,
) -> None:
    home = Home(**{name: str(tmp_path / name) for name in ("config", "state", "run", "log")})
    nothing: Any = None
    links: Any = _Links()
    sockets: Any = _Sockets()
    dispatcher = Dispatcher(home, Pulse(nothing), nothing, links, sockets, (nothing, nothing))
    first, last = {"web": False}, {"web": True}
    async with trio.open_nursery() as nursery:
        nursery.start_soon(dispatcher.serve, nursery)
        await trio.testing.wait_all_tasks_blocked()
        assert dispatcher.pulse.on_passed is not None

        sockets.may_settle = trio.Event()
        dispatcher.pulse.on_passed(Passed((), None, first))
        await trio.testing.wait_all_tasks_blocked()
        sockets.are_settled = True  # it listens still
        dispatcher.pulse.on_passed(Passed((), None, last))
        sockets.may_settle.set()
        await trio.testing.wait_all_tasks_blocked()
        assert sockets.needed == [first, last]

        dispatcher.pulse.on_passed(Passed((), None, last))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    assert sockets.needed == [first, last]


async def test_what_is_claimed_is_launched_though_a_mistake_is_made_when_it_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = Home(**{name: str(tmp_path / name) for name in ("config", "state", "run", "log")})
    desk = Desk(job("a", max_instances=3))
    for _ in range(3):
        desk.ask("a")
    claims = desk.dispatch()
    expected: list[str] = []

    def expect(sid: str, _offset: int) -> None:
        expected.append(sid)
        if len(expected) == 2:
            raise ZeroDivisionError

    nothing: Any = None
    links: Any = _Links()
    monkeypatch.setattr(links, "expect", expect, raising=False)
    sockets: Any = _Sockets()
    sockets.are_settled = True
    dispatcher = Dispatcher(home, Pulse(nothing), nothing, links, sockets, (nothing, nothing))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(dispatcher.serve, nursery)
        await trio.testing.wait_all_tasks_blocked()
        assert dispatcher.pulse.on_passed is not None
        with pytest.raises(ZeroDivisionError):
            dispatcher.pulse.on_passed(Passed(claims, None, {}))
        nursery.cancel_scope.cancel()

    assert [one.claims for one in dispatcher._passed] == [claims]


class _Patient:
    """Makes decisions of a desk."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    async def patiently(self, decide: Callable[[Any], Any]) -> Any:
        await trio.lowlevel.checkpoint()
        return self.desk.do(decide)


async def test_a_launch_that_is_refused_before_anything_is_dispatched_is_undone_later(
    tmp_path: Path,
) -> None:
    home = Home(**{name: str(tmp_path / name) for name in ("config", "state", "run", "log")})
    desk = Desk(job("a"))
    run = desk.ask("a")
    [claim] = desk.dispatch()
    nothing: Any = None
    links: Any = _Links()
    decide: Any = _Patient(desk)
    dispatcher = Dispatcher(home, Pulse(decide), nothing, links, nothing, (nothing, nothing))
    refused = {"run": run.id, "attempt": claim.attempt, "error": "no", "retryable": True}

    links.on_refused(claim.sid, refused)
    assert desk.run(run.id).state is State.CLAIMED
    async with trio.open_nursery() as nursery:
        nursery.start_soon(dispatcher.serve, nursery)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    assert desk.run(run.id).state is State.QUEUED
