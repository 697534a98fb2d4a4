"""Rows and model values: what goes in comes out."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.model import ids
from claw.model.alerts import Alert
from claw.model.event import Event
from claw.model.gates import InstanceStanding, Standing
from claw.model.lineage import ALONE, Lineage
from claw.model.rollout import Renewal, Rollout
from claw.model.run import Attempt, Origin, Phase, Priority, Run, State, Supervisor
from claw.store import rows
from claw.store.database import Database
from claw.store.records import Tx
from tests.kit.desk import T0, a_run

FULL_RUN = Run(
    id=ids.run_id(1, bytes(10)),
    job="j",
    state=State.RUNNING,
    origin=Origin.SCHEDULE,
    origin_key="j@2026",
    queued_at=T0,
    due_at=T0 + timedelta(microseconds=1),
    slot_at=T0,
    slot_until=T0,
    slot_count=3,
    claimed_at=T0,
    started_at=T0,
    ended_at=T0,
    attempt=2,
    cause="restart",
    sid="s1",
    phase=Phase.BACKOFF,
    phase_until=T0,
    pid=5,
    exit_code=3,
    signal=9,
    reason="exit_code",
    waiting_for="a gate",
    stop_why="stop",
    stop_by="eve",
    restarts=4,
    env=(("A", "ü=\n\udcff"), ("B", "")),
    args=("-x", "", "\x00"),
    asked_by="cli",
    forced=True,
    replay_of="r0",
    instance=2,
    health="unhealthy",
    health_why="status 500",
    status_text="serving",
    survivors="12 sleep",
    left_running="13 sleep",
    priority=Priority.HIGH,
    batch="b1",
    dedup_key="k",
    expires_at=T0,
    retries=3,
    note="nothing to do",
    dead_at=T0,
    dead_why="retries_exhausted",
    reinjected_as="r1",
    limited=2,
    alike=3,
    fingerprint="f",
    lineage=Lineage(parent="r2", root="r3", depth=2, workflow="r4", step="dump", event="e1"),
)
FULL_ATTEMPT = Attempt(
    run=FULL_RUN.id,
    no=2,
    sid="s1",
    cause="start",
    pid=1,
    start_ticks=2,
    started_at=T0,
    ready_at=T0,
    ended_at=T0,
    exit_code=1,
    signal=2,
    timed_out=True,
    ended_for="resources: too much",
    error="e",
    cpu_time_s=1.5,
    max_memory_bytes=1 << 40,
    dropped_bytes=7,
)
FULL_SUPERVISOR = Supervisor(
    sid="s1",
    run=FULL_RUN.id,
    job="j",
    created_at=T0,
    offset=9,
    pid=1,
    start_ticks=2,
    boot="b",
    version="v",
    closed_at=T0,
)
FULL_STANDING = Standing(
    name="j",
    added_at=T0,
    active_since=T0,
    up=True,
    stopped_by="eve",
    paused_by="bob",
    enabled=False,
    epoch=3,
    crashes=2,
    scheduled_through=T0,
    done_at=T0,
    schedule_key="k",
    last_run=FULL_RUN.id,
    scale=3,
    scaled_from=2,
)


@pytest.fixture(name="database")
def _database() -> Database:
    return Database.inline(T0)


def _is_full(value: object) -> bool:
    """Tell whether no field has its default, so that a test sees every column."""
    return all(
        getattr(value, each.name) != each.default
        for each in fields(value)  # type: ignore[arg-type]
    )


def test_every_field_of_a_run_comes_back(database: Database) -> None:
    assert _is_full(FULL_RUN)
    assert database.transact(lambda tx: (tx.insert_run(FULL_RUN), tx.run(FULL_RUN.id))) == (
        True,
        FULL_RUN,
    )
    bare = a_run()
    assert database.transact(lambda tx: (tx.insert_run(bare), tx.run(bare.id)))[1] == bare


def test_every_field_that_may_change_is_updated(database: Database) -> None:
    fixed = {
        "job": "j", "origin": Origin.MANUAL, "origin_key": "k", "queued_at": T0,
        "slot_at": None, "slot_until": None, "slot_count": 1, "env": (), "args": (),
        "asked_by": "", "replay_of": None, "instance": None, "batch": None, "dedup_key": None,
        "lineage": ALONE,
    }  # fmt: skip
    changed = replace(FULL_RUN, id=a_run().id, **fixed)  # type: ignore[arg-type]

    def inside(tx: Tx) -> Run | None:
        tx.insert_run(a_run())
        tx.update_run(changed)
        return tx.run(changed.id)

    assert database.transact(inside) == changed


def test_every_field_of_the_others_comes_back(database: Database) -> None:
    assert all(map(_is_full, (FULL_ATTEMPT, FULL_SUPERVISOR, FULL_STANDING)))

    def inside(tx: Tx) -> tuple[object, ...]:
        tx.insert_run(FULL_RUN)
        for _ in range(2):
            tx.put_attempt(FULL_ATTEMPT)
            tx.put_supervisor(FULL_SUPERVISOR)
            tx.put_standing(FULL_STANDING)
        return tx.attempt(FULL_RUN.id, 2), tx.supervisor("s1"), tx.standing("j")

    assert database.transact(inside) == (FULL_ATTEMPT, FULL_SUPERVISOR, FULL_STANDING)


def test_instances_and_rolling_restarts_come_back_and_are_forgotten(
    database: Database,
) -> None:
    instance = InstanceStanding(job="j", no=2, stopped_by="eve", last_run="r1")
    rolling = Rollout(
        job="j", at=T0, by="eve", why="reload", batch=2, todo=(3, 4),
        busy=(Renewal(1, "r1", 4, "s1"),), done=(2,), failed="j@1: exit 1",
    )  # fmt: skip
    assert all(map(_is_full, (instance, rolling)))

    def write(tx: Tx) -> None:
        for _ in range(2):
            tx.put_instance(instance)
            tx.put_rollout(rolling)
        tx.put_instance(InstanceStanding(job="k", no=1))

    database.transact(write)
    read = database.view(lambda tx: (tx.instances("j"), tx.rollout("j"), tx.rollouts()))
    assert read == ({("j", 2): instance}, rolling, {"j": rolling})

    def forget(tx: Tx) -> None:
        tx.delete_instances("j")
        tx.delete_rollout("j")

    database.transact(forget)
    assert database.view(lambda tx: [*tx.instances()]) == [("k", 1)]
    assert database.view(lambda tx: tx.rollout("j")) is None


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_time_is_stored_exactly(at: datetime) -> None:
    assert rows.instant(rows.micros(at)) == at


def test_i5_one_origin_key_one_run(database: Database) -> None:
    first, again = a_run(id="r1"), a_run(id="r2")
    other = a_run(id="r3", origin=Origin.AT)

    def inside(tx: Tx) -> list[bool]:
        return [tx.insert_run(run) for run in (first, again, other)]

    assert database.transact(inside) == [True, False, True]
    assert database.transact(lambda tx: tx.run_by_origin(Origin.MANUAL, "k")) == first


def test_a_run_is_found_by_either_end_of_its_id(database: Database) -> None:
    one = "r" + "a" * 20 + "bcdefg"
    two = "r" + "a" * 19 + "0" + "hijklm"
    for number, run_id in enumerate((one, two)):
        database.transact(partial(Tx.insert_run, run=a_run(id=run_id, origin_key=str(number))))
    assert database.transact(lambda tx: tx.runs_named("bcdefg")) == (one,)
    assert database.transact(lambda tx: tx.runs_named("aabcdefg")) == (one,)
    assert database.transact(lambda tx: tx.runs_named("zabcdefg")) == ()
    assert database.transact(lambda tx: tx.runs_named("cdefg")) == ()
    assert database.transact(lambda tx: tx.runs_named(two[:22])) == (two,)
    assert len(database.transact(lambda tx: tx.runs_named("raaaaa"))) == 2
    assert database.transact(lambda tx: tx.runs_named("%%%%%%")) == ()


def test_events_are_numbered_and_read_from_a_cursor(database: Database) -> None:
    def inside(tx: Tx) -> list[int]:
        for number in range(6):
            tx.append_event(
                Event(
                    at=T0,
                    type=("run.queued", "job.added")[number % 2],
                    job=("a", "b")[number % 2],
                    run=f"r{number // 2}",
                )
            )
        return [event.cursor for event in tx.events_appended]

    cursors = database.transact(inside)
    assert cursors == sorted(set(cursors))
    assert database.transact(lambda tx: tx.last_cursor()) == cursors[-1]

    def found(**values: object) -> list[int]:
        return [event.cursor for event in database.transact(lambda tx: tx.events(**values))]  # type: ignore[arg-type]

    assert found() == cursors
    assert found(after=cursors[2]) == cursors[3:]
    assert found(limit=2) == cursors[:2]
    assert found(job="a") == cursors[::2]
    assert found(run="r1") == cursors[2:4]
    assert found(kind="run.*") == cursors[::2]
    assert found(kind="job.added", after=cursors[1]) == cursors[3::2]


def test_alerts_are_open_until_they_are_noted_or_over(database: Database) -> None:
    for text in ("one", "two", "three"):
        database.transact(partial(Tx.insert_alert, alert=Alert(kind="k", text=text, at=T0)))
    one, two, three = database.view(Tx.open_alerts)
    database.transact(lambda tx: tx.ack_alert(one.id, T0))
    database.transact(lambda tx: tx.resolve_alert(two.id, T0))
    assert database.view(Tx.open_alerts) == (three,)
    assert [alert.text for alert in database.view(Tx.all_standing_alerts)] == ["one", "three"]
    assert [alert.text for alert in database.view(Tx.alerts)] == ["three", "two", "one"]
    assert three == Alert(kind="k", text="three", at=T0, last_at=T0, id=three.id)


def test_an_alert_comes_back_as_it_was_stored(database: Database) -> None:
    kept = Alert(kind="k", text="t", at=T0, job="j", run="r", about="j@2")
    database.transact(lambda tx: tx.insert_alert(kept))
    later = T0 + timedelta(hours=1)
    database.transact(lambda tx: tx.repeat_alert(1, "again", "r2", later))
    database.transact(lambda tx: tx.ack_alert(1, later))
    found = database.view(lambda tx: tx.alert(1))
    assert found == replace(
        kept, id=1, text="again", run="r2", times=2, last_at=later, acked_at=later
    )
    assert database.view(lambda tx: tx.standing_alerts("j")) == (found,)
    assert database.view(lambda tx: tx.standing_alerts(None)) == ()


def test_spools_can_go_once_their_supervisors_are_settled(database: Database) -> None:
    def inside(tx: Tx) -> tuple[str, ...]:
        tx.insert_run(FULL_RUN)
        for sid, closed in (("s1", T0), ("s2", T0 + timedelta(hours=1)), ("s3", None)):
            tx.put_supervisor(replace(FULL_SUPERVISOR, sid=sid, closed_at=closed))
        return tx.prunable_spools(T0 + timedelta(minutes=1))

    assert database.transact(inside) == ("s1",)
    assert [one.sid for one in database.transact(lambda tx: tx.open_supervisors())] == ["s3"]


def test_runs_are_paged_newest_first(database: Database) -> None:
    def inside(tx: Tx) -> None:
        for number in range(6):
            tx.insert_run(
                a_run(
                    id=ids.run_id(number, bytes(10)),
                    origin_key=str(number),
                    job=("a", "b")[number % 2],
                    state=(State.FAILED, State.SUCCEEDED)[number // 3],
                )
            )

    database.transact(inside)

    def page(**values: object) -> list[str]:
        return [run.origin_key for run in database.transact(lambda tx: tx.runs_page(**values))]  # type: ignore[arg-type]

    assert page() == ["5", "4", "3", "2", "1", "0"]
    assert page(limit=2, before=ids.run_id(4, bytes(10))) == ["3", "2"]
    assert page(job="a") == ["4", "2", "0"]
    assert page(state=State.FAILED) == ["2", "1", "0"]
    assert page(job="b", state=State.FAILED) == ["1"]


@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(State)), max_size=30))
def test_the_count_of_open_runs_is_always_that_of_the_rows(
    script: list[tuple[int, State]],
) -> None:
    def inside(tx: Tx) -> tuple[int, int]:
        for number, state in script:
            run = a_run(id=f"r{number}", origin_key=str(number), state=state)
            if not tx.insert_run(run):
                tx.update_run(run)
        return tx.count_open(), len(tx.open_runs())

    counted, there = Database.inline(T0).transact(inside)
    assert counted == there
