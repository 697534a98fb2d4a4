"""Changes that one client sends one right after the other are decided about together."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

from claw.client import auditlog
from claw.commands.methods import METHODS
from claw.master.control import calls
from claw.master.control.limits import Limits
from claw.master.engine import intake
from claw.master.engine.intake import Ask
from claw.master.engine.turn import Turn
from claw.master.handlers.table import HANDLERS
from claw.master.supervision.pulse import Piece, Pulse
from claw.model.run import Run
from tests.kit.control import Client, Desk, Json, job, serving, until

ETL, WEB = job("etl"), job("web")
Request = tuple[str, Json]


@pytest.fixture
def decisions(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note how many changes each decision is about."""
    found: list[int] = []
    decide = Pulse._decide_about

    async def note(self: Pulse, pieces: list[Piece]) -> None:
        found.append(len(pieces))
        await decide(self, pieces)

    monkeypatch.setattr(Pulse, "_decide_about", note)
    return found


async def send(client: Client, requests: Sequence[Request]) -> None:
    """Send some requests in one piece; their ids count from 0."""
    lines = [
        json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        for number, (method, params) in enumerate(requests)
    ]
    await client.send("".join(f"{line}\n" for line in lines).encode())


async def answers(client: Client, requests: Sequence[Request]) -> list[Json]:
    """Send some requests in one piece, and return their answers, which are in order."""
    await send(client, requests)
    found = [await client.line() for _ in requests]
    assert [one["id"] for one in found] == list(range(len(requests)))
    return found


async def queued(desk: Desk) -> list[str]:
    """Return what waits, in the order in which it goes."""
    client = await desk.connect()
    return [one["run"] for one in (await client.call("queue.list", limit=1000))["runs"]]


def submit(name: str, **params: object) -> Request:
    return "run.submit", {"job": name, **params}


def test_what_only_decides_is_a_change() -> None:
    """Only so it is right that it is carried out for a client that has gone."""
    decisions = {name for name, one in HANDLERS.items() if isinstance(one, calls.Decision)}

    assert {"event.emit", "run.cancel", "run.submit"} <= decisions
    assert all(METHODS[name].is_mutating for name in decisions)


async def test_requests_in_one_piece_are_one_decision_and_go_in_their_order(
    tmp_path: Path, decisions: list[int]
) -> None:
    async with serving(tmp_path, ETL, WEB) as desk:
        client = await desk.connect()
        wanted = [submit("etl" if number % 3 else "web") for number in range(30)]

        found = await answers(client, wanted)

        assert [one["result"]["job"] for one in found] == [
            params["job"] for _, params in wanted
        ]
        assert decisions == [30]
        assert await queued(desk) == [one["result"]["run"] for one in found]
        assert [line["outcome"] for line in desk.audit_lines()] == ["ok"] * 30
        assert list(auditlog.verify_all(desk.home.log)) == []


async def test_each_is_refused_on_its_own(tmp_path: Path, decisions: list[int]) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        wanted = [
            submit("etl"),
            submit("nosuch"),
            submit("etl", sorted=1),
            ("run.cancel", {"targets": ["nosuch"]}),
            submit("etl", env={"=": ""}),
            submit("etl"),
        ]

        found = await answers(client, wanted)

        names = [one["error"]["data"]["name"] if "error" in one else "ok" for one in found]
        assert names == ["ok", "not_found", "usage", "not_found", "usage", "ok"]
        assert decisions == [4]  # what was looked at and refused before is not among them
        written = [line["outcome"] for line in desk.audit_lines()]
        assert written == ["ok", "not_found", "not_found", "usage", "ok"]
        assert len(await queued(desk)) == 2


