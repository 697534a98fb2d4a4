"""Another value of a secret on its way to services."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import trio

from claw.errors import RequestError
from claw.kernel import memory
from claw.master.confidant import Confidant, confidant_of
from claw.master.supervision.refreshing import Refreshing
from claw.model.home import at_folder
from claw.model.job import Config, JobType
from claw.wire.supervision import MEMORY, Launch
from tests.unit.master.test_launches import launch_of

TEXT = "${secret:T}"


class Around:
    """One service with its supervisor: the store, the fork server and the link to it."""

    def __init__(self) -> None:
        launch = launch_of(type=JobType.CONTINUOUS)
        launch.refers = {"TOKEN": TEXT}
        self.sid = launch.sid
        self.copies = SimpleNamespace(all={})
        self.asked = trio.Event()
        self.may_answer = trio.Event()
        self.given: list[str] = []
        self.refuses = False
        self._live = {launch.run: None}
        self._put(launch)

    def _put(self, launch: Launch) -> None:
        self.copies.all[self.sid] = {MEMORY: memory.sealed("claw:test", launch.encode())}

    async def read(self, _work: object) -> object:
        return self._live

    async def renew_memory(self, launch: Launch) -> None:
        self._put(launch)

    async def call(self, _sid: str, *, op: str, **asked: Any) -> dict[str, int]:
        """Answer as the supervisor does; the first greeting waits."""
        if op == "refresh" and self.refuses:
            raise RequestError("unknown operation 'refresh'")
        if op == "refresh":
            self.given.append(asked["launch"]["env"]["TOKEN"])
        elif not self.asked.is_set():
            self.asked.set()
            await self.may_answer.wait()
        return {"attempt": 1}


@pytest.fixture
def knowing(tmp_path: Path) -> Confidant:
    (tmp_path / "state").mkdir()
    return confidant_of(at_folder(str(tmp_path)), Config, environment={})


@pytest.fixture
def around() -> Around:
    return Around()


async def test_of_two_values_that_are_set_at_once_the_later_one_comes_last(
    around: Around, knowing: Confidant
) -> None:
    this = cast("Any", around)
    refreshing = Refreshing(this, this, this, knowing)
    knowing.vault.set("T", "the first value")

    async with trio.open_nursery() as nursery:
        nursery.start_soon(refreshing.reach, "T")
        await around.asked.wait()  # the first value is on its way
        knowing.vault.set("T", "the second value")
        nursery.start_soon(refreshing.reach, "T")
        while not (around.given or refreshing._reaching.statistics().tasks_waiting):  # noqa: ASYNC110
            await trio.sleep(0.01)
        around.may_answer.set()

    assert around.given == ["the first value", "the second value"]
    (launch,) = await refreshing._launches([*around._live])
    assert [versions for _attempt, versions in launch.held] == [{"T": 2}]


async def test_a_supervisor_that_refuses_another_value_is_said_to_have_the_one_it_had(
    around: Around, knowing: Confidant
) -> None:
    this = cast("Any", around)
    refreshing = Refreshing(this, this, this, knowing)
    around.may_answer.set()
    knowing.vault.set("T", "the first value")
    await refreshing.reach("T")
    (before,) = await refreshing._launches([*around._live])

    around.refuses = True
    knowing.vault.set("T", "the second value")
    _reached, troubles = await refreshing.reach("T")

    (after,) = await refreshing._launches([*around._live])
    assert troubles
    assert (after.held, after.env) == (before.held, before.env)
