"""Runs that are tried again, over crashes of all that tries them; and dead letters."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.clawctl import Shell
from tests.kit.master import Json, MasterUnderTest, StartMaster, kill_process, master

JOBS = """
[jobs.third-time]
command = 'echo "this is $CLAW_ATTEMPT"; [ "$CLAW_ATTEMPT" = 3 ]'
retry = { delays = [0.05], max_attempts = 3 }
[jobs.broken]
command = 'echo "$REGION" "$@"; exit "${1:-3}"'
params = ["REGION"]
retry = { delays = [0.05], max_attempts = 2 }
[jobs.endless]
command = "sleep 600"
grace_period = "2s"
run_timeout = 0.5
retry = { delays = [0.05], max_attempts = 9 }
[jobs.patient]
command = "exit 3"
retry = { delays = ["1h"], max_attempts = 2 }
[jobs.says-trouble]
command = 'echo fine; echo "Traceback (most recent call last)"; echo "WARN: hot"'
checks = [{ match = "^Traceback", then = "fail" }]
[jobs.says-warning]
command = 'echo "WARN: hot" >&2'
checks = [{ match = "Traceback" }, { match = "hot$", then = "warn" }]
[jobs.slow-to-search]
command = "printf %04000d 0"
checks = [{ match = "(0+)+$b", then = "fail" }, { match = "000", then = "warn" }]
[jobs.limited]
command = 'echo "429 Too Many Requests" >&2; exit 1'
retry = { delays = ["1h"], rate_limit = { delays = [0.05], max_attempts = 2 } }
dead_letter = false
[jobs.says-skip]
command = "echo IDEMPOTENT_SKIP; exit 1"
[jobs.poison]
command = 'echo "at $CLAW_ATTEMPT: no disk"; exit 1'
retry = { delays = [0.05], max_attempts = 9, poison_after = 3 }
[jobs.idle]
command = "exit 75"
skip_code = 75
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    """A master for tests that leave it as they found it."""
    with master(tmp_path_factory.mktemp("retries") / "home", JOBS) as made:
        yield made


@pytest.fixture(scope="module")
def ctl(shared: MasterUnderTest) -> Shell:
    """``clawctl`` of the shared master."""
    return Shell(shared.environment)


def test_a_run_is_tried_until_it_succeeds_and_each_attempt_is_told(ctl: Shell) -> None:
    run = ctl("run", "third-time", "--wait", "--json").json

    shown = ctl("runs", "show", run["run"], "--json").json

    assert (shown["state"], shown["attempt"], shown["retries"]) == ("succeeded", 3, 2)
    attempts = [(one["no"], one["cause"], one["exit_code"]) for one in shown["attempts"]]
    assert attempts == [(1, "start", 1), (2, "retry", 1), (3, "retry", 0)]
    assert len({one["pid"] for one in shown["attempts"]}) == 3
    output = ctl("logs", run["run"]).lines
    assert [line[-9:] for line in output] == ["this is 1", "this is 2", "this is 3"]


def test_a_run_that_waits_for_its_next_attempt_says_so_everywhere(
    ctl: Shell, shared: MasterUnderTest
) -> None:
    run = ctl("run", "patient").out.split()[-1]
    shared.wait_until(lambda: _state(shared, run) == "retry_wait", "a wait")

    text = "exit 3: attempt 2 of 2 follows"
    (job,) = ctl("status", "patient", "--json").json["jobs"]
    assert (job["state"], job["run"]) == ("backoff", run)
    assert job["why"].startswith(text)
    assert job["next_at"] == shared.call("run.show", run=run)["due_at"]
    assert text in ctl("why", run).out
    assert text in ctl("why", "patient").out
    assert text in ctl("runs", "list", "--state", "retry_wait").out
    assert "next try" in ctl("runs", "show", run).out
    ctl("cancel", run)
    assert _state(shared, run) == "canceled"


def _state(claw: MasterUnderTest, run: str) -> str:
    return str(claw.call("run.show", run=run)["state"])


