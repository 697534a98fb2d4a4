"""One decision: what is refused leaves no trace."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.errors import ConflictError, NotFoundError
from claw.master.engine import intents, journal, slots
from claw.master.engine.turn import Turn
from claw.model import ids, machine
from claw.model.catchup import Missed
from claw.model.effect import Dispatch, StopRun
from claw.model.job import Daemon, JobType
from claw.model.run import FINAL, Attempt, State, may_move
from tests.kit.desk import T0, Desk, Journal, job, service


def test_i2_a_move_that_is_not_allowed_is_refused_and_the_row_is_untouched() -> None:
    desk = Desk(job("a"))
    ended = desk.end(desk.begin("a"))
    queued = desk.ask("a")
    before = desk.dump()
    for run in (queued, ended):
        for state in State:
            if may_move(run.state, state) or state is run.state:
                continue
            step = machine.Step(
                replace(run, state=state), Attempt(run=run.id, no=9, sid="s", cause="x")
            )
            with pytest.raises(ConflictError):
                desk.do(lambda turn, run=run, step=step: turn.take(run, step))  # type: ignore[misc]
    assert desk.dump() == before


def test_i2_a_final_run_is_never_changed() -> None:
    desk = Desk(job("a"))
    ended = desk.end(desk.begin("a"))
    changed = machine.Step(replace(ended, reason="other"))
    with pytest.raises(ConflictError, match="has ended: succeeded"):
        desk.do(lambda turn: turn.take(ended, changed))
    assert desk.run(ended.id) == ended


def test_an_effect_is_named_once() -> None:
    desk = Desk(job("a"))

    def twice(turn: Turn) -> int:
        turn.emit(Dispatch())
        turn.emit(Dispatch())
        return len(turn.effects)

    assert desk.do(twice) == 1


def test_an_effect_is_not_compared_with_all_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    desk, compared, equal = Desk(job("a")), 0, StopRun.__eq__

    def count(one: StopRun, other: object) -> bool:
        nonlocal compared
        compared += 1
        return equal(one, other)

    def many(turn: Turn) -> int:
        for _ in range(2):
            turn.emit(*(StopRun(f"r{number}", "s", "stop", "me") for number in range(1000)))
        return len(turn.effects)

    monkeypatch.setattr(StopRun, "__eq__", count)
    assert desk.do(many) == 1000
    assert compared < 10000


def test_a_job_that_was_never_synced_stands_from_now() -> None:
    desk = Desk(job("a"))
    desk.database.transact(lambda tx: tx.delete_standing("a"))
    standing = desk.do(lambda turn: turn.standing("a"))
    assert (standing.added_at, standing.enabled, standing.up) == (T0, True, False)
    with pytest.raises(NotFoundError):
        desk.do(lambda turn: turn.standing("zz"))
    with pytest.raises(NotFoundError):
        desk.do(lambda turn: turn.run("rzz"))


def test_a_reboot_job_that_finds_the_queue_full_says_so() -> None:
    boot = job("up", JobType.SCHEDULED, schedule=("@reboot",))
    desk = Desk(boot, daemon=Daemon(max_queue=0))
    assert desk.runs() == ()
    assert "job.refused" in [event.type for event in desk.events(job="up")]


def test_a_lost_service_that_was_disabled_meanwhile_stays_down() -> None:
    desk = Desk(service("web"))
    found = desk.begin("web")
    desk.do(lambda turn: intents.start_job(turn, "web", by="me", key="k"))
    desk.set_config(service("web", enabled=False))
    desk.do(lambda turn: journal.lost(turn, found.sid, "killed"))
    assert desk.run_of(found).state is State.CRASHED
    desk.pass_s(600)
    assert desk.dispatch() == ()


def test_a_stretch_whose_first_slot_has_a_row_gets_a_key_of_its_own() -> None:
    desk = Desk(job("h", JobType.SCHEDULED, schedule=("0 * * * *",)))
    one = Missed(first=T0, last=T0, count=1)
    long = Missed(first=T0, last=T0.replace(hour=15), count=4)
    for stretch in (one, one, long, long):
        desk.do(
            lambda turn, stretch=stretch: slots.add_stretch(  # type: ignore[misc]
                turn, "h", stretch, state=State.MISSED, why="x"
            )
        )
    assert sorted(run.slot_count for run in desk.runs("h")) == [1, 4]


def test_a_journal_of_another_run_with_a_key_that_is_taken_keeps_its_run() -> None:
    desk = Desk(job("a"))
    taken = desk.ask("a", "k")
    (claim,) = desk.dispatch()
    other = replace(claim, run=replace(taken, id=ids.run_id(5, bytes(10))), sid="sother")
    found = Journal(desk, "sother")
    found.launch(other)
    desk.read(found)
    revived = desk.run(other.run.id)
    assert (revived.state, revived.origin_key) == (State.CLAIMED, f"k#{other.run.id}")


LINES = st.tuples(
    st.sampled_from(
        ["launch", "started", "spawn_failed", "stopping", "exited", "restarting", "ended",
         "taken_over", "other"]
    ),
    st.integers(1, 3),
    st.sampled_from(
        ["exit", "spawn", "timeout", "start_limit", "stop", "restart", "cancel", "?"]
    ),
    st.sampled_from([None, 0, 1]),
    st.booleans(),
)  # fmt: skip


@given(st.lists(LINES, max_size=12), st.sampled_from([None, "stop", "restart"]), st.booleans())
def test_no_order_of_lines_stops_a_journal_or_breaks_i2(
    script: list[tuple[str, int, str, int | None, bool]], asked: str | None, spawned: bool
) -> None:
    desk = Desk(service("web"))
    desk.do(lambda turn: intents.start_job(turn, "web", by="me", key="k"))
    (claim,) = desk.dispatch()
    if asked == "stop":
        desk.do(lambda turn: intents.stop_job(turn, "web", by="me"))
    elif asked == "restart":
        desk.do(lambda turn: intents.restart_job(turn, "web", by="me", key="r"))
    found = Journal(desk, claim.sid)
    if spawned:
        found.launch(claim)
    for ev, attempt, why, code, timed_out in script:
        found.add(
            ev, run=claim.run.id, job="web", attempt=attempt, why=why, by="x", code=code,
            signal=None, timed_out=timed_out, pid=5, start=6, until=desk.now.timestamp(),
            restarts=attempt, stage="exec", error="no",
        )  # fmt: skip
    desk.read(found)
    _check_i2(desk)
    dump = desk.dump()
    desk.read(found, 0)
    assert desk.dump() == dump


def _check_i2(desk: Desk) -> None:
    for run in desk.runs():
        moves = desk.moves(run.id)
        assert moves[-1][1] == run.state
        assert all(may_move(State(str(old)), State(str(new))) for old, new in moves[1:])
        assert sum(State(str(new)) in FINAL for _, new in moves) == (not run.is_open)
