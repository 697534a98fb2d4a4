"""The line protocol, over real sockets and a real store."""

import contextlib
import json
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

import pytest
import trio

from claw.client import auditlog
from claw.commands.methods import METHODS
from claw.kernel import socket
from claw.master.control.limits import Limits
from claw.master.handlers.table import HANDLERS
from claw.model.job import Config, Daemon, JobType
from tests.kit import users
from tests.kit.control import PATIENCE_S, Client, job, serving, until

WEB = job("web", JobType.CONTINUOUS, tags=("front",))
ETL = job("etl", description="nightly")


def test_every_method_of_the_table_has_its_handler() -> None:
    assert set(HANDLERS) == set(METHODS)


async def test_a_request_without_hello_is_answered(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()

        status = await client.call("job.status")

        assert [each["name"] for each in status["jobs"]] == ["web"]


async def test_hello_agrees_on_a_version_and_tells_the_role(tmp_path: Path) -> None:
    async with serving(tmp_path) as desk:
        client = await desk.connect()

        answer = await client.call("hello", protocol=[1, 7], client="test 1")
        refusal = await client.refusal("hello", protocol=[2, 7])

        assert (answer["protocol"], answer["role"], answer["pid"]) == (1, "admin", os.getpid())
        assert refusal["data"]["name"] == "unsupported"


async def test_pipelined_requests_are_done_and_answered_in_order(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        methods = ["job.stop", "job.start", "job.pause", "job.stop", "job.start", "job.pause"]

        for method in methods:
            await client.ask(method, targets=["etl"])
        answers = [await client.line() for _ in methods]

        assert [answer["id"] for answer in answers] == [1, 2, 3, 4, 5, 6]
        states = [answer["result"]["results"][0]["state"] for answer in answers]
        assert states == ["stopped", "waiting", "paused", "stopped", "waiting", "paused"]


async def test_waiting_requests_are_overtaken(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()

        waiting = await client.ask("run.wait", target="web", **{"for": "ready"})
        status = await client.ask("job.status")
        first = await client.line()

        assert (first["id"], waiting) == (status, status - 1)


@pytest.mark.parametrize(
    ("line", "code", "id_"),
    [
        (b"nonsense", -32700, None),
        (b"\xff\xfe", -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"job.status"', -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"method":"job.status","params":{"text":NaN}}', -32700, None),
        (b"[" * 100_000, -32700, None),
        (b"[]", -32600, None),
        (b'[{"jsonrpc":"2.0","id":1,"method":"job.status"}]', -32600, None),
        (b'"job.status"', -32600, None),
        (b'{"id":7,"method":"job.status"}', -32600, 7),
        (b'{"jsonrpc":"2.0","id":{},"method":"job.status"}', -32600, None),
        (b'{"jsonrpc":"2.0","id":"a","method":3}', -32600, "a"),
        (b'{"jsonrpc":"2.0","id":"a","method":"job.status","params":[1]}', -32600, "a"),
        (b'{"jsonrpc":"2.0","id":5,"method":"job.sttus"}', -32601, 5),
        (b'{"jsonrpc":"2.0","id":5,"method":"job.status","params":{"tga":"x"}}', -32602, 5),
        (b'{"jsonrpc":"2.0","id":5,"method":"job.stop","params":{"targets":[]}}', -32602, 5),
        (
            rb'{"jsonrpc":"2.0","id":5,"method":"job.stop","params":{"targets":["\ud800"]}}',
            -32602,
            5,
        ),
    ],
)
async def test_a_bad_line_gets_one_error_and_the_connection_lives_on(
    tmp_path: Path, line: bytes, code: int, id_: object
) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()

        await client.send(line + b"\n")
        answer = await client.line()
        after = await client.call("job.status")

        assert (answer["error"]["code"], answer["id"]) == (code, id_)
        assert answer["error"]["data"]["name"]
        assert after["jobs"]


async def test_an_unknown_method_is_told_the_nearest(tmp_path: Path) -> None:
    async with serving(tmp_path) as desk:
        client = await desk.connect()

        error = await client.refusal("job.sttus")

        assert error["data"] == {"name": "unknown_method", "hint": "did you mean 'job.status'?"}


async def test_empty_lines_are_passed_over_and_a_call_without_id_is_not_answered(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()
        silent = {"jsonrpc": "2.0", "method": "job.stop", "params": {"targets": ["web"]}}

        await client.send(b"\n \n\r\n" + json.dumps(silent).encode() + b"\n")
        status = await client.call("job.status")

        assert status["jobs"][0]["state"] == "stopped"


async def test_the_socket_is_the_owners_alone_and_replaces_a_stale_one(tmp_path: Path) -> None:
    stale = tmp_path / "run" / "control.sock"
    stale.parent.mkdir(mode=0o700)
    stale.write_text("left behind")

    async with serving(tmp_path) as desk:
        mode = stat.S_IMODE(stale.stat().st_mode)
        client = await desk.connect()

        assert mode == 0o600
        assert await client.call("rpc.discover")
    assert not stale.exists()


def remove_folder(path: str) -> None:
    shutil.rmtree(path)


def mode_of(path: str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


async def test_the_socket_is_made_again_when_its_folder_is_removed(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        before = await desk.connect()
        for _ in range(3):
            remove_folder(desk.home.run)

            await until(lambda: Path(desk.home.control_socket).exists())
            after = await desk.connect()

            assert await after.call("job.status")
            # Children of root's master may be any user's: they pass through, and see nothing.
        assert mode_of(desk.home.run) == (0o711 if os.geteuid() == 0 else 0o700)
        assert await before.call("job.status")


async def test_a_home_with_a_long_path_is_served(tmp_path: Path) -> None:
    deep = tmp_path / ("long-" * 20) / ("path-" * 20)
    async with serving(deep, WEB) as desk:
        plain = socket.connect_unix(desk.home.control_socket)
        with plain:
            plain.sendall(b'{"jsonrpc":"2.0","id":1,"method":"job.status"}\n')
            answer = await trio.to_thread.run_sync(plain.recv, 65536)

        assert b'"web"' in answer


async def test_a_client_that_sends_no_more_still_gets_its_answers(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()

        await client.ask("run.wait", target="web", **{"for": "ready"})
        await client.ask("job.status")
        await client.stream.send_eof()
        status = await client.line()
        await desk.decide(lambda turn: turn.tx.delete_standing("web"))
        desk.config.current = type(desk.config.current)()
        await desk.happen("job.removed", job="web")
        waited = await client.line()

        assert (status["id"], waited["id"]) == (2, 1)
        assert waited["error"]["data"]["name"] == "not_found"
        with pytest.raises(EOFError):
            await client.line()


async def test_what_a_client_asked_is_done_although_it_has_gone(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()

        await client.ask("run.wait", target="web", **{"for": "ready"})
        await client.ask("job.stop", targets=["web"])
        await client.stream.aclose()
        other = await desk.connect()
        waited = await other.call("event.list", filter={"type": "job.stopped"})
        while not waited["events"]:
            waited = await other.call("event.list", filter={"type": "job.stopped"})

        assert waited["events"][0]["job"] == "web"


async def test_questions_of_a_client_that_has_gone_are_not_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def discover() -> dict[str, object]:
        nonlocal asked
        asked += 1
        return {"methods": ["x" * 10_000]}

    monkeypatch.setattr("claw.commands.methods.discover", discover)
    async with serving(tmp_path, WEB) as desk:
        client = Client(await trio.open_unix_socket(desk.home.control_socket))
        question = b'{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}\n'
        change = b'{"jsonrpc":"2.0","id":1,"method":"job.stop","params":{"targets":["web"]}}\n'

        await client.send(question * 1000 + change)
        await client.stream.aclose()
        await until(lambda: Path(desk.home.audit_log).exists())

        assert asked < 1000


async def test_a_change_is_audited_with_its_outcome_and_without_secrets(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        await client.call("run.submit", job="etl", env={"PASSWORD": "hunter2"}, args=["-v"])
        await client.refusal("job.stop", targets=["nosuch"])
        await client.call("job.status")

        lines = desk.audit_lines()

        assert [(line["method"], line["outcome"]) for line in lines] == [
            ("run.submit", "ok"),
            ("job.stop", "not_found"),
        ]
        assert lines[0]["params"] == {"job": "etl", "env": {"PASSWORD": "****"}, "args": ["-v"]}
        assert (lines[0]["uid"], lines[0]["pid"]) == (os.getuid(), os.getpid())
        assert "hunter2" not in json.dumps(lines)
        assert list(auditlog.verify_all(desk.home.log)) == []


async def test_a_mistake_in_a_handler_is_that_requests_failure_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()
        desk.next = None  # type: ignore[assignment]

        error = await client.refusal("job.status")
        other = await client.call("run.list")

        assert (error["code"], error["data"]["name"]) == (-32603, "internal")
        assert other["runs"] == []
        assert "job.status failed by mistake" in caplog.text


OTHER_USER = f"""
import os, socket, sys
os.setgid({users.NOBODY})
os.setuid({users.NOBODY})
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
sys.stdout.write(connection.makefile().read())
"""


@pytest.mark.root
@pytest.mark.skipif(bool(users.why_alone()), reason=users.why_alone())
async def test_other_users_are_refused_by_the_kernels_word(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101
        config = Config(jobs=(WEB,), daemon=Daemon(control_mode=0o666))
        async with serving(Path(folder), config=config) as desk:
            os.chmod(desk.home.run, 0o755)  # noqa: PTH101
            argv = [sys.executable, "-I", "-c", OTHER_USER, desk.home.control_socket]

            done = [await trio.run_process(argv, capture_stdout=True) for _ in range(3)]

    answers = [json.loads(each.stdout) for each in done]
    assert [answer["error"]["data"]["name"] for answer in answers] == ["denied"] * 3
    assert caplog.text.count("refused a connection") == 1


async def test_the_master_says_that_it_ends_before_it_does(tmp_path: Path) -> None:
    async with serving(tmp_path) as desk:
        client = await desk.connect()

        answer = await client.call("daemon.stop", mode="detach")

        assert (answer, desk.shutdowns) == ({}, ["detach"])


async def test_answers_on_their_way_are_sent_when_the_master_ends(tmp_path: Path) -> None:
    answers = []
    patient = Limits(flush_s=PATIENCE_S)

    async def read(client: Client) -> None:
        with contextlib.suppress(EOFError):
            while True:
                answers.append(await client.line())

    async with trio.open_nursery() as nursery, serving(tmp_path, WEB, limits=patient) as desk:
        client = Client(await trio.open_unix_socket(desk.home.control_socket))
        for _ in range(6):
            await client.ask("rpc.discover")
        await client.ask("job.stop", targets=["web"])
        await until(lambda: Path(desk.home.audit_log).exists())
        nursery.start_soon(read, client)

    await client.stream.aclose()
    assert [answer["id"] for answer in answers] == list(range(1, 8))
