"""What a run is told to be beyond: once for each time, whichever master looks."""

from collections.abc import Callable
from typing import Any, cast

import pytest
import trio

from claw.master.resources import Sampler
from claw.master.supervision.cgroups import Groups
from claw.model.event import Event
from claw.model.job import Config, ResourceAction, Resources
from claw.model.usage import CALM_S, Usage
from claw.store.records import Tx
from tests.kit.desk import Desk, service

LIMITS = Resources(memory_bytes=2 << 20, pids=5, action=ResourceAction.WARN)
MUCH = Usage(at_s=0.0, memory_bytes=3 << 20)
MANY = Usage(at_s=0.0, memory_bytes=3 << 20, pids=6)
LITTLE = Usage(at_s=0.0)


class Master:
    """A sampler on a store with one run; what that run uses is said, not measured."""

    def __init__(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self.desk = desk
        self.at_s = 0.0
        self.start()
        monkeypatch.setattr("claw.master.resources.clock.monotonic", lambda: self.at_s)

    def start(self) -> None:
        """Have another master begin."""
        this = cast("Any", self)
        config: Callable[[], Config] = lambda: self.desk.config  # noqa: E731
        self.sampler = Sampler(config, this, this, this, Groups())

    async def read(self, work: Callable[[Tx], Any]) -> Any:
        return self.desk.database.view(work)

    async def patiently(self, decide: Callable[[Any], Any]) -> None:
        self.desk.do(decide)

    def look(self, used: Usage, passed_s: float = 2.0) -> list[Event]:
        """Let time pass, look once, and return the events of that."""
        self.at_s += passed_s
        before = self.desk.database.view(lambda tx: tx.last_cursor())
        values = {"memory_bytes": used.memory_bytes, "pids": used.pids}
        usage = Usage(at_s=self.at_s, cpu_s=0.0, **values)
        self.sampler._usage = lambda *_: usage  # type: ignore[method-assign]
        trio.run(self.sampler._look)
        return [
            event
            for event in self.desk.events(job="web")
            if event.cursor > before and event.type.startswith("job.")
        ]

    def alerts(self) -> int:
        return len(self.desk.database.view(lambda tx: tx.alerts()))


@pytest.fixture(name="master")
def _master(monkeypatch: pytest.MonkeyPatch) -> Master:
    desk = Desk(service("web", resources=LIMITS))
    desk.begin("web")
    return Master(desk, monkeypatch)


def kinds(events: list[Event]) -> list[tuple[str, str | None]]:
    return [(event.type, event.new) for event in events]


def test_one_condition_is_told_once_and_its_end_too(master: Master) -> None:
    assert kinds(master.look(MUCH)) == [("job.resources", "memory")]
    for _ in range(3):
        assert master.look(MUCH) == []
    assert master.look(LITTLE) == []
    assert master.look(MUCH) == []
    assert master.alerts() == 1

    assert kinds(master.look(LITTLE, CALM_S)) == [("job.resources_over", "")]
    assert kinds(master.look(MUCH)) == [("job.resources", "memory")]
    assert master.alerts() == 2


def test_another_condition_is_told_beside_the_first(master: Master) -> None:
    master.look(MUCH)

    [told] = master.look(MANY)
    assert (told.new, told.why) == ("memory, pids", "6 processes and threads, limit 5")
    [over] = master.look(MUCH, CALM_S)
    assert (over.type, over.new) == ("job.resources_over", "memory")


def test_the_next_master_knows_what_was_told(master: Master) -> None:
    master.look(MUCH)
    master.start()

    assert master.look(MUCH) == []
    assert kinds(master.look(LITTLE, CALM_S)) == [("job.resources_over", "")]
    master.start()
    assert kinds(master.look(MUCH)) == [("job.resources", "memory")]
