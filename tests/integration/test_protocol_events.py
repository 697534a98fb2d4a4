"""Streams of events, long waits and request ids, over real sockets and a real store."""

import dataclasses
import os
from pathlib import Path

import pytest
import trio

from claw.client import auditlog
from claw.kernel import clock
from claw.master.control.limits import Limits
from claw.master.engine import dispatch, intake, intents, requests
from claw.master.engine.turn import Turn
from claw.model.job import JobType
from claw.model.run import Origin, State
from claw.store.records import Tx
from tests.kit.control import PATIENCE_S, Client, Desk, Json, job, laggards, serving, until

WEB = job("web", JobType.CONTINUOUS)
ETL = job("etl")


async def cursors(client: Client, count: int) -> list[int]:
    return [(await client.notification("event"))["cursor"] for _ in range(count)]


async def test_a_subscriber_gets_what_was_and_then_what_is_without_gap_or_repeat(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()
        await desk.happen(*["job.changed"] * 700)
        newest = (await client.call("event.subscribe"))["cursor"]

        answer = await client.call("event.subscribe", **{"from": 0})
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(desk.happen, *["job.changed"] * 100)
            seen: dict[int, list[int]] = {1: [], 2: []}
            for _ in range(500 + newest + 500):
                event = await client.notification("event")
                seen[event["subscription"]].append(event["cursor"])

        assert (answer["subscription"], answer["cursor"]) == (2, 0)
        assert seen[1] == list(range(newest + 1, newest + 501))
        assert seen[2] == list(range(1, newest + 501))


async def test_subscribers_join_at_any_moment_and_miss_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path) as desk:
        heard: list[list[int]] = []

        async def listen(start: int) -> None:
            client = await desk.connect()
            answer = await client.call("event.subscribe", **{"from": start})
            heard.append([answer["cursor"], *await cursors(client, 200 - start)])

        async with trio.open_nursery() as nursery:
            for number in range(1, 200):
                nursery.start_soon(desk.happen, "job.changed")
                if number % 20 == 0:
                    nursery.start_soon(listen, 1)

        assert heard == [list(range(1, 201))] * 9


