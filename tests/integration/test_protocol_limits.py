"""No client can stall the master, or another client (I10); over real sockets."""

import contextlib
import json
import os
import resource
import select
import socket as sockets
import sys
from pathlib import Path

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from claw.master.control.limits import Limits
from claw.master.control.outgoing import READ_BYTES
from claw.model.job import Config, JobType
from tests.kit import floods
from tests.kit.chance import examples
from tests.kit.control import (
    PATIENCE_S,
    Client,
    Json,
    job,
    raise_descriptor_limit,
    serving,
    until,
)
from tests.kit.floods import FLOODS

WEB = job("web", JobType.CONTINUOUS)
STATUS = floods.STATUS
ANSWERS = 30


@pytest.mark.parametrize("reads", [True, False], ids=["reading", "never reading"])
@pytest.mark.parametrize("line", FLOODS.values(), ids=FLOODS)
async def test_a_flood_has_one_line_a_turn_while_others_are_answered(
    tmp_path: Path, line: bytes, *, reads: bool
) -> None:
    async with serving(tmp_path, WEB) as desk:
        other = await desk.connect()
        with floods.turns_counted() as turns:
            with floods.flooder(desk.home.control_socket, line, reads=reads):
                await until(lambda: turns.count, "the flood to begin")
                for _ in range(ANSWERS):
                    await other.call("job.status")

            assert turns.most == 1
            assert turns.most_pending_bytes < 2 * READ_BYTES


async def test_others_are_answered_among_a_thousand_connections(tmp_path: Path) -> None:
    raise_descriptor_limit(4096)
    async with serving(tmp_path, WEB) as desk:
        other = await desk.connect()

        clients = [await desk.connect() for _ in range(1000)]
        for _ in range(ANSWERS):
            await other.call("job.status")

        refused = 0
        for client in clients:
            with contextlib.suppress(EOFError):
                message = await probe(client)
                refused += message.get("error", {}).get("data", {}).get("name") == "saturated"
        assert refused == 1000 - 255


async def probe(client: Client) -> Json:
    with contextlib.suppress(trio.BrokenResourceError):
        await client.ask("job.status")
    return await client.line()


async def test_one_process_with_all_connections_does_not_lock_out_another(
    tmp_path: Path,
) -> None:
    limits = Limits(connections=8)
    async with serving(tmp_path, WEB, limits=limits) as desk:
        clients = [await desk.connect() for _ in range(8)]
        for client in clients:
            await client.call("job.status")
        code = (
            "import socket,sys\n"
            "c = socket.socket(socket.AF_UNIX)\n"
            "c.connect(sys.argv[1])\n"
            "c.sendall(bytes.fromhex(sys.argv[2]))\n"
            "print(c.makefile().readline())\n"
        )
        argv = [sys.executable, "-I", "-c", code, desk.home.control_socket, STATUS.hex()]

        done = await trio.run_process(argv, capture_stdout=True)
        await (await desk.connect()).call("job.status")
        refused = await (await desk.connect()).line()

        assert json.loads(done.stdout)["result"]["jobs"][0]["name"] == "web"
        assert refused["error"]["data"]["name"] == "saturated"
        with pytest.raises(EOFError):
            await clients[0].line()  # the one that was idle the longest made room
        assert await clients[1].call("job.status")


async def test_half_a_line_is_cut_off_in_the_end(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB, limits=Limits(half_line_s=0.2)) as desk:
        slow, idle = await desk.connect(), await desk.connect()

        await slow.send(STATUS + b'{"jsonrpc":"2.0",')
        answer = await slow.line()
        error = await slow.line()

        assert (answer["id"], error["error"]["data"]["name"]) == (1, "protocol")
        with pytest.raises(EOFError):
            await slow.line()
        assert await idle.call("job.status")


