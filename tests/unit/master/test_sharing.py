"""What costs much is made once for all who wait for it."""

import trio
import trio.testing

from claw.master.output.sharing import Shared


def test_who_asks_meanwhile_gets_the_next_one_together_with_all_others() -> None:
    made: list[int] = []
    answers: list[int] = []
    shared = Shared[int]()
    begun, may_end = trio.Event(), trio.Event()

    async def make() -> int:
        made.append(len(made))
        begun.set()
        await may_end.wait()
        return made[-1]

    async def ask() -> None:
        answers.append(await shared.get(make))

    async def play() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await begun.wait()
            for _ in range(9):
                nursery.start_soon(ask)
            await trio.testing.wait_all_tasks_blocked()
            may_end.set()

    trio.run(play)

    assert sorted(answers) == [0] + [1] * 9
    assert made == [0, 1]


def test_who_gives_up_leaves_the_next_to_make_it() -> None:
    shared = Shared[str]()

    async def never() -> str:
        await trio.sleep_forever()

    async def at_once() -> str:
        return "made"

    async def play() -> str:
        with trio.move_on_after(0.01):
            await shared.get(never)
        return await shared.get(at_once)

    assert trio.run(play) == "made"
