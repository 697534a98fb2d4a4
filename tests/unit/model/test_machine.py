"""The state machine of a run, step by step."""

from dataclasses import replace
from datetime import timedelta

import pytest

from claw.model import fact, machine
from claw.model.effect import Dispatch, Settled, StopRun
from claw.model.run import Attempt, Phase, Run, State, may_move
from tests.kit.desk import T0, a_run

LATER = T0 + timedelta(seconds=1)
STARTED = fact.Started(at=LATER, attempt=1, pid=8, start=9)
ENDED = fact.Ended(at=LATER, attempt=1, why="exit", by="")


def _exited(code: int | None = 0, signal: int | None = None, attempt: int = 1) -> fact.Exited:
    return fact.Exited(
        at=LATER,
        attempt=attempt,
        code=code,
        signal=signal,
        timed_out=False,
        cpu_time_s=0.5,
        max_memory_bytes=9,
        dropped_bytes=0,
    )


def _claimed() -> tuple[Run, Attempt]:
    step = machine.claim(a_run(), sid="s1", at=T0)
    assert step.attempt is not None
    return step.run, step.attempt


def _fold(run: Run, attempt: Attempt | None, *lines: fact.Fact) -> tuple[Run, Attempt | None]:
    """Follow some lines; every move on the way must be allowed."""
    for line in lines:
        for step in machine.fold(run, attempt, line, sid="s1"):
            assert step.run.state is run.state or may_move(run.state, step.run.state)
            run, attempt = step.run, step.attempt or attempt
    return run, attempt


def _running() -> tuple[Run, Attempt | None]:
    return _fold(*_claimed(), STARTED)


def test_a_run_goes_from_claimed_to_succeeded() -> None:
    run, attempt = _running()
    assert (run.state, run.pid, run.phase, run.started_at) == (
        State.RUNNING,
        8,
        Phase.UP,
        LATER,
    )
    run, attempt = _fold(run, attempt, _exited(), ENDED)
    assert (run.state, run.exit_code, run.pid, run.phase) == (State.SUCCEEDED, 0, None, None)
    assert attempt is not None
    assert (attempt.exit_code, attempt.cpu_time_s, attempt.ended_at) == (0, 0.5, LATER)


def test_the_end_frees_a_place_and_lets_the_supervisor_go() -> None:
    run, attempt = _fold(*_running(), _exited())
    (step,) = machine.fold(run, attempt, ENDED, sid="s1")
    assert set(step.effects) == {Dispatch(), Settled("s1", run.id)}


def test_a_lost_started_line_leaves_the_moves_allowed() -> None:
    run, _ = _fold(*_claimed(), _exited(3), ENDED)
    assert (run.state, run.exit_code) == (State.FAILED, 3)
    run, _ = _fold(*_claimed(), replace(ENDED, why="timeout"))
    assert run.state is State.TIMED_OUT


def test_a_spawn_that_fails_goes_from_claimed_to_failed() -> None:
    run, claimed = _claimed()
    line = fact.SpawnFailed(at=LATER, attempt=1, stage="exec", error="No such file: 'x'")
    run, attempt = _fold(run, claimed, line, replace(ENDED, why="spawn"))
    assert (run.state, run.reason) == (State.FAILED, "spawn_failed")
    assert attempt is not None
    assert attempt.error == "exec: No such file: 'x'"


def test_a_service_that_restarts_stays_one_run_with_more_attempts() -> None:
    run, attempt = _fold(*_running(), _exited(1))
    until = LATER + timedelta(seconds=2)
    run, _ = _fold(run, attempt, fact.Restarting(at=LATER, attempt=2, until=until, restarts=1))
    assert (run.attempt, run.restarts, run.phase) == (2, 1, Phase.BACKOFF)
    assert (run.phase_until, run.exit_code) == (until, 1)
    run, attempt = _fold(run, None, replace(STARTED, attempt=2, pid=99))
    assert (run.state, run.pid, run.exit_code) == (State.RUNNING, 99, None)
    assert attempt == Attempt(
        run=run.id, no=2, sid="s1", cause="restart", pid=99, start_ticks=9, started_at=LATER
    )


def test_a_restart_asked_for_puts_the_run_back_in_the_queue() -> None:
    run, attempt = _running()
    run = machine.ask_end(run, why="restart", by="me").run
    run, _ = _fold(run, attempt, _exited(None, 15), replace(ENDED, why="restart"))
    assert (run.state, run.cause, run.sid, run.stop_why) == (
        State.QUEUED,
        "restart",
        None,
        None,
    )
    again = machine.claim(run, sid="s2", at=LATER).run
    assert (again.attempt, again.started_at) == (2, run.started_at)


