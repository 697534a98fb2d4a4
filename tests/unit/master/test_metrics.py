"""Figures: counted once, bounded in number, written as Prometheus reads them."""

import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from claw.master.asyncstore import AsyncStore
from claw.master.engine import intents
from claw.master.metrics import counting, exposition, gathering
from claw.master.metrics.gathering import Live
from claw.master.views import statusview
from claw.model.event import Event
from claw.model.job import JobType
from claw.model.metrics import METRICS, Kind
from claw.model.sla import Sla
from tests.kit.desk import Desk, job, service

Figures = Mapping[tuple[str, tuple[str, ...]], float]


async def count(desk: Desk) -> None:
    """Count the events that a desk has had."""
    await counting.count_events(AsyncStore(desk.database), desk.config)


def happen(desk: Desk, event: Event) -> None:
    """Have an event on record."""
    desk.database.transact(lambda tx: tx.append_event(event))


def values_of(desk: Desk) -> dict[str, list[gathering.Sample]]:
    """Return all figures of a desk by name."""
    found = desk.database.view(lambda tx: gathering.read(tx, desk.config, desk.now))
    live = statusview.Live(now=desk.now, next_at=lambda _job: None)
    shown = [one for each in desk.config.jobs
             for one in statusview.job_objects(each, found.look, live)]  # fmt: skip
    known = Live(
        now=desk.now, started_at=desk.now, is_changed=False, is_failing=False, silent=0,
        last_backup_at=desk.now,
    )  # fmt: skip
    return gathering.values(desk.config, found, shown, known)


def figures(desk: Desk) -> Figures:
    """Return all figures of a desk by name and labels."""
    return {
        (name, labels): value
        for name, samples in values_of(desk).items()
        for labels, value in samples
    }


def busy() -> Desk:
    """Return a desk on which something of everything has happened."""
    desk = Desk(
        service("web"),
        job("etl", sla=Sla(success_rate=95.0)),
        job('odd"\\', JobType.SCHEDULED, schedule=("@daily",)),
        pools=(("gpu", 2),),
    )
    for code in (0, 0, 1):
        run = desk.begin("etl")
        desk.pass_s(10)
        desk.end(run, code=code)
    return desk


async def test_runs_are_counted_by_job_and_end() -> None:
    desk = busy()
    await count(desk)
    found = figures(desk)

    assert found["claw_runs_total", ("etl", "succeeded")] == 2
    assert found["claw_runs_total", ("etl", "failed")] == 1
    assert found["claw_runs_total", ("web", "failed")] == 0
    assert found["claw_attempts_total", ("etl",)] == 3
    assert found["claw_run_duration_seconds_count", ("etl",)] == 3
    assert found["claw_run_duration_seconds_sum", ("etl",)] == pytest.approx(30, abs=1)
    assert found["claw_job_last_run_success", ("etl",)] == 0
    assert ("claw_job_last_success_timestamp_seconds", ("etl",)) in found


async def test_an_event_is_counted_once_however_often_somebody_asks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = busy()
    monkeypatch.setattr(counting, "_AT_ONCE", 4)
    await count(desk)
    before = desk.database.view(lambda tx: tx.event_tallies())
    events = desk.database.view(lambda tx: tx.last_cursor())
    await count(desk)

    assert desk.database.view(lambda tx: tx.event_tallies()) == before
    assert sum(one.count for one in before) == events > 4


async def test_counts_stay_when_the_events_are_forgotten() -> None:
    desk = busy()
    await count(desk)
    before = figures(desk)["claw_runs_total", ("etl", "succeeded")]
    desk.database.transact(lambda tx: tx.delete_events(tx.last_cursor()))
    await count(desk)
    desk.end(desk.begin("etl"))
    await count(desk)

    assert figures(desk)["claw_runs_total", ("etl", "succeeded")] == before + 1


async def test_two_who_count_at_once_count_no_event_twice() -> None:
    desk = busy()
    store = AsyncStore(desk.database)
    late: list[int] = []
    keep = counting._keep

    def slowly(tx, after, through, found):  # type: ignore[no-untyped-def]
        if not late:
            late.append(1)
            keep(tx, after, through, found)  # another was faster
        keep(tx, after, through, found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_keep", slowly)
        await counting.count_events(store, desk.config)

    assert figures(desk)["claw_runs_total", ("etl", "succeeded")] == 2


async def test_jobs_that_are_not_configured_are_counted_together() -> None:
    desk = busy()
    for number in range(3):
        happen(desk, Event(at=desk.now, type="run.failed", job=f"gone-{number}"))
    await count(desk)
    found = figures(desk)

    assert found["claw_runs_total", ("(others)", "failed")] == 3
    assert not any("gone-1" in labels for _name, labels in found)


async def test_a_restart_is_a_process_that_follows_another_of_the_same_run() -> None:
    desk = Desk(service("web"))
    for kind in ["run.running"] * 2 + ["attempt.started"] * 5:
        happen(desk, Event(at=desk.now, type=kind, job="web"))
    await count(desk)

    assert figures(desk)["claw_restarts_total", ("web",)] == 3


async def test_every_figure_is_in_the_table_with_as_many_labels() -> None:
    desk = busy()
    await count(desk)
    series = {name: metric for metric in METRICS.values() for name in metric.series}

    for name, samples in values_of(desk).items():
        assert name in series, name
        assert all(len(labels) == len(series[name].labels) for labels, _value in samples)


async def test_the_text_is_what_prometheus_reads() -> None:
    desk = busy()
    await count(desk)
    text = exposition.text_of(values_of(desk))
    families = {family.name: family for family in parse(text)}

    assert families["claw_runs"].type == "counter"
    assert families["claw_run_duration_seconds"].type == "summary"
    names = {sample.labels.get("job_name") for sample in families["claw_runs_active"].samples}
    assert 'odd"\\' in names
    for family in families.values():
        metric = METRICS.get(family.name) or METRICS[f"{family.name}_total"]
        assert (family.type, family.documentation) == (metric.kind, metric.help)
    assert families["claw_process_open_fds"].samples[0].value > 2


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_finds_nothing_to_say_about_it() -> None:
    done = subprocess.run(
        ["promtool", "check", "metrics"],
        input=exposition.text_of(values_of(busy())),
        text=True,
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_names_and_units_are_as_prometheus_has_them() -> None:
    for metric in METRICS.values():
        assert metric.name.startswith("claw_")
        assert metric.name.endswith("_total") == (metric.kind is Kind.COUNTER), metric.name
        assert metric.help.endswith("."), metric.name
        assert not metric.name.endswith(("_ms", "_kb", "_minutes")), metric.name


async def test_a_disabled_job_is_shown_as_one() -> None:
    desk = busy()
    [web, *others] = desk.config.jobs
    desk.set_config(replace(web, enabled=False), *others)

    found = figures(desk)
    assert found["claw_job_enabled", ("web",)] == 0
    assert found["claw_jobs_in_state", ("disabled",)] == 1


async def test_a_run_that_somebody_ended_counts_as_no_failure() -> None:
    desk = Desk(service("web"))
    begun = desk.begin("web")
    desk.do(lambda turn: intents.stop_job(turn, "web", by="somebody"))
    desk.end(begun, None, signal=15, why="stop")

    found = figures(desk)
    assert ("claw_job_last_run_timestamp_seconds", ("web",)) in found
    assert ("claw_job_last_run_success", ("web",)) not in found
