"""What a supervisor knows is a fold over its journal, whoever wrote the lines."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.supervisor import machine
from claw.supervisor.machine import Supervision
from claw.wire.supervision import Ladder, Launch, Message


def ladder(**changes: Any) -> Ladder:
    values = {
        "policy": "always", "delays_s": [1.0, 2.0, 5.0], "jitter": 0.0, "reset_after_s": 60.0,
        "start_limit": 0, "start_limit_window_s": 60.0,
    }  # fmt: skip
    return Ladder(**{**values, **changes})


def launch(restart: Ladder | None = None, **changes: Any) -> Launch:
    values: dict[str, object] = dict.fromkeys(Launch.__slots__)
    values |= {"run": "r1", "attempt": 1, "success_codes": [0], "timeout_s": 0.0}
    return Launch(**{**values, "restart": restart, **changes})


class Life:
    """A supervisor's life, lived line by line at times that are made up."""

    def __init__(self, what: Launch) -> None:
        self.state = Supervision(what)
        self.lines: list[Message] = []
        self.now = 100.0
        self.pid = 1000

    def live(self, ev: str, **values: object) -> None:
        line = {"ev": ev, "at": self.now + 1e9, "b": self.now, "run": "r1", **values}
        self.lines.append(line)
        self.state.apply(line)

    def started(self) -> None:
        self.pid += 1
        self.state.begin_launch()
        self.live("started", attempt=self.state.attempt, pid=self.pid, start=self.pid * 7)

    def spawn_failed(self) -> None:
        self.live("spawn_failed", pid=self.pid, start=1, stage="exec", error="No such file")

    def stopping(self, why: str) -> None:
        self.live("stopping", why=why, by="me", grace_s=10.0)

    def exited(self, code: int | None, signal: int | None = None) -> Message:
        self.live("exited", code=code, signal=signal, timed_out=self.state.timed_out)
        return self.follow()

    def follow(self, fraction: float = 0.0) -> Message:
        line = self.state.next_line(self.now + 1e9, self.now, fraction)
        self.lines.append(line)
        self.state.apply(line)
        return line


def facts_of(state: Supervision) -> dict[str, object]:
    facts = {name: getattr(state, name) for name in Supervision.__slots__}
    stop = facts.pop("stop")
    if stop is not None:
        facts["stop"] = (stop.why, stop.by, stop.since_b, stop.grace_s)
    if facts["phase"] == machine.BACKOFF:  # leaving it is no line: a due time has passed
        facts["phase"] = machine.LAUNCHING
    return facts


@st.composite
def lives(draw: st.DrawFn) -> tuple[Life, list[dict[str, object]]]:
    """Draw a life, with what was known after each of its lines."""
    restart = draw(
        st.none()
        | st.builds(
            ladder,
            policy=st.sampled_from(["always", "on-failure", "never"]),
            jitter=st.sampled_from([0.0, 0.5]),
            start_limit=st.integers(0, 4),
            reset_after_s=st.sampled_from([0.0, 3.0, 60.0]),
        )
    )
    life = Life(launch(restart, timeout_s=draw(st.sampled_from([0.0, 5.0]))))
    known = [facts_of(life.state)]

    def note() -> None:
        while len(known) <= len(life.lines):
            known.append(facts_of(life.state))

    for _ in range(draw(st.integers(1, 12))):
        life.started()
        note()
        if draw(st.booleans()) and draw(st.booleans()):
            life.spawn_failed()
            note()
        life.now += draw(st.sampled_from([0.0, 0.5, 4.0, 100.0]))
        if draw(st.integers(0, 4)) == 0:
            life.stopping(draw(st.sampled_from(["stop", "restart", "timeout", "unhealthy"])))
            note()
        code = draw(st.sampled_from([0, 1, None]))
        life.live("exited", code=code, signal=None if code is not None else 9)
        note()
        line = life.follow(draw(st.floats(0, 0.99)))
        note()
        if line["ev"] == "ended":
            break
        life.now += line["delay_s"]
    return life, known


@given(lives())
def test_a_replacement_knows_after_any_line_what_its_predecessor_knew(
    lived: tuple[Life, list[dict[str, object]]],
) -> None:
    life, known = lived

    replayed = Supervision(life.state.launch)

    for number, line in enumerate(life.lines, start=1):
        replayed.apply(line)
        assert facts_of(replayed) == known[number], line


@given(lives())
def test_lines_of_other_versions_change_nothing(
    lived: tuple[Life, list[dict[str, object]]],
) -> None:
    life, known = lived
    replayed = Supervision(life.state.launch)

    for line in life.lines:
        replayed.apply({"ev": "note", "text": "of no weight"})
        replayed.apply({"ev": "of the year 2040"})
        replayed.apply({"what": "no event at all"})
        replayed.apply(line)

    assert facts_of(replayed) == known[-1]


def test_failures_climb_the_ladder_and_its_last_rung_repeats() -> None:
    life = Life(launch(ladder()))

    delays = []
    for _ in range(5):
        life.started()
        delays.append(life.exited(1)["delay_s"])

    assert delays == [1.0, 2.0, 5.0, 5.0, 5.0]
    assert life.state.restarts == 5
    assert life.state.attempt == 6


