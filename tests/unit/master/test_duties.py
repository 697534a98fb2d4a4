"""Duties: what should have happened and has not, whoever should have seen to it."""

from datetime import datetime, timedelta

import pytest

from claw.master.engine import duties, intents, pools, slots
from claw.master.engine.duties import Finding
from claw.model.alerts import Alerting, AlertKind
from claw.model.job import Job, JobType, Restart
from claw.store.records import Tx
from tests.kit.desk import T0, Desk, job, service
from tests.unit.master.test_conditions import failing_service, told

HOUR = 3600.0


def hourly(**values: object) -> Job:
    """Return a job that runs at each full hour."""
    return job("etl", JobType.SCHEDULED, schedule=("0 * * * *",), **values)


def look(desk: Desk) -> Finding:
    """Look at all jobs and judge what is found, as the lookout does."""
    names = [one.name for one in desk.config.jobs]
    found = desk.database.view(lambda tx: duties.look(tx, desk.config, names, desk.now))
    news = [one.job for one in found if one.is_news]
    desk.do(lambda turn: duties.judge(turn, news))
    (only,) = found
    return only


def tick(desk: Desk) -> None:
    """Have the rows of passed slots written."""
    desk.do(lambda turn: slots.tick(turn, ["etl"]))


def texts(desk: Desk) -> str:
    """Return what the alerts say that stand."""
    return "\n".join(one.text for one in desk.database.view(Tx.all_standing_alerts))


def after(seconds: float) -> datetime:
    """Return a time after the beginning of a test."""
    return T0 + timedelta(seconds=seconds)


def test_a_job_is_looked_at_again_when_its_next_slot_may_have_been_forgotten() -> None:
    desk = Desk(hourly())
    assert look(desk).next_at == after(HOUR + duties.ROWLESS_S)


def test_a_slot_without_a_row_is_overdue_and_its_row_ends_that() -> None:
    desk = Desk(hourly(overdue_after_s=600.0))
    desk.pass_s(HOUR + 599)
    found = look(desk)
    assert (found.late, found.rowless) == ({}, after(HOUR))
    desk.pass_s(1)

    found = look(desk)
    assert told(desk) == [("overdue", 1)]
    assert "has no row: nobody has looked at it: clawctl why etl" in texts(desk)
    assert found.next_at == desk.now + timedelta(seconds=duties.AGAIN_S)
    look(desk)
    assert told(desk) == [("overdue", 1)]

    tick(desk)
    desk.launch(desk.dispatch()[0])
    assert look(desk).rowless is None
    assert told(desk) == []


def test_a_run_that_waits_for_long_after_its_slot_is_overdue() -> None:
    desk = Desk(hourly(), job("other"))
    desk.set_config(hourly())
    desk.pass_s(HOUR)
    tick(desk)
    desk.pass_s(duties.OVERDUE_AFTER_S - 1)
    assert look(desk).next_at == after(HOUR + duties.OVERDUE_AFTER_S)
    assert told(desk) == []
    desk.pass_s(1)
    look(desk)
    assert told(desk) == [("overdue", 1)]
    assert "waits for 5m" in texts(desk)
    desk.launch(desk.dispatch()[0])
    look(desk)
    assert told(desk) == []


def test_a_run_that_waits_for_the_hours_of_its_job_is_not_overdue() -> None:
    desk = Desk(hourly())
    desk.pass_s(HOUR)
    tick(desk)
    (run,) = desk.runs("etl")
    desk.do(lambda turn: turn.tx.set_waiting_for(run.id, "hours: outside mon-fri"))
    desk.pass_s(HOUR / 2)
    look(desk)
    assert told(desk) == []


def test_what_an_operator_holds_is_not_overdue() -> None:
    desk = Desk(hourly())
    desk.pass_s(HOUR)
    tick(desk)
    desk.do(lambda turn: intents.pause_job(turn, "etl", by="me"))
    desk.pass_s(HOUR / 2)
    look(desk)
    assert told(desk) == []


def test_what_passed_before_the_master_began_is_not_its_ticker_s_fault() -> None:
    desk = Desk(hourly())
    desk.pass_s(5 * HOUR)
    began = desk.now.isoformat()
    desk.do(lambda turn: turn.tx.put_meta(slots.BEGAN, began))
    found = look(desk)
    assert found.rowless is None
    assert found.next_at == desk.now + timedelta(seconds=duties.ROWLESS_S)


@pytest.mark.parametrize(
    "values",
    [
        {"overdue_after_s": 0.0},
        {"alerts": Alerting(on=frozenset({AlertKind.FAILED}))},
    ],
)
def test_overdue_is_told_where_it_is_wanted(values: dict[str, object]) -> None:
    desk = Desk(hourly(**values))
    desk.pass_s(HOUR + 1000)
    assert look(desk).rowless is not None
    assert told(desk) == []


def test_a_job_without_a_success_for_too_long_is_stale_until_one() -> None:
    desk = Desk(job("etl", success_within_s=100.0))
    assert look(desk).next_at == after(100)
    desk.pass_s(60)
    desk.end(desk.begin("etl"))
    desk.pass_s(60)
    assert look(desk).late == {}
    desk.end(desk.begin("etl"), 1)
    desk.pass_s(60)

    look(desk)
    assert told(desk) == [("stale", 1)]
    assert "etl has not succeeded for 1m40s (success_within): last " in texts(desk)
    desk.end(desk.begin("etl"))
    assert told(desk) == []


def test_a_paused_job_that_never_succeeded_is_stale_too() -> None:
    desk = Desk(job("etl", success_within_s=100.0))
    desk.do(lambda turn: intents.pause_job(turn, "etl", by="me"))
    desk.pass_s(100)
    look(desk)
    assert "never since it was added" in texts(desk)
    assert "it is paused by me: clawctl resume etl" in texts(desk)


def test_a_job_that_has_no_duty_is_not_looked_at_again() -> None:
    assert look(Desk(job("etl"))).next_at is None
    assert look(Desk(service("web"))).next_at is None


def test_a_ticker_that_is_stuck_is_told_as_such() -> None:
    desk = Desk(hourly())
    desk.pass_s(HOUR + 61)
    found = look(desk)
    desk.do(lambda turn: duties.tell_ticker(turn, [found]))
    assert told(desk) == [("ticker", 1)]
    assert "The ticker is stuck: 1 jobs have a slot that nobody has written" in texts(desk)
    desk.do(lambda turn: duties.tell_ticker(turn, []))
    assert told(desk) == []


def test_a_service_that_failed_is_well_when_it_has_lived_for_long_enough() -> None:
    desk = Desk(service("web", restart=Restart(reset_after_s=60.0)))
    failing_service(desk, [1] * 5)
    assert told(desk) == [("failed", 1)]
    (found,) = desk.journals.values()
    found.add("ready", run="", attempt=6, by="none")
    desk.read(found)

    began = desk.now
    assert look(desk).next_at == began + timedelta(seconds=60)
    desk.pass_s(60)
    look(desk)
    assert told(desk) == []


@pytest.mark.parametrize("what", ["all", "job etl"])
def test_what_an_operator_holds_back_is_not_overdue(what: str) -> None:
    desk = Desk(hourly(overdue_after_s=600.0))
    desk.do(lambda turn: pools.pause(turn, what, by="op"))
    desk.pass_s(HOUR + 1)
    tick(desk)
    desk.pass_s(700)

    found = look(desk)

    assert (found.late, told(desk)) == ({}, [])
    assert found.next_at is not None