async def test_a_filter_takes_patterns_and_skips_what_does_not_fit(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        filters = [{"job": "etl-*"}, {"type": "run.*"}, {"run": "r2"}]
        clients = [await desk.connect() for _ in filters]
        newest = await desk.store.read(Tx.last_cursor)
        await desk.happen("job.changed", "run.failed", job="etl-1", run="r1")

        for client, wanted in zip(clients, filters, strict=True):
            await client.call("event.subscribe", **{"from": newest}, filter=wanted)
        await desk.happen("run.queued", job="web", run="r2")
        await desk.happen("job.fatal", job="etl-2", run="r3")

        told = [
            [(await client.notification("event"))["type"] for _ in range(count)]
            for client, count in zip(clients, (3, 2, 1), strict=True)
        ]
        assert told == [
            ["job.changed", "run.failed", "job.fatal"],
            ["run.failed", "run.queued"],
            ["run.queued"],
        ]


async def test_an_unsubscribed_stream_is_silent(tmp_path: Path) -> None:
    async with serving(tmp_path) as desk:
        client = await desk.connect()
        await client.call("event.subscribe")

        await client.call("event.unsubscribe", subscription=1)
        await desk.happen("job.changed")
        again = await client.refusal("event.unsubscribe", subscription=1)

        assert again["data"]["name"] == "not_found"
        assert await client.call("rpc.discover")


async def cursors_resumed(client: Client, start: int, count: int) -> list[int]:
    """Subscribe, and again whenever told to, and return the cursors of so many events."""
    seen: list[int] = []
    while len(seen) < count:
        await client.call("event.subscribe", **{"from": start})
        while len(seen) < count:
            message = await client.line()
            if message["method"] == "lagged":  # the whole machine may have stood still
                start = message["params"]["resume_from"]
                break
            seen.append(message["params"]["cursor"])
    return seen


async def test_a_reader_that_stops_is_told_where_to_resume_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lagging = laggards(monkeypatch)
    async with serving(tmp_path, limits=Limits(lag_s=0.1)) as desk:
        client, other = await desk.connect(), await desk.connect()
        first = (await client.call("event.subscribe"))["cursor"]
        for _ in range(8):
            await desk.happen(*["job.changed"] * 1000)
        await until(lambda: lagging, "the reader to lag")

        everything = list(range(first + 1, first + 8001))
        assert await cursors_resumed(other, first, 8000) == everything
        seen = []
        while (message := await client.line())["method"] == "event":
            seen.append(message["params"]["cursor"])
        resume_from = message["params"]["resume_from"]
        seen += await cursors_resumed(client, resume_from, 8000 - len(seen))

        assert message["method"] == "lagged"
        assert message["params"]["subscription"] == 1
        assert seen == everything


async def test_a_reader_that_is_only_slow_is_never_told_that_it_lags(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=Limits(lag_s=PATIENCE_S)) as desk:
        client = await desk.connect()
        first = (await client.call("event.subscribe"))["cursor"]
        for _ in range(4):
            await desk.happen(*["job.changed"] * 1000)

        seen = []
        for number in range(4000):
            seen.append((await client.notification("event"))["cursor"])
            if number % 1000 == 0:
                await trio.sleep(0.05)

        assert seen == list(range(first + 1, first + 4001))


async def test_a_connection_has_so_many_streams_and_no_more(tmp_path: Path) -> None:
    async with serving(tmp_path, limits=Limits(in_flight=2)) as desk:
        client = await desk.connect()
        await client.call("event.subscribe")
        await client.call("event.subscribe")

        error = await client.refusal("event.subscribe")

        assert error["data"]["name"] == "saturated"


async def test_stored_events_are_read_a_page_at_a_time(tmp_path: Path) -> None:
    async with serving(tmp_path) as desk:
        client = await desk.connect()
        await desk.happen(*["job.changed", "job.added"] * 60)

        found: list[Json] = []
        page: Json = {"next": 0}
        while page["next"] is not None:
            page = await client.call(
                "event.list", **{"from": page["next"]}, limit=25, filter={"type": "job.added"}
            )
            found += page["events"]

        assert len(found) == 60
        assert found == sorted(found, key=lambda event: event["cursor"])
        huge = await client.call("event.list", **{"from": 10**30})
        assert huge == {"events": [], "next": None}


async def test_a_repeated_request_has_one_effect_and_the_same_answer(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client, other = await desk.connect(), await desk.connect()

        first = await client.call("run.submit", job="etl", request_id="once")
        again = await other.call("run.submit", job="etl", request_id="once")
        runs = await client.call("run.list")

        assert first == again
        assert [run["id"] for run in runs["runs"]] == [first["run"]]
        assert [line["outcome"] for line in desk.audit_lines()] == ["ok", "repeated"]


async def test_the_same_request_sent_at_once_by_many_has_one_effect(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL, WEB) as desk:
        clients = [await desk.connect() for _ in range(20)]
        answers = []

        async def ask(client: Client) -> None:
            answers.append(await client.call("job.restart", targets=["etl"], request_id="r"))

        async with trio.open_nursery() as nursery:
            for client in clients:
                nursery.start_soon(ask, client)
        runs = await clients[0].call("run.list")

        assert answers == [answers[0]] * 20
        assert len(runs["runs"]) == 1


async def test_a_request_that_does_what_no_transaction_holds_is_done_once(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()

        for _ in range(3):
            await client.call("config.reload", request_id="again")

        assert desk.reloads == [{"dry_run": False, "restart": True}]


async def test_a_request_id_is_good_for_one_request(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        await client.call("job.stop", targets=["etl"], request_id="x")

        other_method = await client.refusal("job.start", targets=["etl"], request_id="x")
        other_params = await client.refusal("job.stop", targets=["all"], request_id="x")

        assert other_method["data"]["name"] == other_params["data"]["name"] == "conflict"


async def test_what_failed_had_no_effect_and_may_be_asked_again(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        await client.call("job.pause", targets=["etl"])
        refused = await client.refusal("run.submit", job="etl", request_id="x")
        await client.call("job.resume", targets=["etl"])

        answer = await client.call("run.submit", job="etl", request_id="x")

        assert refused["data"]["name"] == "conflict"
        assert answer["job"] == "etl"


async def test_answers_older_than_a_day_are_forgotten(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        key, old = f"{os.getuid()}:x", clock.now() - requests.KEPT * 1.1
        await desk.decide(lambda turn: turn.tx.insert_request(key, "job.stop", {}, old))

        await client.call("job.stop", targets=["etl"], request_id="y")

        assert await desk.store.read(lambda tx: tx.request(key)) is None


async def submit(desk: Desk, name: str) -> str:
    """Ask for a run, and have it claimed."""
    ask = intake.Ask(job=name, origin=Origin.MANUAL, key=clock.random(8).hex())
    run = await desk.decide(lambda turn: intake.submit(turn, ask))
    await desk.decide(dispatch.dispatch)
    return run.id


async def test_waiting_for_a_run_ends_with_the_run_and_not_before(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        await desk.decide(lambda turn: intents.pause_job(turn, "etl", by="test"))
        ask = intake.Ask(job="etl", origin=Origin.MANUAL, key="k", forced=True)
        run = await desk.decide(lambda turn: intake.submit(turn, ask))

        number = await client.ask("run.wait", target=run.id[-8:])
        await desk.happen("job.changed", job="etl")
        await client.ask("daemon.status")
        before = await client.line()
        await desk.decide(lambda turn: intents.cancel_run(turn, run.id, by="test"))
        after = await client.line()

        assert before["id"] == number + 1
        assert (after["id"], after["result"]["state"]) == (number, "canceled")


async def test_waiting_takes_only_so_long(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()

        error = await client.refusal("run.wait", target="web", **{"for": "ready"}, timeout_s=0)

        assert (error["code"], error["data"]["name"]) == (-32006, "timed_out")


async def test_a_store_that_fails_is_said_and_changes_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        desk.store.database.close()

        error = await client.refusal("run.submit", job="etl")

        assert (error["code"], error["data"]["name"]) == (-32009, "store_failed")
        assert await client.call("rpc.discover")


async def test_one_refusal_among_several_jobs_is_told_beside_the_results(
    tmp_path: Path,
) -> None:
    off = job("off", enabled=False)
    async with serving(tmp_path, ETL, off) as desk:
        client = await desk.connect()

        answer = await client.call("job.start", targets=["all"])
        alone = await client.refusal("job.start", targets=["off"])

        results = {result["job"]: result for result in answer["results"]}
        assert results["etl"]["state"] == "waiting"
        assert results["off"]["state"] == "disabled"
        assert "disabled" in results["off"]["error"]
        assert answer["warnings"] == [results["off"]["error"]]
        assert alone["data"]["name"] == "conflict"


async def test_a_signal_reaches_the_supervisor_of_what_runs(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL, WEB) as desk:
        client = await desk.connect()
        run_id = await submit(desk, "etl")

        def begin(turn: Turn) -> str:
            run = turn.run(run_id)
            assert run.state is State.CLAIMED
            return str(run.sid)

        sid = await desk.decide(begin)
        nothing = await client.refusal("job.signal", targets=["etl"], signal="HUP")
        await desk.decide(lambda turn: _start(turn, run_id))
        answer = await client.call("job.signal", targets=["etl"], signal="sighup")
        bad = await client.refusal("job.signal", targets=["etl"], signal="SIGNAL")

        assert nothing["data"]["name"] == "conflict"
        assert answer["results"][0]["run"] == run_id
        assert desk.supervisors.sent == [(sid, {"op": "signal", "number": 1, "run": run_id})]
        assert bad["data"]["name"] == "usage"


def _start(turn: Turn, run_id: str) -> None:
    run = dataclasses.replace(turn.run(run_id), state=State.RUNNING, pid=4711)
    turn.tx.update_run(run)


async def test_times_and_texts_that_no_run_can_have_are_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        for params in (
            {"at": "2026-01-01T00:00:00"},
            {"at": "tomorrow"},
            {"at": "2026-01-01T00:00:00+01:00"},
            {"at": "2026-01-01T00:00:00+01:00", "delay_s": 5},
            {"env": {"A=B": "x"}},
            {"env": {"A": "\0"}},
            {"env": {"": "x"}},
            {"args": ["a\0b"]},
            {"delay_s": -1},
            {"delay_s": 1e300},
        ):
            error = await client.refusal("run.submit", job="etl", **params)
            assert error["code"] == -32602, params

        later = await client.call("run.submit", job="etl", delay_s=3600)
        shown = await client.call("run.show", run=later["run"])
        assert (shown["state"], shown["origin"]) == ("queued", "at")


async def test_the_audit_log_goes_on_with_its_chain_after_a_restart(tmp_path: Path) -> None:
    for _ in range(3):
        async with serving(tmp_path, ETL) as desk:
            client = await desk.connect()
            await client.call("job.stop", targets=["etl"])
            assert list(auditlog.verify_all(desk.home.log)) == []

    assert len((tmp_path / "log" / "audit.log").read_text().splitlines()) == 3


async def test_events_of_a_name_that_no_job_has_or_had_are_refused(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()

        refused = await client.refusal("event.list", filter={"job": "wen"})
        assert refused["data"]["name"] == "not_found"
        assert "web" in refused["data"]["hint"]

        await desk.happen("job.removed", job="gone")
        for name, count in (("web", 0), ("gone", 1), ("no*", 0)):
            found = await client.call("event.list", filter={"job": name, "type": "job.removed"})
            assert len(found["events"]) == count