def test_a_dead_letter_is_listed_reinjected_with_changes_and_purged(
    ctl: Shell, shared: MasterUnderTest
) -> None:
    dead = ctl("run", "broken", "--wait", "--json", status=3).json["run"]
    (shown,) = ctl("dlq", "list", "--job", "broken", "--json").json["runs"]
    assert (shown["id"], shown["dead_why"], shown["attempt"]) == (dead, "exit_code", 2)
    assert dead[-6:] in ctl("dlq", "list").out
    assert "dead letter  exit_code" in ctl("dlq", "show", dead).out
    assert f"clawctl dlq reinject {dead[-6:]}" in ctl("why", dead).out
    assert "broken has a dead letter" in ctl("alerts", "list").out

    words = ("dlq", "reinject", dead, "--env", "REGION=eu", "--arg", "0", "--json")
    (made,) = ctl(*words).json["reinjected"]

    assert made["of"] == dead
    ended = ctl("wait", made["run"], "--json").json
    assert (ended["state"], ended["origin"], ended["replay_of"]) == (
        "succeeded",
        "reinject",
        dead,
    )
    assert "eu 0" in ctl("logs", made["run"]).out
    assert ctl("dlq", "list", "--job", "broken").out.strip() == "no dead letters"
    assert made["run"] in ctl("dlq", "reinject", dead, status=1).err
    ctl("run", "broken", "--wait", status=3)
    assert len(ctl("dlq", "purge", "--job", "broken", "--json").json["purged"]) == 1
    assert ctl("dlq", "purge", "--job", "broken").out.strip() == "no dead letters"
    assert "broken has a dead letter" not in ctl("alerts", "list").out
    assert _state(shared, dead) == "failed"


def test_which_dead_letters_has_to_be_said(ctl: Shell) -> None:
    assert "--all" in ctl("dlq", "purge", status=2).fault
    assert "not both" in ctl("dlq", "reinject", "4fj2k9", "--all", status=2).fault


def test_all_attempts_together_have_the_time_of_the_run(ctl: Shell) -> None:
    ended = ctl("run", "endless", "--wait", "--json", status=124).json
    assert (ended["state"], ended["reason"], ended["attempt"]) == (
        "timed_out",
        "run_timeout",
        1,
    )


def test_nothing_to_do_is_a_success_with_a_note(ctl: Shell) -> None:
    run = ctl("run", "idle").out.split()[-1]
    shown = ctl("wait", run, "--json", status=None).json
    assert (shown["state"], shown["note"], shown["exit_code"]) == (
        "succeeded",
        "already done",
        75,
    )


def test_what_a_run_prints_may_fail_it_warn_or_raise_an_alert(ctl: Shell) -> None:
    bad = ctl("run", "says-trouble", "--wait", "--json", status=1).json
    assert (bad["state"], bad["reason"], bad["exit_code"]) == ("failed", "check: ^Traceback", 0)
    good = ctl("run", "says-warning", "--wait", "--json").json
    assert (good["state"], good["note"]) == ("succeeded", "check: hot$ was found (warn)")


def test_a_search_that_takes_for_ever_holds_nothing_up(ctl: Shell) -> None:
    ended = ctl("run", "slow-to-search", "--wait", "--json").json
    assert ended["state"] == "succeeded"
    assert ended["note"] == (
        "check: 000 was found (warn); not searched for, it took too long: (0+)+$b"
    )


def test_a_rate_limit_is_waited_for_by_a_ladder_of_its_own(ctl: Shell) -> None:
    ended = ctl("run", "limited", "--wait", "--json", status=1).json
    causes = [one["cause"] for one in ended["attempts"]]
    assert causes == ["start", "rate_limit", "rate_limit"]


def test_a_first_line_of_output_says_that_there_was_nothing_to_do(ctl: Shell) -> None:
    ended = ctl("run", "says-skip", "--wait", "--json", status=None).json
    assert (ended["state"], ended["note"]) == ("succeeded", "already done")


