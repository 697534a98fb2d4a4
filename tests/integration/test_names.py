"""``name.list``: what shells are told that there is."""

from pathlib import Path

import pytest

from claw.commands.calls_names import NAMED
from claw.master.engine import alerts, intake
from claw.master.engine.turn import Turn
from claw.master.views import nameview
from claw.model import ids
from claw.model.job import JobType
from claw.model.run import Origin
from claw.model.workflow import Step, Workflow
from tests.kit.control import Client, Json, job, serving

WEB = job("web", JobType.CONTINUOUS, tags=("front", "eu"), title="the site", instances=2)
ETL = job("etl", tags=("eu",), command="load  --all", events=("orders.*",))
FLOW = job("flow", workflow=Workflow(steps=(Step(name="one", job="etl"),)))


async def _names(client: Client, kind: str, prefix: str = "", **more: object) -> Json:
    reply = await client.call("name.list", kind=kind, prefix=prefix, **more)
    return {one["name"]: one["says"] for one in reply["names"]}


def test_every_kind_has_a_source() -> None:
    assert set(nameview.SOURCES) == set(NAMED)


@pytest.mark.parametrize("kind", NAMED)
async def test_there_may_be_none_of_a_kind(tmp_path: Path, kind: str) -> None:
    async with serving(tmp_path) as desk:
        client = await desk.connect()

        assert await _names(client, kind, "x") == {}


async def test_jobs_targets_and_tags_are_those_of_the_configuration(tmp_path: Path) -> None:
    async with serving(tmp_path, WEB, ETL, FLOW) as desk:
        client = await desk.connect()

        assert await _names(client, "jobs", "w") == {"web": "continuous: the site"}
        assert (await _names(client, "jobs"))["etl"] == "manual: load --all"
        assert list(await _names(client, "jobs", limit=2)) == ["web", "etl"]
        assert list(await _names(client, "targets")) == ["web", "etl", "flow", "all", "tag:"]
        assert list(await _names(client, "targets", "tag:e")) == ["tag:eu"]
        assert list(await _names(client, "targets", "web@")) == ["web@1", "web@2"]
        assert await _names(client, "targets", "nobody@") == {}
        assert await _names(client, "tags") == {"eu": "2 jobs", "front": "1 job"}
        assert await _names(client, "workflows") == {"flow": "manual: "}
        assert await _names(client, "events") == {"orders.*": "starts etl"}


async def test_runs_are_named_by_the_end_of_their_id_or_as_it_is_begun(
    tmp_path: Path,
) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        older = await desk.decide(lambda turn: _submitted(turn, "a"))
        newer = await desk.decide(lambda turn: _submitted(turn, "b"))

        shown = await _names(client, "runs")
        newest_first = sorted((older, newer), reverse=True)  # they may be of one millisecond
        assert list(shown.items()) == [(ids.short(one), "etl: queued") for one in newest_first]
        assert list(await _names(client, "runs", older[:-1])) == [older]
        assert await _names(client, "open") == shown
        assert await _names(client, "dead") == {}


def _submitted(turn: Turn, key: str) -> str:
    return intake.submit(turn, intake.Ask(job="etl", origin=Origin.AT, key=key)).id


async def test_batches_are_offered_newest_first_and_each_once(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        made = []
        for _ in range(2):
            lines = [{"args": ["a"]}, {"args": ["b"]}]
            batch = await client.call("run.submit_batch", job="etl", runs=lines)
            made.append(batch["batch"])

        newest_first = sorted(made, reverse=True)
        assert list(await _names(client, "batches")) == [ids.short(one) for one in newest_first]
        assert list(await _names(client, "batches", "b")) != []


async def test_keys_and_alerts_are_offered(tmp_path: Path) -> None:
    async with serving(tmp_path, ETL) as desk:
        client = await desk.connect()
        for key in ("order-1", "order-2", "other"):
            await client.call("idem.claim", key=key)
        await desk.decide(lambda turn: alerts.raise_alert(turn, "damaged", None, None, "x"))

        assert list(await _names(client, "keys", "order")) == ["order-1", "order-2"]
        assert list((await _names(client, "alerts")).values()) == ["daemon: damaged"]


async def test_secrets_are_those_that_something_refers_to_and_those_that_are_kept(
    tmp_path: Path,
) -> None:
    web = job("web", env=(("TOKEN", "${secret:WEB_TOKEN}"), ("KEY", "${secret:WEB_KEY}")))
    async with serving(tmp_path, web) as desk:
        client = await desk.connect()
        referred = {"WEB_TOKEN": "used by web", "WEB_KEY": "used by web"}
        assert await _names(client, "secrets") == referred

        for name in ("WEB_TOKEN", "OTHER"):
            await client.call("secret.set", name=name, value="hidden")

        assert await _names(client, "secrets") == {**referred, "OTHER": "kept"}
        assert list(await _names(client, "secrets", "O")) == ["OTHER"]


async def test_a_name_of_no_kind_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path) as desk:
        client = await desk.connect()

        refused = await client.refusal("name.list", kind="people")

        assert refused["data"]["name"] == "usage"
