"""What is armed is withdrawn before it is launched, or by its supervisor; once at a time."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import trio
import trio.testing

from claw.master.engine.dispatch import Claim
from claw.master.supervision.dispatcher import Dispatcher
from claw.master.supervision.pulse import Pulse
from claw.master.supervision.withdrawals import Withdrawals
from claw.model.effect import Withdraw
from claw.model.home import Home
from tests.kit.desk import T0, Desk, job

PAUSED = Withdraw("r", "s", "paused")


class _Links:
    """Supervisors that answer when they are let."""

    def __init__(self, *sids: str) -> None:
        self.all = dict.fromkeys(sids)
        self.told: list[str] = []
        self.answer = trio.Event()

    def expect(self, sid: str) -> None:
        self.all[sid] = None

    def forget(self, sid: str) -> None:
        del self.all[sid]

    @staticmethod
    def free() -> list[tuple[str, int]]:
        return []

    async def call(self, sid: str, **_message: object) -> None:
        self.told.append(sid)
        await self.answer.wait()


def _withdrawals(links: _Links) -> Withdrawals:
    given: Any = links
    return Withdrawals(given)


async def test_what_is_in_line_is_called_off_at_once(nursery: trio.Nursery) -> None:
    links = _Links("s")
    withdrawals = _withdrawals(links)
    withdrawals.expect("s")

    withdrawals.withdraw(PAUSED, nursery)

    await withdrawals.settled()
    assert not withdrawals.may_begin("s")
    assert links.told == []


async def test_what_is_withdrawn_before_it_is_in_line_is_called_off(
    nursery: trio.Nursery,
) -> None:
    withdrawals = _withdrawals(_Links())

    withdrawals.withdraw(PAUSED, nursery)

    withdrawals.expect("s")
    assert not withdrawals.may_begin("s")


async def test_a_supervisor_is_told_once_until_it_answers_and_that_is_waited_for(
    nursery: trio.Nursery,
) -> None:
    links = _Links("s")
    withdrawals = _withdrawals(links)
    withdrawals.expect("s")
    assert withdrawals.may_begin("s")

    for _ in range(3):
        withdrawals.withdraw(PAUSED, nursery)
    settled = trio.Event()

    async def settle() -> None:
        await withdrawals.settled()
        settled.set()

    nursery.start_soon(settle)
    await trio.testing.wait_all_tasks_blocked()
    assert links.told == ["s"]
    assert not settled.is_set()

    links.answer.set()
    await settled.wait()
    withdrawals.withdraw(PAUSED, nursery)
    await trio.testing.wait_all_tasks_blocked()
    assert links.told == ["s", "s"]


async def test_one_that_does_not_answer_holds_nobody_up_for_long(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    del autojump_clock
    links = _Links("s")
    withdrawals = _withdrawals(links)

    withdrawals.withdraw(PAUSED, nursery)

    await withdrawals.settled()
    nursery.cancel_scope.cancel()


async def test_what_was_called_off_is_never_asked_for_and_put_back(
    tmp_path: Path, nursery: trio.Nursery
) -> None:
    home = Home(**{name: str(tmp_path / name) for name in ("config", "state", "run", "log")})
    desk = Desk(job("h"))
    run = desk.ask("h")
    (claim,) = desk.dispatch()
    claim = Claim(claim.run, 1, claim.sid, claim.job, begin_at=T0 + timedelta(seconds=1))
    links: Any = _Links()
    nothing: Any = None
    done = trio.Event()

    async def patiently(decide: Any) -> None:
        desk.do(decide)
        done.set()

    decide: Any = SimpleNamespace(patiently=patiently)
    dispatcher = Dispatcher(home, Pulse(decide), nothing, links, nothing, (nothing, nothing))
    nursery.start_soon(dispatcher.serve, nursery)
    await trio.testing.wait_all_tasks_blocked()

    dispatcher.take_armed((claim,))
    dispatcher.withdrawals.withdraw(Withdraw(run.id, claim.sid, "paused"), nursery)

    await done.wait()  # what is launched fails here: there is no fork server
    assert desk.run(run.id).sid is None
    assert links.all == {}
    nursery.cancel_scope.cancel()