async def test_a_trickle_does_not_buy_time(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=Limits(half_line_s=0.3)) as desk:
        client = await desk.connect()

        async def trickle() -> None:
            with contextlib.suppress(trio.BrokenResourceError):
                while True:
                    await client.send(b"x")
                    await trio.sleep(0.02)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(trickle)
            error = await client.line()
            nursery.cancel_scope.cancel()

        assert "half a line" in error["error"]["message"]


async def test_a_line_beyond_the_limit_is_dropped_and_the_connection_lives_on(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()

        await client.send(b"y" * (3 << 20))
        await client.send(b"y\n")
        error = await client.line()

        assert error["error"]["code"] == -32700
        assert await client.call("job.status")


async def test_a_request_of_nearly_the_limit_is_taken(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()

        answer = await client.call("job.search", text="z" * ((1 << 20) - 200))

        assert answer == {"jobs": []}


async def test_a_connection_has_so_many_requests_in_flight_and_then_is_not_read(
    tmp_path: Path,
) -> None:
    jobs = [job(f"web-{number}", JobType.CONTINUOUS) for number in range(1, 6)]
    async with serving(tmp_path, *jobs, limits=Limits(in_flight=4)) as desk:
        client, other = await desk.connect(), await desk.connect()
        for each in jobs:
            await client.ask("run.wait", target=each.name, **{"for": "ready"})
        status = await client.ask("job.status")
        for _ in range(ANSWERS):
            await other.call("job.status")

        desk.config.current = Config(jobs=tuple(jobs[1:]))
        await desk.happen("job.removed", job=jobs[0].name)  # ends the waiting for it
        ids = [(await client.line())["id"] for _ in range(2)]

        assert ids == [1, status]


async def test_a_client_that_reads_no_answers_is_cut_off(tmp_path: Path) -> None:
    big = job("big", description="d" * (1 << 20))
    async with serving(tmp_path, big, limits=Limits(outgoing_bytes=1 << 19)) as desk:
        deaf, other = await desk.connect(), await desk.connect()
        for _ in range(2):
            await deaf.ask("run.wait", target="big", **{"for": "ready"})
        await deaf.ask("job.search", text="big")
        await until(lambda: polled(deaf) & select.POLLIN)  # its answer is on its way

        desk.config.current = Config()
        await desk.happen("job.removed", job="big")  # ends the waiting: more answers

        await until(lambda: polled(deaf) & select.POLLHUP)
        assert await other.call("daemon.status")


def polled(client: Client) -> int:
    """Return what the kernel says of a connection, without reading from it."""
    poll = select.poll()
    poll.register(client.stream.socket.fileno(), select.POLLIN)
    return sum(events for _fd, events in poll.poll(0))


async def test_descriptors_that_run_out_cost_new_clients_an_answer_and_nobody_else(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()
        await client.call("job.status")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        newcomer = sockets.socket(sockets.AF_UNIX)
        newcomer.settimeout(PATIENCE_S)
        held = []
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
            with contextlib.suppress(OSError):
                while True:
                    held.append(os.open(os.devnull, os.O_RDONLY))
            newcomer.connect(desk.home.control_socket)
            line = await trio.to_thread.run_sync(newcomer.recv, 4096)
            others = await client.call("job.status")
        finally:
            for fd in held:
                os.close(fd)
            newcomer.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        late = await desk.connect()

        assert json.loads(line)["error"]["data"]["name"] == "saturated"
        assert others["jobs"]
        assert await late.call("job.status")


@settings(
    max_examples=examples(40),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(pieces=st.lists(st.binary(max_size=200) | st.sampled_from([STATUS, b"\n", b"{}\n"])))
def test_random_bytes_get_errors_or_answers_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]
) -> None:
    async def talk() -> None:
        async with serving(tmp_path_factory.mktemp("bytes"), WEB) as desk:
            client = await desk.connect()

            for piece in pieces:
                await client.send(piece)
            await client.send(b"\n" + STATUS.replace(b'"id":1', b'"id":"last"'))

            while (message := await client.line())["id"] != "last":
                assert "error" in message or message["id"] == 1
            assert message["result"]["jobs"][0]["name"] == "web"

    trio.run(talk)
