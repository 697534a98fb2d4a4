"""Slots: each ends as exactly one row."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from claw.master.engine import alerts, intake, intents, services, slots, sync
from claw.master.engine.intake import Ask
from claw.master.engine.turn import Turn
from claw.model.alerts import QUEUE_FULL
from claw.model.job import CatchUp, Daemon, Job, JobType, Overlap
from claw.model.lineage import below
from claw.model.overlap import CATCH_UP
from claw.model.run import Origin, Run, State
from tests.kit.desk import T0, Desk, job

HOUR = timedelta(hours=1)


def _hourly(**values: object) -> Job:
    return job("h", JobType.SCHEDULED, schedule=("0 * * * *",), **values)


def _tick(desk: Desk) -> None:
    desk.do(lambda turn: slots.tick(turn, [one.name for one in desk.config.jobs]))


def _slots(desk: Desk) -> dict[object, State]:
    """Return the slots that have a row, each with its state; none may have two."""
    found: dict[object, State] = {}
    for run in desk.runs("h"):
        count = run.slot_count
        assert run.slot_at is not None
        for number in range(count):
            slot = run.slot_at + number * HOUR
            assert slot not in found
            found[slot] = run.state
    return found


def test_a_slot_becomes_a_queued_run_with_its_time_as_key() -> None:
    desk = Desk(_hourly())
    desk.now = T0 + HOUR
    _tick(desk)
    (run,) = desk.runs("h")
    assert (run.state, run.origin, run.slot_at) == (State.QUEUED, Origin.SCHEDULE, T0 + HOUR)
    assert run.origin_key == "h@2026-03-02T13:00:00+00:00"
    assert (run.due_at, run.cause) == (T0 + HOUR, "start")
    assert desk.standing("h").scheduled_through == desk.now


def test_i5_a_slot_fires_once_however_often_the_ticker_asks() -> None:
    desk = Desk(_hourly())
    desk.now = T0 + HOUR
    for _ in range(3):
        _tick(desk)
        desk.pass_s(1)
    assert len(desk.runs("h")) == 1


def test_i5_a_mark_that_was_lost_makes_no_second_run() -> None:
    desk = Desk(_hourly())
    desk.now = T0 + HOUR
    standing = desk.standing("h")
    _tick(desk)
    desk.database.transact(lambda tx: tx.put_standing(standing))
    _tick(desk)
    assert len(desk.runs("h")) == 1


def test_nothing_fires_before_its_time_and_the_next_slot_is_told() -> None:
    desk = Desk(_hourly(), job("a"))
    told = desk.do(lambda turn: slots.tick(turn, ["h", "a", "gone"]))
    assert told == {"h": T0 + HOUR, "a": None, "gone": None}
    assert desk.database.view(lambda tx: slots.next_slots(tx, desk.config, desk.now)) == {
        "h": T0 + HOUR
    }
    assert desk.runs() == ()


def test_a_gap_is_one_missed_row_and_the_newest_slot_is_made_up_for() -> None:
    desk = Desk(_hourly())
    desk.now = T0 + 10 * HOUR + timedelta(minutes=20)
    _tick(desk)
    missed, made_up = sorted(desk.runs("h"), key=lambda run: run.state)
    assert (made_up.slot_at, made_up.cause) == (T0 + 10 * HOUR, CATCH_UP)
    assert (missed.state, missed.slot_at, missed.slot_until, missed.slot_count) == (
        State.MISSED,
        T0 + HOUR,
        T0 + 9 * HOUR,
        9,
    )
    assert "catch_up = once" in (missed.reason or "")


def test_a_job_that_wants_all_makes_up_for_every_slot_of_its_window_in_turn() -> None:
    desk = Desk(_hourly(catch_up=CatchUp.ALL, catch_up_window_s=5 * 3600.0))
    desk.now = T0 + 10 * HOUR + timedelta(minutes=20)
    _tick(desk)
    states = _slots(desk)
    assert [states[T0 + n * HOUR] for n in range(1, 11)] == (
        [State.MISSED] * 5 + [State.QUEUED] * 5
    )
    ran = []
    while claims := desk.dispatch():
        (claim,) = claims
        ran.append(claim.run.slot_at)
        desk.end(desk.launch(claim))
    assert ran == [T0 + n * HOUR for n in range(6, 11)]


def test_a_job_that_wants_none_misses_what_passed() -> None:
    desk = Desk(_hourly(catch_up=CatchUp.NONE))
    desk.now = T0 + 2 * HOUR + timedelta(minutes=20)
    _tick(desk)
    (row,) = desk.runs("h")
    assert (row.state, row.slot_count) == (State.MISSED, 2)


def test_slots_of_a_paused_or_stopped_job_are_skipped_rows() -> None:
    desk = Desk(_hourly())
    for act, undo, number in (
        (intents.pause_job, intents.resume_job, 1),
        (intents.stop_job, _start, 3),
    ):
        desk.do(lambda turn, act=act: act(turn, "h", by="eve"))  # type: ignore[misc]
        desk.now = T0 + number * HOUR
        _tick(desk)
        desk.now = T0 + (number + 1) * HOUR
        desk.do(lambda turn, undo=undo: undo(turn, "h", by="eve"))  # type: ignore[misc]
    assert set(_slots(desk).values()) == {State.SKIPPED}
    assert len(_slots(desk)) == 4
    assert "paused by eve" in (desk.runs("h")[-1].reason or "")
    desk.now = T0 + 5 * HOUR
    _tick(desk)
    assert _slots(desk)[desk.now] is State.QUEUED


def _start(turn: Turn, name: str, *, by: str) -> None:
    intents.start_job(turn, name, by=by, key="k")


def test_a_slot_that_finds_the_job_active_is_skipped_and_says_so() -> None:
    desk = Desk(_hourly(on_overlap=Overlap.SKIP))
    desk.now = T0 + HOUR
    _tick(desk)
    (claim,) = desk.dispatch()
    desk.launch(claim)
    desk.now = T0 + 2 * HOUR
    _tick(desk)
    assert desk.dispatch() == ()
    assert _slots(desk) == {T0 + HOUR: State.RUNNING, T0 + 2 * HOUR: State.SKIPPED}


def test_a_slot_that_finds_the_queue_full_is_missed() -> None:
    desk = Desk(_hourly(), job("a"), daemon=Daemon(max_queue=1))
    desk.ask("a")
    desk.now = T0 + HOUR
    _tick(desk)
    (row,) = desk.runs("h")
    assert (row.state, row.slot_at) == (State.MISSED, T0 + HOUR)
    assert "max_queue" in (row.reason or "")


def test_a_full_queue_is_one_alert_of_the_daemon_until_it_is_noted() -> None:
    desk = Desk(_hourly(), job("a"), job("b"), daemon=Daemon(max_queue=1))
    first = desk.ask("a")
    for hour in (1, 2):
        desk.now = T0 + hour * HOUR
        _tick(desk)
    ask = Ask(job="b", origin=Origin.TRIGGER, key="k", lineage=below(first))
    desk.do(lambda turn: intake.follow_up(turn, ask))
    [alert] = desk.database.view(lambda tx: tx.standing_alerts(None))
    assert (alert.kind, alert.times) == (QUEUE_FULL, 3)
    assert "a run of b was skipped" in alert.text
    assert "daemon.max_queue = 1" in alert.text
    desk.do(lambda turn: alerts.ack(turn, alert.id))
    assert desk.database.view(lambda tx: tx.standing_alerts(None)) == ()


def test_slots_from_before_a_job_was_added_do_not_exist() -> None:
    desk = Desk(job("a"))
    desk.now = T0 + 5 * HOUR + timedelta(minutes=1)
    desk.set_config(_hourly())
    _tick(desk)
    assert desk.runs("h") == ()


def test_intervals_count_from_when_the_job_was_added_over_restarts() -> None:
    every = job("e", JobType.SCHEDULED, schedule=("@every 90m",))
    desk = Desk(every)
    desk.pass_s(3000)
    desk.do(lambda turn: sync.sync(turn, start=False))
    desk.now = T0 + timedelta(minutes=90)
    _tick(desk)
    assert [run.slot_at for run in desk.runs("e")] == [desk.now]


def test_a_oneshot_fires_once_and_is_done_after_its_success() -> None:
    desk = Desk(job("once", JobType.ONESHOT, run_at=T0 + HOUR))
    desk.now = T0 + HOUR
    _tick(desk)
    (claim,) = desk.dispatch()
    assert desk.end(desk.launch(claim)).state is State.SUCCEEDED
    assert desk.standing("once").done_at == desk.now
    assert "job.done" in [event.type for event in desk.events(job="once")]
    desk.pass_s(7200)
    _tick(desk)
    assert len(desk.runs()) == 1


def test_a_oneshot_that_failed_is_done_once_it_is_run_again_with_success() -> None:
    desk = Desk(job("once", JobType.ONESHOT, run_at=T0 + HOUR))
    assert desk.end(desk.begin("once")).state is State.SUCCEEDED
    assert desk.standing("once").done_at is None  # its time has not come yet
    desk.now = T0 + HOUR
    _tick(desk)
    (claim,) = desk.dispatch()
    desk.end(desk.launch(claim), 1)
    assert desk.standing("once").done_at is None
    desk.end(desk.begin("once"))
    assert desk.standing("once").done_at is not None


def test_a_oneshot_whose_time_passed_while_claw_was_away_runs_late() -> None:
    desk = Desk(job("once", JobType.ONESHOT, run_at=T0 + HOUR))
    desk.now = T0 + 2 * HOUR
    _tick(desk)
    (run,) = desk.runs()
    assert (run.state, run.cause) == (State.QUEUED, CATCH_UP)


def test_a_clock_that_was_far_ahead_does_not_silence_a_schedule() -> None:
    desk = Desk(_hourly(catch_up=CatchUp.NONE))
    desk.now = T0 + timedelta(days=400, minutes=9)
    _tick(desk)
    desk.now = T0 + 2 * HOUR - timedelta(minutes=1)
    _tick(desk)
    desk.now = T0 + 2 * HOUR
    _tick(desk)
    assert [run.slot_at for run in desk.runs("h", State.QUEUED)] == [T0 + 2 * HOUR]


def test_a_clock_that_steps_back_a_little_fires_no_slot_twice() -> None:
    desk = Desk(_hourly())
    desk.now = T0 + HOUR
    _tick(desk)
    desk.now -= timedelta(minutes=30)
    _tick(desk)
    desk.now = T0 + HOUR + timedelta(minutes=1)
    _tick(desk)
    assert _slots(desk) == {T0 + HOUR: State.QUEUED}


ACTS = st.sampled_from(["pause", "resume", "stop", "start", "off", "on", "tick", "dispatch"])


@given(st.lists(st.tuples(st.integers(0, 30000), ACTS), max_size=14), st.sampled_from(CatchUp))
def test_every_due_slot_has_exactly_one_row_whatever_operators_do(
    script: list[tuple[int, str]], catch_up: CatchUp
) -> None:
    desk = Desk(_hourly(catch_up=catch_up))
    for seconds, act in script:
        desk.pass_s(seconds)
        _act(desk, act, catch_up)
    desk.pass_s(5)
    _tick(desk)
    due = int((desk.now - T0) / HOUR)
    assert sorted(_slots(desk), key=str) == [T0 + n * HOUR for n in range(1, due + 1)]
    runs: list[Run] = list(desk.runs("h"))
    assert len({run.origin_key for run in runs}) == len(runs)


def _act(desk: Desk, act: str, catch_up: CatchUp) -> None:
    if act == "tick":
        _tick(desk)
    elif act == "dispatch":
        for claim in desk.dispatch():
            desk.end(desk.launch(claim))
    elif act in {"on", "off"}:
        desk.set_config(_hourly(catch_up=catch_up, enabled=act == "on"))
    elif act == "start" and desk.config.jobs[0].enabled:
        desk.do(lambda turn: _start(turn, "h", by="x"))
    elif act == "stop":
        desk.do(lambda turn: intents.stop_job(turn, "h", by="x"))
    elif act == "pause" or (act == "resume" and desk.standing("h").paused_by):
        does = intents.pause_job if act == "pause" else intents.resume_job
        desk.do(lambda turn: does(turn, "h", by="x"))


def test_a_slot_from_before_the_master_began_is_missed_however_late_it_is() -> None:
    desk = Desk(_hourly(catch_up=CatchUp.NONE))
    desk.now = T0 + HOUR + timedelta(seconds=1)
    desk.do(lambda turn: services.begin(turn, "boot"))
    desk.pass_s(1)

    _tick(desk)
    missed = _slots(desk)
    desk.now = T0 + 2 * HOUR + timedelta(seconds=2)
    _tick(desk)

    assert missed == {T0 + HOUR: State.MISSED}
    assert _slots(desk)[T0 + 2 * HOUR] is State.QUEUED
