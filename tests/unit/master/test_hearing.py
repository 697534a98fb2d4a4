"""One task hears many links; what is sent at once goes whole or not at all."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import trio
import trio.testing

from claw.kernel import channel
from claw.master.supervision.hearing import Hearing
from claw.master.supervision.linefeed import LineLink, LostError
from claw.wire import supervision
from claw.wire.supervision import Message

PATIENCE_S = 30.0
Pair = tuple[LineLink, channel.Socket]


class Ends:
    """Links, and who is at their other ends."""

    def __init__(self) -> None:
        self.stack = ExitStack()
        self.hearing = Hearing()
        self.closed: list[LineLink] = []

    def linked(self, on_notice: Callable[[Message], None]) -> Pair:
        ours, theirs = channel.pair()
        self.stack.callback(theirs.close)

        def on_closed() -> None:
            self.hearing.drop(link)
            self.closed.append(link)

        link = LineLink(ours, on_notice, on_closed)
        self.hearing.add(link)
        return link, theirs


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    with made.stack:
        yield made


async def nothing() -> None:
    await trio.lowlevel.checkpoint()


def say(theirs: channel.Socket, **message: object) -> None:
    channel.send(theirs, supervision.encode(message))


def ignore(_message: Message) -> None:
    """Do nothing."""


async def test_all_are_heard_and_a_mistake_with_one_closes_that_one(ends: Ends) -> None:
    heard: list[Message] = []

    def stumble(_message: Message) -> None:
        raise ZeroDivisionError

    first, at_first = ends.linked(heard.append)
    wrong, at_wrong = ends.linked(stumble)
    last, at_last = ends.linked(heard.append)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ends.hearing.serve, nothing)
        for number, theirs in enumerate((at_first, at_wrong, at_last)):
            say(theirs, ev="journal", size=number)
        with trio.fail_after(PATIENCE_S):
            while len(heard) < 2 or not ends.closed:
                await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    assert [message["size"] for message in heard] == [0, 2]
    assert ends.closed == [wrong]
    assert isinstance(wrong.failure, ZeroDivisionError)
    for link in (first, last):
        assert not link.is_closed
        link.close()


async def test_one_that_has_gone_is_closed_and_who_waits_for_its_answer_is_told(
    ends: Ends,
) -> None:
    link, theirs = ends.linked(ignore)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(ends.hearing.serve, nothing)
        nursery.start_soon(hang_up, theirs)
        with trio.fail_after(PATIENCE_S), pytest.raises(LostError):
            await link.call(op="hello")
        nursery.cancel_scope.cancel()

    assert ends.closed == [link]
    with pytest.raises(LostError):
        link.tell_at_once(op="launch")


async def test_of_one_that_has_gone_all_is_heard_at_once(ends: Ends) -> None:
    heard: list[Message] = []
    link, theirs = ends.linked(heard.append)
    say(theirs, ev="journal", size=1)
    theirs.close()

    ends.hearing.hear()

    assert len(heard) == 1
    assert ends.closed == [link]


async def hang_up(theirs: channel.Socket) -> None:
    await trio.testing.wait_all_tasks_blocked()
    theirs.close()


async def test_what_there_is_no_room_for_is_not_sent_at_once_and_nothing_of_it(
    ends: Ends,
) -> None:
    link, theirs = ends.linked(ignore)
    count = 0
    while link.tell_at_once(op="launch", text="x" * 1000):
        count += 1
    assert not link.tell_at_once(op="launch", text="x" * supervision.LINE_LIMIT)

    with trio.fail_after(PATIENCE_S):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(tell_last, link)
            await trio.testing.wait_all_tasks_blocked()
            assert not link.tell_at_once(op="other")  # it would come in between
            data = b""
            while not data.endswith(b'"last"}\n'):
                await trio.lowlevel.wait_readable(theirs)
                data += channel.receive(theirs, 1 << 16)[0]

    told = [supervision.decode(line) or {} for line in data.split(b"\n")[:-1]]
    assert [message["op"] for message in told] == ["launch"] * count + ["last"]
    link.close()


async def tell_last(link: LineLink) -> None:
    await link.tell(text="y" * 100_000, op="last")
