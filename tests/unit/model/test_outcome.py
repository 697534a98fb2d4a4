"""How a run ended, for every last line of a journal."""

import pytest

from claw.model import outcome
from claw.model.run import Attempt, State
from claw.supervisor import machine

CASES = [
    # ended with, code, signal, asked for, state, reason
    ("exit", 0, None, None, State.SUCCEEDED, None),
    ("exit", 7, None, None, State.SUCCEEDED, None),
    ("exit", 3, None, None, State.FAILED, "exit_code"),
    ("exit", None, 9, None, State.FAILED, "signal"),
    ("exit", None, None, None, State.CRASHED, "unknown_exit"),
    ("timeout", None, 15, None, State.TIMED_OUT, "timeout"),
    ("timeout", 0, None, None, State.TIMED_OUT, "timeout"),
    ("start_limit", 1, None, None, State.FAILED, "start_limit"),
    ("resources", None, 9, None, State.FAILED, "resources"),
    ("unhealthy", 0, None, None, State.FAILED, "unhealthy"),
    ("watchdog", None, 6, "restart", State.QUEUED, None),
    ("stop", None, 15, "stop", State.CANCELED, "stop"),
    ("stop", 0, None, None, State.CANCELED, "stop"),
    ("cancel", None, 15, "cancel: too late", State.CANCELED, "cancel: too late"),
    ("shutdown", None, 15, "shutdown", State.CANCELED, "shutdown"),
    ("overlap", None, 15, "overlap", State.CANCELED, "overlap"),
    ("removed", None, 15, "removed", State.CANCELED, "removed"),
    ("restart", None, 15, "restart", State.QUEUED, None),
    ("restart", None, 15, None, State.QUEUED, None),
    ("restart", None, 15, "stop", State.CANCELED, "stop"),
    ("exit", 0, None, "restart", State.QUEUED, None),
    ("start_limit", 1, None, "restart", State.QUEUED, None),
    ("timeout", None, 9, "restart", State.QUEUED, None),
    # It ended by itself before the stop took hold: it keeps the end that it had.
    ("exit", 0, None, "stop", State.SUCCEEDED, None),
    ("exit", 1, None, "shutdown", State.FAILED, "exit_code"),
    ("stop", None, 15, "restart", State.CANCELED, "stop"),
]


@pytest.mark.parametrize(("why", "code", "signal", "stop_why", "state", "reason"), CASES)
def test_the_end_of_a_run_follows_from_its_last_line(
    why: str,
    code: int | None,
    signal: int | None,
    stop_why: str | None,
    state: State,
    reason: str | None,
) -> None:
    attempt = Attempt(run="r", no=1, sid="s", cause="start", exit_code=code, signal=signal)
    found = outcome.decide(why, attempt=attempt, stop_why=stop_why, success_codes=(0, 7))
    assert found == outcome.Outcome(state, reason)


def test_an_attempt_that_timed_out_is_so_whatever_the_last_line_says() -> None:
    attempt = Attempt(run="r", no=1, sid="s", cause="start", exit_code=0, timed_out=True)
    found = outcome.decide("exit", attempt=attempt, stop_why=None, success_codes=(0,))
    assert found.state is State.TIMED_OUT


def test_an_attempt_that_claw_ended_as_failed_has_failed_whatever_the_last_line_says() -> None:
    attempt = Attempt(
        run="r", no=1, sid="s", cause="start", exit_code=0, ended_for="resources: too much"
    )
    found = outcome.decide("exit", attempt=attempt, stop_why=None, success_codes=(0,))
    assert found == outcome.Outcome(State.FAILED, "resources")


def test_model_and_supervisor_mean_the_same_failures() -> None:
    assert outcome.FAILURES == machine.FAILURES


def test_a_child_that_could_not_be_spawned_is_a_failure_of_its_own_kind() -> None:
    attempt = Attempt(run="r", no=1, sid="s", cause="start", error="exec: no such file")
    for why in ("spawn", "exit"):
        found = outcome.decide(why, attempt=attempt, stop_why=None, success_codes=(0,))
        assert found == outcome.Outcome(State.FAILED, "spawn_failed")


def test_a_run_without_any_attempt_has_an_unknown_end() -> None:
    found = outcome.decide("exit", attempt=None, stop_why=None, success_codes=(0,))
    assert found == outcome.Outcome(State.CRASHED, "unknown_exit")
