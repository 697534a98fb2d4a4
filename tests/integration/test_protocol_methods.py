"""What single methods answer, each held against the schema that the table states."""

from dataclasses import replace
from pathlib import Path

import pytest

from claw.master.engine import alerts, intake
from claw.master.engine.turn import Turn
from claw.master.handlers import queue as queue_handlers
from claw.master.handlers import run as run_handlers
from claw.model.job import JobType
from claw.model.outcome import START_LIMIT
from claw.model.run import Origin, State
from tests.kit.control import Desk, Json, job, serving

WEB = job("web", JobType.CONTINUOUS, tags=("front",), description="the site")
ETL = job("etl", tags=("nightly",), command="load --all")


async def submit(desk: Desk, count: int, **values: object) -> list[str]:
    """Ask for some runs, and return their ids, oldest first."""

    def decide(turn: Turn) -> list[str]:
        keys = (f"{turn.now}-{number}" for number in range(count))
        asks = (intake.Ask(job="etl", origin=Origin.AT, key=key, **values) for key in keys)  # type: ignore[arg-type]
        return sorted(intake.submit(turn, ask).id for ask in asks)

    return await desk.decide(decide)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        ({}, ["etl", "web"]),
        ({"targets": ["w*", "etl"]}, ["etl", "web"]),
        ({"tag": "front"}, ["web"]),
        ({"type": "manual"}, ["etl"]),
        ({"state": "disabled"}, []),
        ({"text": "SITE"}, ["web"]),
        ({"text": "--all", "tag": "front"}, []),
    ],
)
async def test_status_is_of_the_jobs_asked_for(
    tmp_path: Path, wanted: Json, names: list[str]
) -> None:
    async with serving(tmp_path, WEB, ETL) as desk:
        client = await desk.connect()

        status = await client.call("job.status", **wanted)

        assert [each["name"] for each in status["jobs"]] == names


async def test_status_says_what_somebody_has_to_know(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()
        text = "the database was damaged"
        await desk.decide(lambda turn: alerts.raise_alert(turn, "damaged", None, None, text))
        desk.config.is_changed = True

        warned = (await client.call("job.status"))["warnings"]
        daemon = await client.call("daemon.status")
        (alert,) = (await client.call("alert.list"))["alerts"]
        acked = await client.call("alert.ack", targets=[str(alert["id"])])
        again = await client.call("alert.ack", targets=[str(alert["id"])])
        none = await client.call("alert.ack")
        after = (await client.call("job.status"))["warnings"]

        assert warned == daemon["warnings"] == ["the database was damaged", *after]
        assert "clawctl reload" in after[0]
        assert daemon["config_changed"]
        assert (acked, none) == ({"acked": 1}, {"acked": 0})
        assert again == {"acked": 0}
        assert (await client.call("alert.list"))["alerts"] == []
        assert len((await client.call("alert.list", all=True))["alerts"]) == 1
        for unknown in (str(10**30), "nosuchjob"):
            refused = await client.refusal("alert.ack", targets=[unknown])
            assert refused["data"]["name"] == "not_found"


async def test_verbose_status_has_use_and_last_line(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL, WEB) as desk:
        client = await desk.connect()
        folder = tmp_path / "log" / "etl"
        folder.mkdir()
        (folder / "out.log").write_text("one\ntwo\n")

        etl, web = (await client.call("job.status", verbose=True))["jobs"]

        assert (etl["last_line"], web["last_line"]) == ("two", None)
        assert (etl["cpu_time"], etl["memory"], etl["processes"]) == (None, None, 0)


async def test_runs_are_listed_newest_first_a_page_at_a_time(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB, ETL) as desk:
        client = await desk.connect()
        runs = await submit(desk, 130)

        found: list[str] = []
        page: Json = {"next": None}
        while True:
            more = {} if page["next"] is None else {"before": page["next"]}
            page = await client.call("run.list", job="etl", limit=60, **more)
            found += [run["id"] for run in page["runs"]]
            if page["next"] is None:
                break

        assert found == runs[::-1]
        assert len((await client.call("run.list"))["runs"]) == run_handlers.DEFAULT_LIMIT
        assert (await client.call("run.list", job="web"))["runs"] == []
        assert (await client.call("run.list", state="failed"))["next"] is None
        assert (await client.refusal("run.list", job="nosuch"))["data"]["name"] == "not_found"
        assert (await client.refusal("run.list", before="nosuch"))["data"][
            "name"
        ] == "not_found"


async def test_a_long_queue_is_cleared_in_several_requests_of_short_decisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_handlers, "CLEARED", 4)
    monkeypatch.setattr(queue_handlers, "AT_ONCE", 3)
    async with serving(tmp_path, ETL) as desk:
        runs = await submit(desk, 10)
        client = await desk.connect()

        replies = [await client.call("queue.clear", why="enough") for _ in range(3)]

        assert [len(one["canceled"]) for one in replies] == [4, 4, 2]
        assert [one["left"] for one in replies] == [6, 2, 0]
        assert replies[0]["canceled"] == runs[:5:-1]  # the last in the queue go first
        listed = (await client.call("run.list", limit=20))["runs"]
        assert {one["reason"] for one in listed} == {"cancel: queue clear: enough"}


