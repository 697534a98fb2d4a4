"""What waits to be sent: bounded, in order, every byte once."""

import contextlib

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from claw.kernel import socket
from claw.master.control import outgoing
from claw.master.control.outgoing import Outgoing
from claw.master.control.streams import LaggedError, Stream


async def received(reader: trio.SocketStream) -> bytes:
    return b"".join([data async for data in reader])


@given(lines=st.lists(st.binary(min_size=1, max_size=50)), chunk=st.integers(1, 40))
def test_every_byte_is_sent_once_and_in_order(lines: list[bytes], chunk: int) -> None:
    async def talk() -> bytes:
        ours, theirs = map(trio.socket.from_stdlib_socket, socket.pair())
        waiting, reader = Outgoing(), trio.SocketStream(theirs)
        for line in lines:
            assert waiting.put(line)
        waiting.close()
        async with reader:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(outgoing, "_SEND_BYTES", chunk)
                await waiting.send_all(ours)
            ours.close()
            return await received(reader)

    assert trio.run(talk) == b"".join(lines)


async def test_a_cancelled_sending_goes_on_where_it_was() -> None:
    ours, theirs = map(trio.socket.from_stdlib_socket, socket.pair())
    waiting, lines = Outgoing(), [b"%07d\n" % number for number in range(200_000)]
    for line in lines:
        waiting.put(line)
    waiting.close()

    with trio.move_on_after(0.05) as patience:
        await waiting.send_all(ours)
    async with trio.SocketStream(theirs) as reader, trio.open_nursery() as nursery:

        async def send_the_rest() -> None:
            await waiting.send_all(ours)
            ours.close()

        nursery.start_soon(send_the_rest)
        data = await received(reader)

    assert patience.cancelled_caught
    assert data == b"".join(lines)
    assert waiting.pending_bytes == 0


async def test_beyond_the_bound_it_breaks_off_and_lets_everyone_go() -> None:
    waiting = Outgoing(max_bytes=100)
    assert waiting.put(b"x" * 1000)  # one line of any size is taken

    async with trio.open_nursery() as nursery:
        nursery.start_soon(waiting.wait_below, 100)
        await trio.testing.wait_all_tasks_blocked()
        assert not waiting.put(b"y")

    assert waiting.is_broken
    assert not waiting.put(b"z")
    assert waiting.pending_bytes == 0


async def test_a_peer_that_is_gone_breaks_it_off() -> None:
    ours, theirs = map(trio.socket.from_stdlib_socket, socket.pair())
    waiting = Outgoing()
    theirs.close()
    waiting.put(b"x\n")

    await waiting.send_all(ours)
    ours.close()

    assert waiting.is_broken


async def test_a_stream_waits_for_room_and_lags_when_there_is_none(
    autojump_clock: object,  # noqa: ARG001  time passes when nobody can go on
) -> None:
    waiting = Outgoing()
    stream = Stream(1, waiting, lag_s=5.0)
    waiting.put(b"x" * outgoing.STREAM_BYTES)
    began = trio.current_time()

    with pytest.raises(LaggedError):
        await stream.send("event", {"cursor": 1})

    assert trio.current_time() - began == pytest.approx(5.0)
    assert waiting.pending_bytes == outgoing.STREAM_BYTES


async def test_a_stream_whose_client_is_slow_and_takes_some_in_time_does_not_lag(
    autojump_clock: object,  # noqa: ARG001  time passes when nobody can go on
) -> None:
    ours, theirs = socket.pair()
    waiting, connection = Outgoing(), trio.socket.from_stdlib_socket(ours)
    stream = Stream(1, waiting, lag_s=5.0)
    began = trio.current_time()

    async def read_slowly() -> None:
        while True:
            await trio.sleep(4)
            with contextlib.suppress(BlockingIOError):
                theirs.recv(1 << 20)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(waiting.send_all, connection)
        nursery.start_soon(read_slowly)
        for number in range(200):
            await stream.send("event", {"text": "x" * 32_000, "cursor": number})
        nursery.cancel_scope.cancel()

    assert trio.current_time() - began > 20
    connection.close()
    theirs.close()
