"""The bus wakes whom an event concerns, also when it came before the waiting."""

from collections.abc import Callable
from datetime import UTC, datetime

import trio

from claw.master.control.events import EventBus
from claw.model.event import Event

AT = datetime(2026, 3, 2, tzinfo=UTC)


def event(job: str | None = None, run: str | None = None) -> Event:
    return Event(at=AT, type="run.queued", job=job, run=run)


async def is_woken_by(
    bus: EventBus, happened: Event, *, jobs: str = "", runs: str = ""
) -> bool:
    wanted_jobs, wanted_runs = frozenset(jobs.split()), frozenset(runs.split())
    with bus.interest(jobs=wanted_jobs, runs=wanted_runs) as interest:
        bus.publish([happened])
        with trio.move_on_after(1) as patience:
            await interest.wait()
    return not patience.cancelled_caught


async def test_only_those_whom_it_concerns_are_woken(
    autojump_clock: object,  # noqa: ARG001  time passes when nobody is woken
) -> None:
    bus = EventBus()

    assert await is_woken_by(bus, event("web", "r1"))
    assert await is_woken_by(bus, event("web", "r1"), jobs="web api")
    assert await is_woken_by(bus, event("web", "r1"), runs="r1")
    assert await is_woken_by(bus, event("web", "r1"), jobs="api", runs="r1")
    assert not await is_woken_by(bus, event("web", "r1"), jobs="api")
    assert not await is_woken_by(bus, event("web", "r1"), runs="r2")
    assert not await is_woken_by(bus, event(None, None), jobs="web", runs="r1")


async def test_what_happens_between_two_looks_is_not_missed() -> None:
    bus, looks = EventBus(), 0

    async def look() -> int | None:
        nonlocal looks
        looks += 1
        bus.publish([event("web")])  # as if it happened while the database was being read
        return looks if looks == 3 else None

    with trio.fail_after(30):
        assert await bus.wait_for(look, jobs=frozenset({"web"})) == 3


async def test_what_a_thread_tells_reaches_those_who_wait() -> None:
    bus = EventBus()
    publish = bus.publish_from_threads()

    with bus.interest() as interest:
        await trio.to_thread.run_sync(publish, (event("web"),))
        with trio.fail_after(30):
            await interest.wait()


def test_telling_after_the_end_is_no_error() -> None:
    async def begin() -> Callable[[tuple[Event, ...]], None]:
        return EventBus().publish_from_threads()

    publish = trio.run(begin)

    publish((event("web"),))