async def test_a_page_of_runs_is_bounded_in_bytes(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        runs = await submit(desk, 5, args=("x" * 300_000,))

        first = await client.call("run.list")
        second = await client.call("run.list", before=first["next"])

        ids = [run["id"] for run in (*first["runs"], *second["runs"])]
        assert len(first["runs"]) == 2
        assert ids == runs[::-1][: len(ids)]


async def test_a_run_is_shown_by_a_part_of_its_id(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        (run,) = await submit(desk, 1)

        shown = await client.call("run.show", run=run[-6:])
        short = await client.refusal("run.show", run=run[-5:])

        assert (shown["id"], shown["state"], shown["origin"]) == (run, "queued", "at")
        assert short["data"] == {
            "name": "not_found",
            "hint": "give 6 letters of its id or more",
        }


async def test_search_and_why_speak_of_jobs_and_runs(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB, ETL) as desk:
        client = await desk.connect()
        (run,) = await submit(desk, 1)

        found = await client.call("job.search", text="Site")
        of_job = await client.call("job.why", target="etl")
        of_run = await client.call("job.why", target=run)
        then = await client.call("job.why", target="etl", at="2020-01-01T00:00:00Z")

        assert [each["name"] for each in found["jobs"]] == ["web"]
        assert of_job["lines"][0].startswith("etl is")
        assert of_run["lines"][0].startswith(f"run {run} of etl is queued")
        assert "nothing is known of etl" in then["lines"][0]


async def test_cancel_ends_the_runs_of_a_job_or_those_named(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        runs = await submit(desk, 3)

        one = await client.call("run.cancel", targets=[runs[1]], why="a mistake")
        rest = await client.call("run.cancel", targets=["etl"])
        again = await client.refusal("run.cancel", targets=[runs[1]])
        shown = await client.call("run.show", run=runs[1])

        assert one["canceled"] == [runs[1]]
        assert sorted(rest["canceled"]) == [runs[0], runs[2]]
        assert again["data"]["name"] == "conflict"
        assert "a mistake" in shown["reason"]


async def test_a_service_that_has_given_up_is_not_waited_for(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()

        def give_up(turn: Turn) -> None:
            ask = intake.Ask(job="web", origin=Origin.MANUAL, key="k")
            run = intake.submit(turn, ask)
            over = {"state": State.FAILED, "reason": START_LIMIT, "ended_at": turn.now}
            turn.tx.update_run(replace(run, **over))  # type: ignore[arg-type]
            turn.tx.put_standing(replace(turn.standing("web"), last_run=run.id))

        number = await client.ask("run.wait", target="web", **{"for": "ready"})
        await desk.decide(give_up)
        answer = await client.line()

        assert answer["id"] == number
        assert answer["error"]["data"] == {"name": "conflict", "hint": "clawctl logs web"}


async def test_waiting_for_a_job_includes_the_runs_that_are_due(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB, ETL) as desk:
        client = await desk.connect()

        ended = await client.call("run.wait", target="etl")
        await submit(desk, 1)
        waiting = await client.refusal("run.wait", target="etl", timeout_s=0)

        assert ended == {"job": "etl", "state": "stopped"}
        assert waiting["data"]["name"] == "timed_out"


async def test_reload_hands_on_what_was_asked(tmp_path: Path) -> None:
    async with serving(tmp_path) as desk:
        client = await desk.connect()

        await client.call("config.reload", dry_run=True)
        await client.call("config.reload", restart=False)

        assert desk.reloads == [
            {"dry_run": True, "restart": True},
            {"dry_run": False, "restart": False},
        ]


async def test_every_event_of_a_change_names_who_made_it(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB) as desk:
        client = await desk.connect()

        await client.call("job.stop", targets=["web"])
        page = await client.call("event.list", filter={"type": "job.stopped"})

        assert [event["by"] for event in page["events"]] == [desk.owner]