async def test_what_is_no_decision_alone_has_its_place_among_them(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        wanted = [
            submit("etl"),
            ("queue.list", {}),
            submit("etl"),
            ("job.pause", {"targets": ["etl"]}),
            submit("etl"),
            ("queue.list", {}),
        ]

        found = await answers(client, wanted)

        assert len(found[1]["result"]["runs"]) == 1
        assert found[4]["error"]["data"]["name"] == "conflict"
        assert len(found[5]["result"]["runs"]) == 2


async def test_a_cancel_sees_what_was_asked_for_before_it_and_nothing_after(
    tmp_path: Path, decisions: list[int]
) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()

        found = await answers(
            client, [submit("etl"), ("run.cancel", {"targets": ["etl"]}), submit("etl")]
        )

        first, canceled, last = (one["result"] for one in found)
        assert canceled["canceled"] == [first["run"]]
        assert await queued(desk) == [last["run"]]
        assert decisions == [3]


async def test_a_line_that_is_no_request_is_answered_in_its_place(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        line = b'{"jsonrpc":"2.0","id":%d,"method":"run.submit","params":{"job":"etl"}}\n'

        await client.send(line % 1 + b"nonsense\n" + line % 2 + b"[]\n" + line % 3)

        assert [(await client.line())["id"] for _ in range(5)] == [1, None, 2, None, 3]


async def test_a_request_id_that_comes_twice_in_one_piece_has_one_effect(
    tmp_path: Path, decisions: list[int]
) -> None:
    async with serving(tmp_path, ETL, WEB) as desk:
        client = await desk.connect()
        wanted = [
            submit("etl", request_id="x"),
            submit("etl", request_id="x"),
            submit("web", request_id="x"),
            ("run.cancel", {"targets": ["etl"], "request_id": "x"}),
            submit("etl", request_id="y"),
        ]

        found = await answers(client, wanted)
        again = await answers(client, wanted)

        assert found[0]["result"] == found[1]["result"]
        assert "another run.submit" in found[2]["error"]["message"]
        assert "was used for run.submit" in found[3]["error"]["message"]
        assert [one.get("result") for one in again] == [one.get("result") for one in found]
        assert decisions == [5, 5]
        assert len(await queued(desk)) == 2
        outcomes = [line["outcome"] for line in desk.audit_lines()]
        assert outcomes[:5] == ["ok", "repeated", "conflict", "conflict", "ok"]
        assert outcomes[5:] == ["repeated", "repeated", "conflict", "conflict", "repeated"]


async def test_a_request_id_is_one_with_what_is_not_a_decision_alone(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client, other = await desk.connect(), await desk.connect()
        stop = await client.call("job.pause", targets=["etl"], request_id="x")

        error = await other.refusal("run.submit", job="etl", request_id="x")
        await other.call("run.cancel", targets=["etl"], request_id="y")
        late = await client.refusal("job.pause", targets=["etl"], request_id="y")

        assert stop["results"][0]["state"] == "paused"
        assert "was used for job.pause" in error["message"]
        assert "was used for run.cancel" in late["message"]


async def test_a_mistake_in_one_of_them_reaches_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = intake.submit

    def fail(turn: Turn, ask: Ask) -> Run:
        if ask.job == "web":
            raise RuntimeError("a mistake")
        return store(turn, ask)

    monkeypatch.setattr(intake, "submit", fail)
    async with serving(tmp_path, ETL, WEB) as desk:
        client = await desk.connect()

        found = await answers(client, [submit("etl"), submit("web"), submit("etl")])

        assert found[1]["error"]["data"]["name"] == "internal"
        assert "run.submit failed by mistake" in caplog.text
        runs = [one["result"]["run"] for one in found if "result" in one]
        assert await queued(desk) == runs
        assert [one["outcome"] for one in desk.audit_lines()] == ["ok", "internal", "ok"]


async def test_what_is_not_to_be_answered_is_carried_out_among_the_others(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        line = b'{"jsonrpc":"2.0",%b"method":"run.submit","params":{"job":"etl"}}\n'

        await client.send(line % b'"id":1,' + line % b"" + line % b'"id":2,')

        assert [(await client.line())["id"] for _ in range(2)] == [1, 2]
        assert len(await queued(desk)) == 3


async def test_one_decision_is_about_so_many_of_one_client_at_most(
    tmp_path: Path, decisions: list[int]
) -> None:
    async with serving(tmp_path, ETL, limits=Limits(joined=4)) as desk:
        client = await desk.connect()

        await answers(client, [submit("etl")] * 10)

        assert decisions == [4, 4, 2]


async def test_of_many_clients_a_decision_takes_few_more_than_one_of_each(
    tmp_path: Path, decisions: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "TOGETHER", 8)
    async with serving(tmp_path, ETL) as desk:
        clients = [await desk.connect() for _ in range(10)]

        for client in clients:
            await send(client, [submit("etl")] * 20)
        for client in clients:
            assert [(await client.line())["id"] for _ in range(20)] == list(range(20))

        assert sum(decisions) == 200
        assert max(decisions) <= 8 + len(clients)


async def test_what_a_client_asked_in_one_piece_is_done_although_it_has_gone(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()

        await send(client, [submit("etl")] * 40)
        await trio.aclose_forcefully(client.stream)

        def written() -> bool:
            return Path(desk.home.audit_log).exists() and len(desk.audit_lines()) == 40

        await until(written, "40 lines in the audit log")
        assert len(await queued(desk)) == 40
