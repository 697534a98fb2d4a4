"""Pings: asked for with the change of the run, and made in their order without hurry."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import trio
from trio.testing import MockClock

from claw.master.checks.http import Caller
from claw.master.duties import pings
from claw.master.duties.pings import Pinger
from claw.master.engine.turn import Turn
from claw.model.effect import PingAsked
from claw.model.pings import PingKind
from claw.store.records import Tx
from tests.kit.desk import Desk, job
from tests.kit.secrecy import confidant

URL = "http://switch.example/x"


class Outside:
    """A switch whose answers a test sets; and the desk as a store."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.called: list[str] = []
        self.problems: list[str | None] = []
        self.noted = trio.Event()
        this = cast("Any", self)
        self.pinger = Pinger(lambda: desk.config, this, this, confidant())
        self.pinger._call = self._answer

    async def _answer(self, url: str) -> str | None:
        self.called.append(url.removeprefix(URL))
        return self.problems.pop(0) if self.problems else None

    async def read(self, work: Callable[[Tx], Any]) -> Any:
        return self.desk.database.view(work)

    async def __call__(self, decide: Callable[[Turn], Any]) -> Any:
        self.noted.set()
        return self.desk.do(decide)

    def asked(self) -> list[PingAsked]:
        """Return what the engine has asked for."""
        return [one for one in self.desk.effects if isinstance(one, PingAsked)]

    async def make_all(self) -> None:
        """Hand over what was asked for, and let time pass until it is made."""
        async with trio.open_nursery() as nursery:
            for one in self.asked():
                self.pinger.ask(one)
            nursery.start_soon(self.pinger.serve)
            await trio.sleep(200)
            nursery.cancel_scope.cancel()


@pytest.fixture(name="outside")
def _outside() -> Outside:
    return Outside(Desk(job("etl", ping=URL)))


async def test_a_run_that_succeeds_is_told_from_start_to_success(
    outside: Outside,
    autojump_clock: MockClock,  # noqa: ARG001  time passes as fast as nothing happens
) -> None:
    outside.desk.end(outside.desk.begin("etl"))
    await outside.make_all()
    assert outside.called == ["/start", ""]
    (ping,) = outside.desk.database.view(Tx.pings).values()
    assert (ping.kind, ping.problem) == (PingKind.SUCCESS, None)
    assert ping.done_at is not None


async def test_what_cannot_be_told_is_tried_again_a_few_times_and_then_kept_as_failed(
    outside: Outside,
    autojump_clock: MockClock,  # noqa: ARG001  time passes as fast as nothing happens
) -> None:
    outside.desk.end(outside.desk.begin("etl"), 1)
    outside.problems = [None, *["switch.example: status 500"] * 9]
    await outside.make_all()
    assert outside.called == ["/start", *["/fail"] * 4]
    (ping,) = outside.desk.database.view(Tx.pings).values()
    assert (ping.kind, ping.problem) == (PingKind.FAIL, "switch.example: status 500")


async def test_a_newer_call_takes_the_place_of_one_that_is_tried_again(
    outside: Outside,
    autojump_clock: MockClock,  # noqa: ARG001  time passes as fast as nothing happens
) -> None:
    outside.desk.end(outside.desk.begin("etl"))
    outside.problems = ["switch.example: status 500"]
    await outside.make_all()
    assert outside.called == ["/start", ""]


async def test_the_next_master_makes_the_call_that_was_asked_for_last(
    outside: Outside,
    autojump_clock: MockClock,  # noqa: ARG001  time passes as fast as nothing happens
) -> None:
    outside.desk.end(outside.desk.begin("etl"), 1)
    outside.desk.effects.clear()
    await outside.make_all()
    assert outside.called == ["/fail"]
    assert outside.desk.database.view(Tx.unmade_pings) == ()


async def test_an_answer_that_never_comes_is_waited_for_for_a_while(
    outside: Outside,
    autojump_clock: MockClock,  # noqa: ARG001  time passes as fast as nothing happens
) -> None:
    async def never(url: str) -> str | None:
        outside.called.append(url)
        await trio.sleep(60000)
        return None

    outside.pinger._call = never
    outside.desk.begin("etl")
    await outside.make_all()
    (ping,) = outside.desk.database.view(Tx.pings).values()
    assert ping.problem == "switch.example: no answer within 10 s"
    assert len(outside.called) == 4


@pytest.mark.parametrize(
    "url",
    ["https://1.2.3.999/x", f"https://{'a' * 64}.example/x", "https://a..b/x", "http://:x/"],
)
async def test_a_url_that_cannot_be_called_is_a_problem_of_that_ping_alone(
    outside: Outside,
    autojump_clock: MockClock,  # noqa: ARG001  time passes as fast as nothing happens
    url: str,
) -> None:
    outside.desk.set_config(job("etl", ping=url))
    outside.pinger._call = Caller().call
    outside.desk.begin("etl")
    await outside.make_all()
    (ping,) = outside.desk.database.view(Tx.pings).values()
    assert ping.problem
    assert ping.done_at is not None


async def test_a_mistake_in_one_call_is_its_result_and_ends_nothing(
    outside: Outside,
    autojump_clock: MockClock,  # noqa: ARG001  time passes as fast as nothing happens
) -> None:
    async def mistaken(_url: str) -> str | None:
        raise ZeroDivisionError

    outside.pinger._call = mistaken
    outside.desk.begin("etl")
    await outside.make_all()
    (ping,) = outside.desk.database.view(Tx.pings).values()
    assert ping.problem == "ZeroDivisionError: see the master's log"


def test_a_job_without_a_switch_asks_for_nothing_and_a_canceled_run_tells_no_end() -> None:
    desk = Desk(job("etl", ping=URL), job("other"))
    desk.end(desk.begin("other"))
    desk.end(desk.begin("etl"), None, signal=15, why="cancel")
    kinds = [one.kind for one in desk.effects if isinstance(one, PingAsked)]
    assert kinds == [PingKind.START]


def test_a_job_that_is_gone_has_no_ping() -> None:
    desk = Desk(job("etl", ping=URL))
    desk.end(desk.begin("etl"))
    desk.set_config()
    assert desk.database.view(Tx.pings) == {}


@pytest.mark.parametrize(
    ("user", "called"), [("", ["/a%20line%20of%20root%27s/start"]), ("nobody", [])]
)
async def test_a_job_of_another_user_pings_with_no_file_that_others_than_root_may_change(
    user: str,
    called: list[str],
    key: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pings, "_RETRIES_S", ())
    outside = Outside(Desk(job("etl", user=user, ping=f"{URL}/${{file:{key}}}")))
    outside.desk.begin("etl")
    (asked,) = outside.asked()

    outside.pinger.ask(asked)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(outside.pinger.serve)
        await outside.noted.wait()
        nursery.cancel_scope.cancel()

    assert outside.called == called
    (ping,) = outside.desk.database.view(Tx.pings).values()
    assert ("root's own" in str(ping.problem)) == bool(user)
