"""How the end of all jobs is waited for."""

from types import SimpleNamespace
from typing import Any

import trio
import trio.testing

from claw.master.shutdown import JobsEnd


async def test_the_store_is_left_in_peace_while_supervisors_live(
    autojump_clock: trio.testing.MockClock,  # noqa: ARG001  time passes at once
) -> None:
    looks: list[float] = []

    async def left_over() -> None:
        return None

    links: Any = SimpleNamespace(all={"s1": None}, left_over=left_over)

    async def read(_fn: object) -> bool:
        looks.append(trio.current_time())
        return bool(links.all)

    async def end() -> None:
        await trio.sleep(10.0)
        links.all.clear()

    store: Any = SimpleNamespace(read=read, trouble=None)
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(end)
        decide: Any = None
        await JobsEnd(store, decide, links, lambda _stop: None)._wait_all_gone()

    assert len(looks) <= 12
    assert looks[-1] - began < 10.5