def test_the_same_failure_again_and_again_is_poison(ctl: Shell) -> None:
    ended = ctl("run", "poison", "--wait", "--json", status=1).json
    assert (ended["state"], ended["reason"], ended["attempt"]) == ("failed", "poison", 3)


class Gate:
    """Holds each attempt of a job until it is told how to end."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "gate"
        self.seen = folder / "seen"
        os.mkfifo(self.path)

    def job(self, more: str) -> str:
        """Return the configuration of a job that waits at this gate."""
        command = f"echo $CLAW_ATTEMPT >> {self.seen}; read code < {self.path}; exit $code"
        return f"[jobs.j]\ncommand = '{command}'\ngrace_period = '2s'\n{more}\n"

    def open(self, code: int) -> None:
        """Let the attempt go, as soon as it is there."""
        with self.path.open("w") as file:
            file.write(f"{code}\n")

    @property
    def attempts(self) -> list[str]:
        """The attempts that have begun, in order."""
        return self.seen.read_text().split() if self.seen.exists() else []


def _running(claw: MasterUnderTest, run: str, attempt: int) -> Json:
    def look() -> Json | None:
        found = claw.call("run.show", run=run)
        is_there = found["state"] == "running" and found["attempt"] == attempt
        return dict(found) if is_there and found["pid"] else None

    found = claw.wait_until(look, f"attempt {attempt}")
    assert found is not None
    return found


def test_a_ladder_outlives_kills_of_the_master_at_any_step(
    start_master: StartMaster, tmp_path: Path
) -> None:
    gate = Gate(tmp_path)
    claw = start_master(gate.job("retry = { delays = [0.2], max_attempts = 4 }"))
    run = claw.call("run.submit", job="j")["run"]
    for attempt in (1, 2, 3):
        _running(claw, run, attempt)
        claw.restart()  # while it runs
        gate.open(3)
        claw.restart()  # before, while or after its end is taken in
    _running(claw, run, 4)
    gate.open(0)
    claw.wait_until(lambda: _state(claw, run) == "succeeded", "an end")
    shown = claw.call("run.show", run=run)
    assert gate.attempts == ["1", "2", "3", "4"]
    assert [one["cause"] for one in shown["attempts"]] == ["start", "retry", "retry", "retry"]
    assert [one["exit_code"] for one in shown["attempts"]] == [3, 3, 3, 0]


def test_a_stop_of_the_daemon_puts_a_run_back_that_is_to_be_delivered(
    start_master: StartMaster, tmp_path: Path
) -> None:
    gate = Gate(tmp_path)
    claw = start_master(gate.job('delivery_guarantee = "at-least-once"'))
    run = claw.call("run.submit", job="j")["run"]
    _running(claw, run, 1)

    claw.end()
    claw.start()

    found = _running(claw, run, 2)
    assert (found["cause"], found["retries"]) == ("replay", 0)
    gate.open(0)
    claw.wait_until(lambda: _state(claw, run) == "succeeded", "an end")
    assert gate.attempts == ["1", "2"]


def test_a_run_that_is_lost_with_all_its_keepers_is_delivered_again(
    start_master: StartMaster, tmp_path: Path
) -> None:
    gate = Gate(tmp_path)
    claw = start_master(gate.job('delivery_guarantee = "at-least-once"'))
    run = claw.call("run.submit", job="j")["run"]
    found = _running(claw, run, 1)
    fork_server = int(claw.call("daemon.status")["fork_server_pid"])

    claw.kill()
    assert kill_process(fork_server)
    assert kill_process(int(found["supervisor_pid"]))
    claw.start()

    again = _running(claw, run, 2)
    assert (again["cause"], again["retries"]) == ("replay", 1)
    gate.open(0)
    claw.wait_until(lambda: _state(claw, run) == "succeeded", "an end")
    assert gate.attempts == ["1", "2"]
    moves = [one["to"] for one in claw.call("event.list")["events"] if one["run"] == run]
    assert "crashed" not in moves
