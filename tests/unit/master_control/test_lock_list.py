"""``lock list`` when there are many locks, and the place that they are kept in is slow."""

import math
from types import SimpleNamespace
from typing import Any

import trio
from trio.testing import MockClock

from claw.master.handlers import incident, lock
from claw.master.locks.backend import Holder
from claw.model.job import Config, Job
from claw.model.lock import Backend, Locks


class Place:
    """Where locks are kept: it answers about some of them, and never about the others."""

    def __init__(self, silent: set[str]) -> None:
        self.silent = silent
        self.asked = self.most = 0

    async def look(self, name: str) -> Holder | None:
        """Tell who has a lock, when it is one that is known."""
        self.asked += 1
        self.most = max(self.most, self.asked)
        try:
            await trio.sleep(math.inf if name in self.silent else 0.1)
        finally:
            self.asked -= 1
        return None

    async def take_away(self, name: str) -> Holder | None:
        """Nobody has it."""
        return await self.look(name)


async def listed(place: Place, count: int) -> tuple[list[dict[str, Any]], float]:
    """Return what is said of so many locks, and how long that took."""
    jobs = tuple(Job(name=f"j{no}", argv=("true",), lock=f"l{no:03}") for no in range(count))
    config = Config(jobs=jobs, locks=Locks(backend=Backend.FOLDER))

    async def know(_fn: object) -> tuple[dict[str, Any], dict[str, str]]:
        return {}, {}

    services = SimpleNamespace(
        config=SimpleNamespace(current=config), store=SimpleNamespace(read=know), locks=place
    )
    call: Any = SimpleNamespace(services=services)
    begun = trio.current_time()
    found = await lock.list_(call, {})
    return found["locks"], trio.current_time() - begun


async def test_a_few_locks_are_asked_for_at_a_time(autojump_clock: MockClock) -> None:
    assert autojump_clock.autojump_threshold == 0
    place = Place(set())

    found, _ = await listed(place, 100)

    assert {one["state"] for one in found} == {"free"}
    assert "note" not in found[0]
    assert place.most == 8


async def test_of_a_lock_that_nobody_speaks_of_that_is_said_and_the_others_are_told(
    autojump_clock: MockClock,
) -> None:
    assert autojump_clock.autojump_threshold == 0
    found, took_s = await listed(Place({"l001"}), 3)

    assert [one["state"] for one in found] == ["free", "unknown", "free"]
    assert "nobody has said in time" in found[1]["note"]
    assert took_s == 5


async def test_all_together_take_no_longer_than_a_client_waits(
    autojump_clock: MockClock,
) -> None:
    assert autojump_clock.autojump_threshold == 0
    found, took_s = await listed(Place({f"l{no:03}" for no in range(1000)}), 1000)

    assert {one["state"] for one in found} == {"unknown"}
    assert took_s == 20


def test_of_a_journal_of_several_runs_an_incident_has_the_lines_of_one() -> None:
    lines = [b'{"ev":"a","run":"r1"}\n', b'{"ev":"b","run":"r2"}\n', b'{"ev":"c"}\n', b'{"ev":']

    assert [incident.is_of(line, "r1") for line in lines] == [True, False, True, False]
