"""What is told of slots: what will become of those to come, what became of those that were."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice

from claw.master.engine import intents, slots
from claw.master.views import slotview, whyview
from claw.master.views.slotview import Coming
from claw.model.job import CatchUp, Job, JobType, Overlap
from claw.model.run import State
from claw.model.timing import Hours, Outside, jitter
from claw.store.records import Tx
from tests.kit.desk import T0, Desk, job

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
EVENING = Hours(begin=(14, 30), end=(18, 0))  # T0 is noon, UTC


def _hourly(**values: object) -> Job:
    return job("h", JobType.SCHEDULED, schedule=("0 * * * *",), **values)


def _tick(desk: Desk) -> None:
    desk.do(lambda turn: slots.tick(turn, ["h"]))


def _coming(desk: Desk, count: int = 3) -> list[Coming]:
    standing = desk.standing("h")

    def look(tx: Tx) -> list[Coming]:
        found = slotview.coming(tx, desk.config.jobs[0], standing, desk.now)
        return list(islice(found, count))

    return desk.database.view(look)


def _then(desk: Desk, at: datetime) -> str:
    lines = desk.database.view(
        lambda tx: whyview.explain_then(tx, desk.config, "h", at, desk.now)
    )
    return "\n".join(lines)


def _run_at(desk: Desk, at: timedelta, code: int = 0) -> None:
    desk.now = T0 + at
    _tick(desk)
    (claim,) = desk.dispatch()
    desk.end(desk.launch(claim), code)


def test_slots_to_come_are_told_in_order() -> None:
    found = _coming(Desk(_hourly()))
    assert [(one.slot, one.begins) for one in found] == [
        (T0 + n * HOUR, T0 + n * HOUR) for n in (1, 2, 3)
    ]
    assert {one.notes for one in found} == {()}


def test_jitter_is_foreseen_as_it_will_be() -> None:
    desk = Desk(_hourly(jitter_s=600.0))
    (first, *_rest) = _coming(desk)
    assert first.begins == T0 + HOUR + jitter("", "h", T0 + HOUR, 600.0)
    assert first.notes[0].startswith("jitter: ")
    desk.now = T0 + HOUR
    _tick(desk)
    (waiting, following, *_rest) = _coming(desk)
    assert (waiting.slot, waiting.begins) == (T0 + HOUR, first.begins)
    assert waiting.run == desk.runs("h")[0].id
    assert following.slot == T0 + 2 * HOUR


def test_hours_pauses_and_backoff_are_foreseen() -> None:
    desk = Desk(_hourly(hours=EVENING, error_backoff=True))
    assert [one.begins for one in _coming(desk)] == [None, None, T0 + 3 * HOUR]
    assert "hours: outside 14:30-18:00 UTC" in _coming(desk)[0].text
    desk.set_config(_hourly(hours=replace(EVENING, outside=Outside.WAIT)))
    assert _coming(desk)[0].begins == T0 + 2 * HOUR + 30 * MINUTE
    desk.do(lambda turn: intents.pause_job(turn, "h", by="eve"))
    assert [one.notes for one in _coming(desk, 1)] == [("paused by eve: clawctl resume h",)]
    desk = Desk(_hourly(error_backoff=True))
    for hour in range(1, 5):
        _run_at(desk, hour * HOUR, 1)
    desk.now = T0 + 4 * HOUR + 30 * MINUTE
    desk.end(desk.begin("h"), 1)  # by hand
    text = _coming(desk, 1)[0].text
    assert "it will be skipped: error_backoff: 5 errors in a row, left alone until" in text
    assert _coming(desk, 2)[1].begins == T0 + 6 * HOUR


def test_slots_that_will_find_one_waiting_for_the_hours_are_foreseen_as_skipped() -> None:
    waits = replace(EVENING, outside=Outside.WAIT)
    desk = Desk(_hourly(hours=waits, on_overlap=Overlap.SKIP))
    first, second, third = _coming(desk)
    assert (first.begins, second.begins) == (T0 + 2 * HOUR + 30 * MINUTE, None)
    assert second.notes[-1] == "on_overlap = skip: a run before it still waits then"
    assert third.begins == third.slot == T0 + 3 * HOUR
    desk.now = T0 + HOUR
    _tick(desk)
    desk.dispatch()
    held, next_one, _after = _coming(desk)
    assert (held.run, next_one.slot, next_one.begins) == (desk.runs()[0].id, second.slot, None)
    standing = desk.standing("h")
    found = desk.database.view(
        lambda tx: slotview.next_one(tx, desk.config.jobs[0], standing, desk.now)
    )
    assert found == next_one


def test_slots_that_find_no_more_room_in_the_queue_are_foreseen_as_skipped() -> None:
    waits = replace(EVENING, begin=(15, 30), outside=Outside.WAIT)
    desk = Desk(_hourly(hours=waits, on_overlap=Overlap.QUEUE, max_queued=1))
    first, second, third = _coming(desk)
    assert first.begins == second.begins == T0 + 3 * HOUR + 30 * MINUTE
    assert third.text.endswith("on_overlap = queue: 1 wait already then (max_queued)")


def test_a_slot_that_ran_is_told_with_its_run_and_end() -> None:
    desk = Desk(_hourly())
    _run_at(desk, HOUR, 3)
    told = _then(desk, T0 + HOUR)
    name = desk.runs("h")[0].id[-6:]
    assert "2026-03-02" in told
    assert told.startswith("its schedule has the slot ")
    assert f"run {name} began" in told
    assert "failed, exit 3" in told


def test_a_slot_that_began_late_says_how_late() -> None:
    desk = Desk(_hourly())
    desk.now = T0 + HOUR
    _tick(desk)
    desk.pass_s(90)
    (claim,) = desk.dispatch()
    desk.launch(claim)
    assert "1m30s after its time" in _then(desk, T0 + HOUR)


def test_a_time_between_two_slots_tells_of_both() -> None:
    desk = Desk(_hourly())
    _run_at(desk, HOUR)
    told = _then(desk, T0 + HOUR + 20 * MINUTE)
    assert told.startswith("no slot of its schedule is at ")
    assert "the one before it is" in told
    assert "succeeded" in told
    assert "is still to come: it will run" in told


def test_missed_made_up_and_skipped_slots_say_why() -> None:
    desk = Desk(_hourly(catch_up=CatchUp.ONCE))
    desk.now = T0 + 10 * HOUR + 20 * MINUTE
    _tick(desk)
    (claim,) = desk.dispatch()
    desk.end(desk.launch(claim))
    missed = _then(desk, T0 + 4 * HOUR)
    assert "it was missed (run" in missed
    assert "one of 9 from" in missed
    assert "catch_up = once" in missed
    assert "which made up for it: claw could not act in time" in _then(desk, T0 + 10 * HOUR)
    desk.do(lambda turn: intents.pause_job(turn, "h", by="eve"))
    desk.now = T0 + 11 * HOUR
    _tick(desk)
    assert "it was skipped" in _then(desk, T0 + 11 * HOUR)
    assert "paused by eve" in _then(desk, T0 + 11 * HOUR)


def test_times_before_the_job_was_added_and_times_to_come_are_told_too() -> None:
    desk = Desk(job("a"))
    desk.now = T0 + 3 * HOUR
    desk.set_config(_hourly())
    assert "nothing was due: the job was added" in _then(desk, T0 + HOUR)
    assert "is still to come: it will run" in _then(desk, T0 + 9 * HOUR)


def test_a_slot_of_a_former_schedule_is_told_of() -> None:
    desk = Desk(_hourly())
    _run_at(desk, HOUR)
    desk.set_config(job("h", JobType.SCHEDULED, schedule=("30 2 * * *",)))
    told = _then(desk, T0 + HOUR)
    assert "by the schedule of that time the slot" in told
    assert "succeeded" in told


def test_a_slot_that_stands_is_told_with_what_it_waits_for() -> None:
    desk = Desk(_hourly(hours=replace(EVENING, outside=Outside.WAIT)))
    desk.now = T0 + HOUR
    _tick(desk)
    desk.dispatch()
    assert desk.runs("h")[0].state is State.QUEUED
    assert "hours: outside 14:30-18:00 UTC, waits until" in _then(desk, T0 + HOUR)
