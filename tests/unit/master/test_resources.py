"""The sampler of what trees use, where claw itself is short of something."""

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
import trio

from claw.master.resources import Sampler, Watched
from claw.master.supervision.cgroups import Groups
from claw.model.job import Config, ResourceAction, Resources
from claw.model.run import Origin, Phase, Run, State
from tests.kit.desk import T0, service

LIMIT = Resources(memory_bytes=1, action=ResourceAction.WARN)
JOB = service("web", resources=LIMIT)


class Master:
    """A store with one run, which is this process, and decisions that are only counted."""

    def __init__(self) -> None:
        run = Run(
            id="r1", job="web", state=State.RUNNING, origin=Origin.MANUAL, origin_key="k",
            queued_at=T0, due_at=T0, attempt=1, sid="s1", phase=Phase.UP, pid=os.getpid(),
        )  # fmt: skip
        self.watched = (Watched(JOB, run, (os.getpid(),)),)
        self.told = trio.Event()

    async def read(self, _work: Callable[[Any], Any]) -> tuple[Watched, ...]:
        return self.watched

    async def patiently(self, _decide: Callable[[Any], Any]) -> None:
        self.told.set()


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Have nothing opened in this process, which goes on with what is open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def test_a_shortage_is_told_once_and_the_watch_goes_on_after_it(
    autojump_clock: trio.testing.MockClock,  # noqa: ARG001
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = Master()
    sampler = Sampler(
        lambda: Config(jobs=(JOB,)),
        cast("Any", made),
        cast("Any", made),
        cast("Any", made),
        Groups(),
    )

    async with trio.open_nursery() as nursery:
        nursery.start_soon(sampler.serve)
        with no_descriptors():
            while not caplog.records:  # noqa: ASYNC110
                await trio.sleep(1)
            await trio.sleep(11)
            assert not made.told.is_set()
        await made.told.wait()
        nursery.cancel_scope.cancel()

    texts = [one.getMessage() for one in caplog.records if one.name == "claw.resources"]
    assert len(texts) == 2
    assert "measured" in texts[0]
    assert "web uses too much" in texts[1]
