"""What time alone makes of runs: jitter, backoff after errors, hours, the end of a oneshot."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from claw.errors import ConflictError
from claw.master.engine import intents, openhours, services, slots
from claw.master.views import jobrows, statusview
from claw.model.effect import Dispatch, DispatchAt, Retire
from claw.model.job import CatchUp, Job, JobType, Overlap
from claw.model.overlap import CATCH_UP
from claw.model.run import Run, State
from claw.model.timing import Hours, Outside, jitter
from tests.kit.desk import BOOT, T0, Desk, job

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
MORNING = Hours(begin=(14, 30), end=(18, 0))  # T0 is noon, UTC


def _hourly(**values: object) -> Job:
    return job("h", JobType.SCHEDULED, schedule=("0 * * * *",), **values)


def _once(**values: object) -> Job:
    return job("once", JobType.ONESHOT, run_at=T0 + HOUR, **values)


def _tick(desk: Desk) -> None:
    desk.do(lambda turn: slots.tick(turn, [one.name for one in desk.config.jobs]))


def _tick_at(desk: Desk, at: timedelta) -> Run:
    """Return the newest row after a tick at a time."""
    desk.now = T0 + at
    _tick(desk)
    return desk.runs()[0]


def _run_one(desk: Desk, code: int) -> Run:
    (claim,) = desk.dispatch()
    return desk.end(desk.launch(claim), code)


def test_jitter_is_spread_over_its_whole_range_and_always_the_same() -> None:
    found = [jitter("m", "j", T0 + n * HOUR, 600.0) for n in range(500)]
    assert found == [jitter("m", "j", T0 + n * HOUR, 600.0) for n in range(500)]
    assert all(timedelta(0) <= one <= timedelta(seconds=600) for one in found)
    tenths = {int(one.total_seconds() // 60) for one in found}
    assert tenths == set(range(10))


@pytest.mark.parametrize(("host", "name", "at"), [("n", "j", 0), ("m", "k", 0), ("m", "j", 1)])
def test_jitter_differs_by_host_job_and_time(host: str, name: str, at: int) -> None:
    assert jitter(host, name, T0 + at * HOUR, 600.0) != jitter("m", "j", T0, 600.0)


def test_a_run_is_due_by_its_jitter_later_than_its_slot() -> None:
    desk = Desk(_hourly(jitter_s=600.0))
    run = _tick_at(desk, HOUR)
    assert run.slot_at == T0 + HOUR
    assert run.due_at == run.slot_at + jitter("", "h", run.slot_at, 600.0)
    assert run.due_at > desk.now
    assert desk.dispatch() == ()
    desk.now = run.due_at
    assert [claim.run.id for claim in desk.dispatch()] == [run.id]


def test_the_jitter_of_a_machine_is_its_own() -> None:
    desk = Desk(_hourly(jitter_s=600.0))
    desk.do(lambda turn: services.begin(turn, BOOT, host="another"))
    run = _tick_at(desk, HOUR)
    assert run.due_at == T0 + HOUR + jitter("another", "h", T0 + HOUR, 600.0)


def test_a_slot_whose_jitter_is_not_over_is_not_late() -> None:
    desk = Desk(_hourly(jitter_s=600.0, catch_up=CatchUp.NONE))
    offset = jitter("", "h", T0 + HOUR, 600.0)
    desk.now = T0 + HOUR + offset - timedelta(seconds=1)  # nobody has looked since noon
    desk.do(lambda turn: services.begin(turn, BOOT))
    _tick(desk)
    (run,) = desk.runs()
    assert (run.state, run.due_at, run.cause) == (State.QUEUED, T0 + HOUR + offset, "start")


def test_a_slot_whose_jitter_is_over_is_late() -> None:
    desk = Desk(_hourly(jitter_s=600.0))
    desk.now = T0 + HOUR + timedelta(seconds=611)
    _tick(desk)
    assert [run.cause for run in desk.runs()] == [CATCH_UP]


def test_a_job_that_keeps_failing_is_left_alone_ever_longer_on_top_of_its_schedule() -> None:
    minutely = job(
        "m", JobType.SCHEDULED, schedule=("* * * * *",), error_backoff=True,
        on_overlap=Overlap.SKIP,
    )  # fmt: skip
    desk = Desk(minutely)
    began = []
    for minute in range(1, 200):
        desk.now = T0 + minute * MINUTE
        _tick(desk)
        for claim in desk.dispatch():
            began.append(minute)
            desk.end(desk.launch(claim), 1)
    # 30 s and 1 m are over at the next minute; then 5 m, 15 m, 1 h, and 1 h again.
    assert began == [1, 2, 3, 8, 23, 83, 143]
    rows = desk.runs("m")
    assert len(rows) == 199
    skipped = [run for run in rows if run.state is State.SKIPPED]
    assert len(skipped) == 199 - len(began)
    assert all("error_backoff: " in (run.reason or "") for run in skipped)
    assert "7 errors in a row, left alone until" in (skipped[0].reason or "")


def test_a_success_ends_the_backoff() -> None:
    desk = Desk(_hourly(error_backoff=True))
    for hour in (1, 2, 3):
        _tick_at(desk, hour * HOUR)
        _run_one(desk, 1)
    assert desk.database.view(lambda tx: tx.timing("h")).errors == 3
    desk.end(desk.begin("h"), 0)
    assert desk.database.view(lambda tx: tx.timing("h")).errors == 0
    assert _tick_at(desk, 4 * HOUR).state is State.QUEUED


def test_errors_are_counted_over_restarts_and_forgotten_with_the_job() -> None:
    desk = Desk(_hourly(error_backoff=True))
    _tick_at(desk, HOUR)
    _run_one(desk, 1)
    desk.do(lambda turn: services.begin(turn, BOOT))
    assert desk.database.view(lambda tx: tx.timing("h")).errors == 1
    desk.set_config()
    assert desk.database.view(lambda tx: tx.timings()) == {}


def test_a_slot_outside_the_hours_is_a_skipped_row_that_says_so() -> None:
    desk = Desk(_hourly(hours=MORNING))
    run = _tick_at(desk, HOUR)
    assert desk.dispatch() == ()
    run = desk.run(run.id)
    assert (run.state, run.reason) == (State.SKIPPED, "hours: outside 14:30-18:00 UTC")


def test_a_run_waits_for_its_hours_and_the_dispatcher_is_told_when() -> None:
    desk = Desk(_hourly(hours=replace(MORNING, outside=Outside.WAIT)))
    run = _tick_at(desk, HOUR)
    assert desk.dispatch() == ()
    opens = T0 + 2 * HOUR + 30 * MINUTE
    assert DispatchAt(opens) in desk.effects
    assert "hours: outside 14:30-18:00 UTC, waits until" in (desk.run(run.id).waiting_for or "")
    desk.now = opens
    assert [claim.run.id for claim in desk.dispatch()] == [run.id]


def test_the_opening_is_told_of_in_each_pass_for_a_master_may_be_new() -> None:
    desk = Desk(_hourly(hours=replace(MORNING, outside=Outside.WAIT)))
    _tick_at(desk, HOUR)
    desk.dispatch()
    desk.effects.clear()
    desk.dispatch()
    assert DispatchAt(T0 + 2 * HOUR + 30 * MINUTE) in desk.effects


def test_a_run_that_waits_for_its_hours_goes_when_the_clock_was_set_back_into_them() -> None:
    desk = Desk(_hourly(hours=replace(MORNING, outside=Outside.WAIT)))
    run = desk.ask("h")
    desk.now = T0 + 7 * HOUR
    assert desk.dispatch() == ()  # at 19:00 they begin tomorrow
    desk.now = T0 + 3 * HOUR
    desk.effects.clear()
    desk.do(openhours.look_again)
    assert Dispatch() in desk.effects
    assert [claim.run.id for claim in desk.dispatch()] == [run.id]


def test_a_run_outside_its_hours_may_go_with_an_alert() -> None:
    desk = Desk(_hourly(hours=replace(MORNING, outside=Outside.ALERT)))
    _tick_at(desk, HOUR)
    assert _run_one(desk, 0).state is State.SUCCEEDED
    (alert,) = desk.database.view(lambda tx: tx.alerts())
    assert "begins outside its hours, 14:30-18:00 UTC" in alert.text
    assert "run.outside_hours" in [event.type for event in desk.events(job="h")]


def test_runs_that_make_up_for_missed_slots_keep_to_the_hours() -> None:
    desk = Desk(_hourly(hours=MORNING))
    run = _tick_at(desk, 7 * HOUR + 5 * MINUTE)  # 19:05: all since noon was missed
    assert run.cause == CATCH_UP or run.state is State.MISSED
    assert desk.dispatch() == ()
    assert [one.state for one in desk.runs("h", State.SKIPPED)] == [State.SKIPPED]


def test_what_a_person_asks_for_outside_the_hours_is_refused_and_may_be_forced() -> None:
    desk = Desk(_hourly(hours=MORNING))
    with pytest.raises(ConflictError, match=r"runs 14:30-18:00 UTC only, which begin"):
        desk.ask("h")
    assert desk.ask("h", due_at=T0 + 3 * HOUR).due_at == T0 + 3 * HOUR
    forced = desk.ask("h", forced=True)
    assert [claim.run.id for claim in desk.dispatch()] == [forced.id]


def test_a_oneshot_that_is_to_go_after_its_run_is_stopped_and_its_history_stays() -> None:
    desk = Desk(_once(delete_after_run=True))
    _tick_at(desk, HOUR)
    run = _run_one(desk, 1)
    desk.dispatch()
    assert desk.standing("once").stopped_by == "delete_after_run"
    assert "job.retired" in [event.type for event in desk.events(job="once")]
    assert desk.run(run.id).state is State.FAILED


def test_a_oneshot_goes_when_its_ttl_is_over_and_no_run_of_it_is_open() -> None:
    desk = Desk(_once(ttl_s=7200.0))
    _tick_at(desk, HOUR)
    _run_one(desk, 0)
    assert DispatchAt(T0 + 3 * HOUR) in desk.effects
    desk.now = T0 + 2 * HOUR
    again = desk.begin("once", due_at=desk.now)
    desk.now = T0 + 3 * HOUR
    desk.dispatch()
    assert desk.standing("once").stopped_by is None
    desk.end(again)
    desk.now = T0 + 5 * HOUR
    desk.dispatch()
    assert desk.standing("once").stopped_by == "ttl"


def test_a_oneshot_whose_time_was_missed_goes_all_the_same() -> None:
    desk = Desk(_once(delete_after_run=True, hours=Hours(begin=(20, 0))))
    _tick_at(desk, HOUR)
    desk.dispatch()
    desk.dispatch()
    assert [run.state for run in desk.runs()] == [State.SKIPPED]
    assert desk.standing("once").stopped_by == "delete_after_run"


def test_a_run_before_its_time_ends_no_oneshot() -> None:
    desk = Desk(_once(delete_after_run=True))
    desk.end(desk.begin("once"))
    desk.dispatch()
    assert desk.standing("once").stopped_by is None


def test_a_oneshot_made_with_clawctl_is_to_be_removed() -> None:
    desk = Desk(_once(delete_after_run=True, file="/x/managed.toml"))
    _tick_at(desk, HOUR)
    _run_one(desk, 0)
    desk.dispatch()
    assert Retire("once", "delete_after_run") in desk.effects
    desk.effects.clear()
    desk.pass_s(61)
    desk.dispatch()
    assert Retire("once", "delete_after_run") in desk.effects  # until it is done


def test_a_oneshot_that_gets_another_time_is_there_again() -> None:
    desk = Desk(_once(delete_after_run=True))
    _tick_at(desk, HOUR)
    _run_one(desk, 0)
    desk.dispatch()
    desk.set_config(job("once", JobType.ONESHOT, run_at=T0 + 5 * HOUR, delete_after_run=True))
    assert desk.standing("once").stopped_by is None
    assert _tick_at(desk, 5 * HOUR).state is State.QUEUED


def test_status_says_until_when_a_job_is_left_alone() -> None:
    desk = Desk(_hourly(error_backoff=True))
    _tick_at(desk, HOUR)
    _run_one(desk, 1)
    assert _status(desk)["why"].startswith("error_backoff: 1 error in a row, left alone until")
    desk.pass_s(30)
    assert _status(desk)["why"] is None


def test_status_of_a_job_that_waits_for_a_boot_says_so() -> None:
    desk = Desk(job("h", JobType.SCHEDULED, schedule=("@reboot",)))
    desk.do(lambda turn: intents.end_runs(turn, "h", why="x", by="x"))
    assert _status(desk)["why"] == "it runs when the host boots"


def _status(desk: Desk) -> dict[str, Any]:
    one = desk.config.jobs[0]
    rows = desk.database.view(lambda tx: jobrows.look(tx, (one.name,)))
    live = statusview.Live(now=desk.now, next_at=lambda _job: desk.now + HOUR)
    if one.schedule == ("@reboot",):
        live = statusview.Live(now=desk.now, next_at=lambda _job: None)
    (shown,) = statusview.job_objects(one, rows, live)
    return shown
