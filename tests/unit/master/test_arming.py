"""Runs that are claimed before they are due: nobody sees them as begun; they are taken back."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from claw.master.control.targets import Aim
from claw.master.engine import arming, intents, journal, pools, services, slots
from claw.master.engine.dispatch import Claim
from claw.master.supervision import adopt
from claw.master.views import jobrows, queueview, statusview, whyview
from claw.model import ids
from claw.model.approval import Approval
from claw.model.effect import StopRun, Withdraw
from claw.model.graph import Dependency
from claw.model.job import CatchUp, Daemon, Job, JobType, Overlap
from claw.model.pool import PoolUse
from claw.model.run import Priority, Run, State
from tests.kit.desk import T0, Desk, Journal, job

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
SLOT = T0 + HOUR


def hourly(name: str = "h", **values: Any) -> Job:
    return job(name, **{"type_": JobType.SCHEDULED, "schedule": ("0 * * * *",), **values})


def arm(desk: Desk) -> tuple[Claim, ...]:
    """Arm what is due within a second, a second before."""
    desk.now = SLOT - SECOND
    names = [one.name for one in desk.config.jobs]
    return desk.do(lambda turn: arming.arm(turn, names, SLOT + SECOND))


def armed(*jobs: Job, daemon: Daemon | None = None) -> tuple[Desk, Claim]:
    """Return a desk at which the run of the first job is armed."""
    desk = Desk(*(jobs or (hourly(),)), daemon=daemon)
    claim, *_ = arm(desk)
    desk.effects.clear()
    return desk, claim


def tick(desk: Desk, name: str = "h") -> object:
    return desk.do(lambda turn: slots.tick(turn, [name]))[name]


def withdrawals(desk: Desk) -> list[str]:
    """Return the runs that are to be withdrawn, and forget them."""
    found = [effect.run for effect in desk.effects if isinstance(effect, Withdraw)]
    desk.effects.clear()
    return found


def withdraw(desk: Desk, claim: Claim) -> None:
    """Have its supervisor say that it has not begun, and will not."""
    said = Journal(desk, claim.sid)
    said.add("withdrawn", run=claim.run.id, attempt=claim.attempt, why="test")
    desk.read(said)


def the_row(desk: Desk, name: str = "h") -> Run:
    (run,) = desk.runs(name)
    return run


def shown(desk: Desk, name: str = "h") -> dict[str, object]:
    """Return the status of a job, with a ticker that knows its next slot."""
    one = desk.config.job(name)
    assert one is not None
    rows = desk.database.view(jobrows.look)
    live = statusview.Live(
        now=desk.now,
        next_at=lambda it: slots.next_slot(it, desk.standing(it.name), desk.now),
    )
    return statusview.job_object(one, rows, live)


def test_what_is_due_in_a_moment_is_claimed_to_begin_then() -> None:
    desk, claim = armed()

    assert claim.begin_at == SLOT
    assert (claim.run.state, claim.run.due_at, claim.run.slot_at) == (State.CLAIMED, SLOT, SLOT)
    assert desk.standing("h").scheduled_through == T0
    assert arm(desk) == ()  # it is already


def test_until_its_time_its_job_waits_for_that() -> None:
    desk, _claim = armed()

    status = shown(desk)

    assert (status["state"], status["why"], status["run"]) == ("scheduled", None, None)
    assert status["next_at"] == SLOT.isoformat()
    assert status["queued"] == 0
    desk.now = SLOT
    assert shown(desk)["state"] == "starting"


def test_why_says_that_it_is_made_ready() -> None:
    desk, claim = armed()
    live = statusview.Live(now=desk.now, next_at=lambda _job: SLOT)
    aim = Aim("h")

    lines = desk.database.view(lambda tx: whyview.explain_job(tx, desk.config, aim, live))

    begins = f"run {ids.short(claim.run.id)} is made ready, and begins"
    assert any(line.startswith(begins) for line in lines), lines


def test_i5_a_slot_whose_run_was_armed_has_that_one_row() -> None:
    desk, claim = armed()
    desk.now = SLOT + timedelta(milliseconds=20)
    begun = desk.launch(claim)

    assert tick(desk) == SLOT + HOUR
    assert desk.dispatch() == ()

    assert the_row(desk).id == claim.run.id
    assert desk.end(begun).state is State.SUCCEEDED
    assert tick(desk) == SLOT + HOUR
    assert the_row(desk).state is State.SUCCEEDED


def test_i5_it_may_end_before_its_slot_has_its_mark() -> None:
    desk, claim = armed(hourly(error_backoff=True))
    desk.now = SLOT + timedelta(milliseconds=1)
    assert desk.end(desk.launch(claim), 1).state is State.FAILED

    assert tick(desk) == SLOT + HOUR

    assert the_row(desk).state is State.FAILED


@pytest.mark.parametrize("catch_up", CatchUp)
@pytest.mark.parametrize("is_paused", [True, False])
def test_i5_one_that_ran_is_in_no_stretch_when_nobody_could_set_its_mark(
    is_paused: bool, catch_up: CatchUp
) -> None:
    desk, claim = armed(hourly(catch_up=catch_up))
    desk.now = SLOT + timedelta(milliseconds=1)
    desk.end(desk.launch(claim))
    desk.now = SLOT + 3.5 * HOUR
    desk.do(lambda turn: services.begin(turn, "boot-1"))

    if is_paused:
        standing = replace(desk.standing("h"), paused_by="me")
        desk.database.transact(lambda tx: tx.put_standing(standing))
    tick(desk)

    found = Counter[datetime | None]()
    for run in desk.runs("h"):
        assert run.slot_at is not None
        found.update(run.slot_at + number * HOUR for number in range(run.slot_count))
    assert found == Counter(SLOT + number * HOUR for number in range(4))
    first = min(desk.runs("h"), key=lambda run: run.queued_at)
    assert (first.id, first.state) == (claim.run.id, State.SUCCEEDED)


def test_one_that_is_withdrawn_leaves_no_row_and_its_slot_fires_as_ever() -> None:
    desk, claim = armed()

    withdraw(desk, claim)

    assert desk.runs("h") == ()
    assert desk.database.view(lambda tx: tx.open_supervisors()) == ()
    assert desk.events(run=claim.run.id)[-1].type == "run.withdrawn"
    assert tick(desk) == SLOT
    desk.now = SLOT
    tick(desk)
    (again,) = desk.dispatch()
    assert (again.run.slot_at, again.attempt, again.begin_at) == (SLOT, 1, None)


def test_i11_that_it_was_withdrawn_may_be_read_twice() -> None:
    desk, claim = armed()
    withdraw(desk, claim)
    before = desk.dump()

    desk.do(lambda turn: journal.apply_journal(turn, claim.sid, _line(claim), 0))

    assert desk.dump() == before


def _line(claim: Claim) -> bytes:
    desk = Desk()
    said = Journal(desk, claim.sid)
    said.add("withdrawn", run=claim.run.id, attempt=claim.attempt, why="test")
    return said.data


@pytest.mark.parametrize("is_gone_first", [True, False])
def test_a_paused_job_has_it_withdrawn_and_its_slot_skipped(is_gone_first: bool) -> None:
    desk, claim = armed()

    desk.do(lambda turn: intents.pause_job(turn, "h", by="me"))

    assert withdrawals(desk) == [claim.run.id]
    if is_gone_first:
        withdraw(desk, claim)
    desk.now = SLOT
    if not is_gone_first:  # nobody knows yet whether it has begun
        assert tick(desk) == SLOT + timedelta(seconds=0.2)
        assert withdrawals(desk) == [claim.run.id]
        withdraw(desk, claim)
    tick(desk)
    assert the_row(desk).state is State.SKIPPED
    assert desk.dispatch() == ()


def test_one_that_had_begun_when_its_job_was_paused_goes_on() -> None:
    desk, claim = armed()
    desk.do(lambda turn: intents.pause_job(turn, "h", by="me"))
    desk.now = SLOT
    begun = desk.launch(claim)

    assert tick(desk) == SLOT + HOUR

    assert the_row(desk).state is State.RUNNING
    assert desk.end(begun).state is State.SUCCEEDED


def test_a_stopped_job_has_its_slot_skipped() -> None:
    desk, claim = armed()

    desk.do(lambda turn: intents.stop_job(turn, "h", by="me"))
    assert [stop.run for stop in desk.stops()] == [claim.run.id]
    withdraw(desk, claim)

    assert desk.runs("h") == ()
    desk.now = SLOT
    tick(desk)
    assert the_row(desk).state is State.SKIPPED


def test_one_that_is_canceled_says_so_and_does_not_run() -> None:
    desk, claim = armed()

    desk.do(lambda turn: intents.cancel_run(turn, claim.run.id, by="me"))
    assert [stop.run for stop in desk.stops()] == [claim.run.id]
    withdraw(desk, claim)

    assert the_row(desk).state is State.CANCELED
    desk.now = SLOT
    assert tick(desk) == SLOT + HOUR
    assert desk.dispatch() == ()
    assert the_row(desk).state is State.CANCELED


def test_a_shutdown_leaves_the_slot_to_the_next_master() -> None:
    desk, claim = armed(hourly(catch_up=CatchUp.NONE))

    desk.do(lambda turn: intents.shut_down(turn, by="me"))
    assert [stop.run for stop in desk.stops()] == [claim.run.id]
    withdraw(desk, claim)

    assert desk.runs("h") == ()
    desk.now = SLOT + 10 * SECOND
    desk.do(lambda turn: services.begin(turn, "boot-1"))
    tick(desk)
    assert the_row(desk).state is State.MISSED
    assert desk.dispatch() == ()


def test_a_new_master_has_what_is_armed_withdrawn() -> None:
    desk, claim = armed()

    desk.do(adopt.tell_again)

    assert withdrawals(desk) == [claim.run.id]


def test_a_reload_has_what_is_armed_withdrawn() -> None:
    desk, claim = armed()

    desk.set_config(hourly(title="another"))

    assert withdrawals(desk) == [claim.run.id]


def test_a_slot_that_a_reload_takes_away_leaves_no_row() -> None:
    desk, claim = armed()

    desk.set_config(hourly(schedule=("30 * * * *",)))
    withdraw(desk, claim)

    desk.now = SLOT + SECOND
    tick(desk)
    assert desk.runs("h") == ()


def test_a_pause_of_the_queue_has_what_is_armed_withdrawn() -> None:
    desk, claim = armed()

    desk.do(lambda turn: pools.pause(turn, pools.ALL, by="me"))

    assert withdrawals(desk) == [claim.run.id]
    withdraw(desk, claim)
    desk.now = SLOT
    tick(desk)
    assert desk.dispatch() == ()
    assert the_row(desk).state is State.QUEUED


@pytest.mark.parametrize("overlap", list(Overlap))
def test_another_run_of_the_job_goes_first(overlap: Overlap) -> None:
    desk, claim = armed(hourly(on_overlap=overlap))
    asked = desk.ask("h")

    assert desk.dispatch() == ()

    assert withdrawals(desk) == [claim.run.id]
    assert desk.run(asked.id).state is State.QUEUED
    withdraw(desk, claim)
    (other,) = desk.dispatch()
    assert other.run.id == asked.id


def test_when_it_has_begun_another_run_of_the_job_meets_it() -> None:
    desk, claim = armed(hourly(on_overlap=Overlap.SKIP))
    asked = desk.ask("h")
    desk.dispatch()

    desk.now = SLOT
    desk.launch(claim)
    assert desk.dispatch() == ()

    assert desk.run(asked.id).state is State.SKIPPED


def test_what_needs_its_place_gets_it() -> None:
    desk, claim = armed(hourly(), job("now"), daemon=Daemon(max_parallel=1))
    asked = desk.ask("now")

    assert desk.dispatch() == ()

    assert withdrawals(desk) == [claim.run.id]
    withdraw(desk, claim)
    (other,) = desk.dispatch()
    assert other.run.id == asked.id


def test_no_more_are_armed_than_there_is_room_for() -> None:
    desk = Desk(*(hourly(f"h{number}") for number in range(5)), daemon=Daemon(max_parallel=3))

    assert len(arm(desk)) == 3
    desk.now = SLOT
    for number in range(5):
        tick(desk, f"h{number}")
    assert desk.dispatch() == ()
    assert len(desk.runs(state=State.QUEUED)) == 2


def test_places_are_given_in_the_order_of_the_queue() -> None:
    urgent = hourly("z", priority=Priority.HIGH, lock="l")
    first = hourly("y", priority=Priority.HIGH)
    others = (hourly(f"h{number}") for number in range(3))
    desk = Desk(*others, first, urgent, daemon=Daemon(max_parallel=3))

    assert [claim.job.name for claim in arm(desk)] == ["y", "h0"]

    desk.now = SLOT
    tick(desk, "z")
    (claim,) = desk.dispatch()
    assert claim.job.name == "z"


def test_what_is_armed_counts_as_running_from_its_time_on() -> None:
    desk, _ = armed(daemon=Daemon(max_parallel=1))

    def running() -> object:
        return desk.database.view(lambda tx: queueview.budgets(tx, desk.config, desk.now))[
            "running"
        ]

    assert running() == 0
    desk.now = SLOT
    assert running() == 1


def test_what_waits_has_its_place_before_what_is_armed() -> None:
    desk = Desk(hourly(), hourly("i"), job("a"), daemon=Daemon(max_parallel=3))
    desk.begin("a")
    waits = desk.ask("a")
    desk.dispatch()
    assert desk.run(waits.id).state is State.QUEUED

    assert len(arm(desk)) == 1


def test_none_is_armed_while_another_waits_for_a_place() -> None:
    desk = Desk(hourly(), job("a"), daemon=Daemon(max_parallel=1))
    desk.begin("a")
    desk.ask("a")
    desk.dispatch()

    assert arm(desk) == ()
    assert desk.runs("h") == ()


@pytest.mark.parametrize(
    "values",
    [
        {"pool": PoolUse(name="p")},
        {"lock": "l"},
        {"depends_on": (Dependency(job="other"),)},
        {"approval": Approval()},
        {"jitter_s": 5.0},
        {"tty": True},
        {"schedule": ("* * * * * */2",)},
        {"enabled": False},
        {"type_": JobType.ONESHOT, "schedule": (), "run_at": SLOT},
    ],
    ids=lambda values: next(iter(values)),
)
def test_what_more_decides_about_than_its_time_is_not_armed(values: dict[str, Any]) -> None:
    desk = Desk(hourly(**values), job("other"), pools=(("p", 1),))

    assert arm(desk) == ()
    assert desk.runs("h") == ()


def test_a_job_that_another_depends_on_is_not_armed() -> None:
    desk = Desk(hourly(), job("other", depends_on=(Dependency(job="h"),)))

    assert arm(desk) == ()


def test_a_job_that_runs_is_not_armed() -> None:
    desk = Desk(hourly(max_instances=2))
    desk.begin("h")

    assert arm(desk) == ()


def test_a_paused_job_or_queue_is_not_armed() -> None:
    desk = Desk(hourly())
    desk.do(lambda turn: intents.pause_job(turn, "h", by="me"))
    assert arm(desk) == ()
    desk.do(lambda turn: intents.resume_job(turn, "h", by="me"))
    desk.do(lambda turn: pools.pause(turn, pools.ALL, by="me"))
    assert arm(desk) == ()


def test_a_launch_that_is_refused_begins_nothing_before_its_time() -> None:
    desk, claim = armed()

    desk.do(
        lambda turn: journal.launch_refused(turn, claim.run.id, 1, "no memory", retryable=True)
    )

    assert desk.dispatch() == ()
    assert desk.runs("h") == ()
    desk.now = SLOT
    tick(desk)
    assert len(desk.dispatch()) == 1


def test_one_that_was_never_launched_is_caught_up_with_as_its_job_says() -> None:
    desk, claim = armed(hourly(catch_up=CatchUp.NONE))
    desk.now = SLOT + HOUR / 2
    desk.do(lambda turn: services.begin(turn, "boot-1"))

    desk.do(lambda turn: journal.never_launched(turn, claim.run.id, 1))
    tick(desk)

    assert the_row(desk).state is State.MISSED


def test_when_the_clock_is_set_forward_its_slot_is_missed_or_caught_up_with() -> None:
    desk, claim = armed(hourly(catch_up=CatchUp.NONE))
    desk.now = SLOT + HOUR / 2

    assert tick(desk) == desk.now + timedelta(seconds=0.2)
    withdraw(desk, claim)
    tick(desk)

    assert the_row(desk).state is State.MISSED
    assert desk.dispatch() == ()


def test_when_the_clock_is_set_back_it_waits_for_its_slot() -> None:
    desk, claim = armed()
    desk.now = SLOT - HOUR / 2

    withdraw(desk, claim)

    assert tick(desk) == SLOT
    assert desk.dispatch() == ()
    assert desk.runs("h") == ()


@pytest.mark.parametrize("is_known_first", [True, False])
def test_i5_of_a_job_that_is_removed_it_leaves_no_row_and_its_slot_runs_when_it_is_back(
    is_known_first: bool,
) -> None:
    desk, claim = armed()

    desk.set_config()
    assert withdrawals(desk) == [claim.run.id]
    if is_known_first:
        withdraw(desk, claim)
        assert desk.runs("h") == ()
    desk.set_config(hourly())
    if not is_known_first:
        withdraw(desk, claim)
    assert desk.runs("h") == ()

    desk.now = SLOT
    tick(desk)
    (again,) = desk.dispatch()
    assert again.run.slot_at == SLOT


def test_one_that_had_begun_when_its_job_was_removed_is_ended() -> None:
    desk, claim = armed()
    desk.set_config()
    desk.effects.clear()
    desk.now = SLOT

    desk.launch(claim)

    assert [one.run for one in desk.effects if isinstance(one, StopRun)] == [claim.run.id]
    assert the_row(desk).stop_why == "removed"