def test_a_stop_overrides_a_restart_and_never_the_reverse() -> None:
    run, _ = _running()
    both = machine.ask_end(machine.ask_end(run, why="restart", by="a").run, why="stop", by="b")
    assert (both.run.stop_why, both.run.stop_by) == ("stop", "b")
    back = machine.ask_end(both.run, why="restart", by="c")
    assert back.run == both.run
    assert back.effects == (StopRun(run.id, "s1", "stop", "b"),)


def test_the_first_wish_for_an_end_stands() -> None:
    run, _ = _running()
    first = machine.ask_end(run, why="cancel", by="a").run
    assert machine.ask_end(first, why="shutdown", by="b").run == first


def test_a_stop_that_only_the_supervisor_heard_of_is_learnt_from_its_journal() -> None:
    run, _ = _fold(*_running(), fact.Stopping(at=LATER, attempt=1, why="stop", by="eve"))
    assert (run.stop_why, run.stop_by, run.phase) == ("stop", "eve", Phase.STOPPING)


def test_a_timeout_is_no_wish_for_an_end() -> None:
    run, _ = _fold(*_running(), fact.Stopping(at=LATER, attempt=1, why="timeout", by=""))
    assert (run.stop_why, run.phase) == (None, Phase.STOPPING)


def test_what_claw_ends_a_child_for_is_kept_with_it_and_is_no_wish_either() -> None:
    line = fact.Stopping(at=LATER, attempt=1, why="resources", by="claw", text="600M of 512M")

    run, attempt = _fold(*_running(), line)

    assert (run.stop_why, run.phase) == (None, Phase.STOPPING)
    assert attempt is not None
    assert (attempt.ended_for, attempt.failure) == ("resources: 600M of 512M", "resources")


def test_lines_of_a_supervisor_that_the_run_left_only_complete_its_attempt() -> None:
    run, attempt = _running()
    moved_on = replace(run, sid="s2", attempt=2)
    (step,) = machine.fold(moved_on, attempt, _exited(4), sid="s1")
    assert step.run == moved_on
    assert step.attempt is not None
    assert step.attempt.exit_code == 4
    assert machine.fold(moved_on, attempt, ENDED, sid="s1") == ()


def test_a_claim_that_was_never_launched_goes_back_with_the_same_number() -> None:
    run, _ = _claimed()
    back = machine.unclaim(run, why="never launched", at=LATER, due_at=T0).run
    assert (back.state, back.attempt, back.sid, back.cause) == (State.QUEUED, 0, None, "start")


def test_a_claim_that_was_never_launched_is_canceled_once_its_end_was_asked() -> None:
    run = machine.ask_end(_claimed()[0], why="stop", by="me").run
    back = machine.unclaim(run, why="never launched", at=LATER, due_at=T0).run
    assert (back.state, back.reason) == (State.CANCELED, "stop")


def test_a_launch_that_can_never_work_fails_the_run() -> None:
    run, attempt = _claimed()
    step = machine.refuse(run, attempt, error="chdir: /gone", at=LATER)
    assert (step.run.state, step.run.reason) == (State.FAILED, "spawn_failed")
    assert step.attempt is not None
    assert step.attempt.error == "chdir: /gone"


@pytest.mark.parametrize(
    ("stop_why", "state", "reason"),
    [
        (None, State.CRASHED, "lost"),
        ("stop", State.CANCELED, "stop"),
        ("shutdown", State.CANCELED, "shutdown"),
        ("restart", State.QUEUED, None),
    ],
)
def test_a_lost_run_has_crashed_unless_something_was_asked_for(
    stop_why: str | None, state: State, reason: str | None
) -> None:
    run, attempt = _running()
    step = machine.lose(replace(run, stop_why=stop_why), attempt, why="both gone", at=LATER)
    assert (step.run.state, step.run.reason) == (state, reason)
    assert step.attempt is not None
    assert step.attempt.error == "both gone"


def test_a_gate_turns_a_queued_run_away_and_says_why() -> None:
    run = machine.turn_away(a_run(), why="on_overlap = skip", at=LATER).run
    assert (run.state, run.reason, run.ended_at) == (State.SKIPPED, "on_overlap = skip", LATER)


def test_a_waiting_run_is_revoked_at_once() -> None:
    step = machine.revoke(a_run(), why="cancel", by="me", at=LATER)
    assert (step.run.state, step.by) == (State.CANCELED, "me")
    assert step.effects == (Dispatch(),)


def test_an_end_that_only_a_running_run_can_have_makes_it_run_first() -> None:
    run, attempt = _claimed()
    timed_out = replace(attempt, timed_out=True)
    run, _ = _fold(run, timed_out, replace(ENDED, why="spawn"))
    assert run.state is State.TIMED_OUT


def test_a_run_to_be_restarted_and_never_launched_waits_again() -> None:
    run = machine.ask_end(_claimed()[0], why="restart", by="me").run
    back = machine.unclaim(run, why="never launched", at=LATER, due_at=T0).run
    assert (back.state, back.stop_why) == (State.QUEUED, None)
