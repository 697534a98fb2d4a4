"""Conditions: what a change of a run begins and ends, one alert for each."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from claw.master.engine import alerts, intents
from claw.model.alerts import Alert, Alerting, AlertKind
from claw.model.job import Job, Restart
from claw.model.run import Run, State
from claw.store.records import Tx
from tests.kit.desk import Desk, job, service


def on(*kinds: AlertKind) -> Alerting:
    """Return what is wanted of a job."""
    return Alerting(on=frozenset(kinds))


def told(desk: Desk) -> list[tuple[str, int]]:
    """Return the alerts that stand, and how often each was seen."""
    return [(one.kind, one.times) for one in desk.database.view(Tx.all_standing_alerts)]


def alert_events(desk: Desk) -> list[tuple[str, str | None]]:
    """Return what was said of alerts, in order."""
    found = (event for event in desk.events() if event.type.startswith("alert."))
    return [(event.type, event.new or event.old) for event in found]


def _away(run: Run, state: State, run_id: str) -> Run:
    return replace(run, id=run_id, origin_key=run_id, state=state, reason="late")


def fail(desk: Desk, name: str, times: int) -> None:
    """Have runs of a job fail, one after the other."""
    for _ in range(times):
        desk.pass_s(1)
        desk.end(desk.begin(name), 3)


def failing_service(desk: Desk, codes: Iterable[int]) -> None:
    """Have a service's child end again and again."""
    desk.do(lambda turn: intents.start_job(turn, "web", by="me", key="k"))
    (claim,) = desk.dispatch()
    found = desk.launch(claim)
    for number, code in enumerate(codes, 1):
        desk.pass_s(1)
        found.exit(number, code)
        until = desk.now.timestamp() + 1
        found.add("restarting", run="", attempt=number + 1, until=until, restarts=number)
        found.add("started", run=claim.run.id, attempt=number + 1, pid=810, start=6)
    desk.read(found)


def test_ten_failures_in_a_row_are_one_alert_that_the_next_success_resolves() -> None:
    desk = Desk(job("etl", alerts=on(AlertKind.FAILED, AlertKind.RECOVERED)))

    fail(desk, "etl", 10)
    (alert,) = desk.database.view(Tx.open_alerts)
    assert (alert.kind, alert.times, alert.job) == ("failed", 10, "etl")
    assert alert.text.startswith("etl failed: exit 3: clawctl logs ")
    desk.end(desk.begin("etl"))

    assert told(desk) == [("recovered", 1)]
    assert alert_events(desk) == [
        ("alert.raised", "failed"),
        ("alert.resolved", "failed"),
        ("alert.raised", "recovered"),
    ]


def test_the_failure_after_a_recovery_is_news_again() -> None:
    desk = Desk(job("etl", alerts=on(AlertKind.FAILED, AlertKind.RECOVERED)))
    fail(desk, "etl", 1)
    desk.end(desk.begin("etl"))
    fail(desk, "etl", 1)
    assert told(desk) == [("failed", 1)]
    assert [one.kind for one in desk.database.view(Tx.alerts)] == [
        "failed", "recovered", "failed",
    ]  # fmt: skip


def test_a_job_whose_people_want_no_alert_raises_none() -> None:
    desk = Desk(job("etl"), job("quiet", alerts=on()))
    fail(desk, "etl", 2)
    fail(desk, "quiet", 2)
    assert told(desk) == []


def test_a_condition_that_was_noted_is_not_raised_anew_while_it_stands() -> None:
    desk = Desk(job("etl", alerts=on(AlertKind.FAILED)))
    fail(desk, "etl", 1)
    (alert,) = desk.database.view(Tx.open_alerts)
    assert desk.do(lambda turn: alerts.ack(turn, alert.id))
    assert not desk.do(lambda turn: alerts.ack(turn, alert.id))
    fail(desk, "etl", 1)
    assert desk.database.view(Tx.open_alerts) == ()
    assert told(desk) == [("failed", 2)]


def test_what_merely_happened_is_over_once_it_is_noted() -> None:
    desk = Desk(job("etl", alerts=on(AlertKind.SUCCEEDED)))
    desk.end(desk.begin("etl"))
    desk.end(desk.begin("etl"))
    (alert,) = desk.database.view(Tx.open_alerts)
    assert (alert.kind, alert.times) == ("succeeded", 2)
    desk.do(lambda turn: alerts.ack(turn, alert.id))
    assert told(desk) == []


def test_a_run_that_is_turned_away_is_told_where_that_is_wanted() -> None:
    desk = Desk(job("etl", alerts=on(AlertKind.MISSED)))
    kept = desk.ask("etl")

    def miss(state: State) -> None:
        twin = desk.run(kept.id)
        desk.do(lambda turn: turn.add(_away(twin, state, turn.new_run_id())))

    miss(State.SKIPPED)
    assert told(desk) == []
    miss(State.MISSED)
    miss(State.MISSED)
    assert told(desk) == [("missed", 2)]


def test_a_service_that_fails_is_told_from_the_fifth_time_in_a_row_on() -> None:
    desk = Desk(service("web"))
    failing_service(desk, [1, 1, 1, 1])
    assert told(desk) == []

    desk = Desk(service("web"))
    failing_service(desk, [1, 1, 1, 1, 1, 1])
    assert told(desk) == [("failed", 2)]
    assert "web fails again and again: exit 1: clawctl logs web" in _texts(desk)


def test_a_child_that_ends_well_in_between_is_no_failure_in_a_row() -> None:
    desk = Desk(service("web"))
    failing_service(desk, [1, 1, 1, 0, 1, 1])
    assert told(desk) == []


def test_a_service_that_lived_for_long_in_between_has_not_failed_in_a_row() -> None:
    desk = Desk(service("web", restart=Restart(reset_after_s=0.5)))
    failing_service(desk, [1] * 6)
    assert told(desk) == []


def test_a_service_that_is_stopped_does_not_fail_any_more() -> None:
    desk = Desk(service("web"))
    failing_service(desk, [1] * 5)
    (found,) = desk.journals.values()
    found.add("ended", run=desk.run_of(found).id, attempt=6, why="stop", by="me")
    desk.read(found)
    assert told(desk) == []


def test_a_job_that_is_gone_takes_its_alerts_with_it() -> None:
    desk = Desk(job("etl", alerts=on(AlertKind.FAILED)))
    fail(desk, "etl", 1)
    desk.set_config()
    assert told(desk) == []


@pytest.mark.parametrize("retries", [0, 2])
def test_retries_are_exhausted_only_when_there_were_any(retries: int) -> None:
    desk = Desk(job("etl", alerts=on(AlertKind.RETRIES_EXHAUSTED)))
    found = desk.begin("etl")
    run = desk.run_of(found)
    desk.do(lambda turn: turn.tx.update_run(replace(run, retries=retries)))
    desk.end(found, 3)
    assert told(desk) == ([("retries_exhausted", 1)] if retries else [])


def _texts(desk: Desk) -> str:
    found: tuple[Alert, ...] = desk.database.view(Tx.all_standing_alerts)
    return "\n".join(alert.text for alert in found)


def test_two_jobs_have_alerts_of_their_own() -> None:
    jobs: list[Job] = [job(name, alerts=on(AlertKind.FAILED)) for name in ("a", "b")]
    desk = Desk(*jobs)
    fail(desk, "a", 1)
    fail(desk, "b", 2)
    assert told(desk) == [("failed", 1), ("failed", 2)]