def test_a_child_that_lived_long_enough_begins_the_ladder_anew() -> None:
    life = Life(launch(ladder(reset_after_s=60.0)))
    for _ in range(3):
        life.started()
        life.exited(1)

    life.started()
    life.now += 60.0

    assert life.exited(1)["delay_s"] == 1.0


def test_jitter_takes_its_part_of_a_delay_on_top() -> None:
    life = Life(launch(ladder(jitter=0.5)))
    life.started()
    life.live("exited", code=1, signal=None)

    line = life.follow(fraction=0.5)

    assert line["delay_s"] == 1.25
    assert line["until_b"] == line["b"] + 1.25


@pytest.mark.parametrize(
    ("policy", "code", "follows"),
    [
        ("always", 0, "restarting"),
        ("always", 1, "restarting"),
        ("on-failure", 0, "ended"),
        ("on-failure", 1, "restarting"),
        ("on-failure", None, "restarting"),
        ("never", 1, "ended"),
    ],
)
def test_the_policy_says_whether_a_restart_follows(
    policy: str, code: int | None, follows: str
) -> None:
    life = Life(launch(ladder(policy=policy)))
    life.started()

    assert life.exited(code)["ev"] == follows


def test_a_success_code_of_ones_own_is_no_failure() -> None:
    life = Life(launch(ladder(policy="on-failure"), success_codes=[0, 42]))
    life.started()

    assert life.exited(42)["why"] == "exit"


def test_too_many_starts_within_the_window_end_the_run() -> None:
    life = Life(launch(ladder(start_limit=3, delays_s=[0.0])))

    ends = []
    for _ in range(3):
        life.started()
        ends.append(life.exited(1).get("why"))

    assert ends == [None, None, "start_limit"]


def test_starts_outside_the_window_do_not_count() -> None:
    life = Life(launch(ladder(start_limit=3, start_limit_window_s=10.0)))

    for _ in range(20):
        life.started()
        life.now += 5.0
        assert life.exited(1)["ev"] == "restarting"
    assert len(life.state.starts_b) == 3


@pytest.mark.parametrize("why", ["stop", "cancel", "restart", "shutdown", "overlap"])
def test_a_stop_ends_the_run_whatever_the_policy(why: str) -> None:
    life = Life(launch(ladder()))
    life.started()
    life.stopping(why)

    ended = life.exited(0)

    assert (ended["ev"], ended["why"], ended["by"]) == ("ended", why, "me")


def test_a_stop_during_the_delay_ends_the_run() -> None:
    life = Life(launch(ladder()))
    life.started()
    life.exited(1)
    assert life.state.phase == machine.BACKOFF

    life.stopping("stop")

    assert life.follow()["why"] == "stop"
    assert life.state.phase == machine.ENDED


def test_a_timeout_restarts_a_service_and_ends_a_job() -> None:
    service, job = Life(launch(ladder(policy="on-failure"))), Life(launch())
    for life in (service, job):
        life.started()
        life.stopping("timeout")

    assert service.exited(0)["ev"] == "restarting"
    assert job.exited(0)["why"] == "timeout"
    assert service.state.timed_out is False  # that was the attempt before


@pytest.mark.parametrize("why", sorted(machine.FAILURES))
def test_what_a_child_is_ended_for_as_failed_is_followed_by_the_policy(why: str) -> None:
    restarted, given_up = Life(launch(ladder(policy="on-failure"))), Life(launch())
    for life in (restarted, given_up):
        life.started()
        life.stopping(why)

    assert restarted.exited(0)["ev"] == "restarting"
    assert given_up.exited(0)["why"] == why


def test_a_stop_of_the_run_outdoes_a_failure() -> None:
    life = Life(launch(ladder()))
    life.started()
    life.stopping("unhealthy")
    life.stopping("stop")

    assert life.exited(0)["why"] == "stop"


def test_a_timeout_counts_from_the_start_and_not_once_a_stop_is_under_way() -> None:
    life = Life(launch(timeout_s=5.0))
    found = [life.state.timeout_b]
    life.started()
    found.append(life.state.timeout_b)
    life.stopping("stop")
    found.append(life.state.timeout_b)

    assert found == [None, 105.0, None]


def test_a_child_that_cannot_be_started_is_not_tried_in_a_tight_loop() -> None:
    life = Life(launch(ladder(delays_s=[0.0])))
    life.started()
    life.spawn_failed()

    assert life.exited(127)["delay_s"] == machine.SPAWN_FAILURE_DELAY_S


def test_a_job_that_cannot_be_started_ends_so() -> None:
    life = Life(launch())
    life.started()
    life.spawn_failed()

    assert life.exited(127)["why"] == "spawn"


def test_a_failed_spawn_does_not_count_as_a_long_life() -> None:
    life = Life(launch(ladder(reset_after_s=1.0)))
    life.started()
    life.exited(1)
    life.started()
    life.spawn_failed()
    life.now += 100.0

    assert life.exited(127)["delay_s"] == 2.0


@given(st.lists(lives(), min_size=2, max_size=3))
def test_of_several_runs_in_a_journal_the_last_one_is_what_a_replacement_knows(
    lived: list[tuple[Life, list[dict[str, object]]]],
) -> None:
    last, known = lived[-1]
    replayed = Supervision(last.state.launch)

    for life, _known in lived:
        replayed.apply({"ev": "launch", "run": "r", "attempt": life.state.launch.attempt})
        for line in life.lines:
            replayed.apply(line)

    assert facts_of(replayed) == known[-1]
