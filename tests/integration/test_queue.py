"""The queue through clawctl: batches, pools, what waits and what is held back."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.client.follow import BACK, GONE
from tests.kit.clawctl import Going, Shell
from tests.kit.master import MasterUnderTest, master

JOBS = """
[jobs.each]
command = 'case "$2" in bad*) exit 3; esac; echo "$1 $2 $EXTRA"'
params = ["EXTRA"]
[jobs.held]
command = 'while [ ! -e "$GO" ]; do sleep 0.05; done'
env = {{ GO = "{go}" }}
[pools.db]
[jobs.first]
command = 'while [ ! -e "$GO" ]; do sleep 0.05; done'
env = {{ GO = "{go}" }}
pool = "db"
[jobs.second]
command = "true"
pool = "db"
[jobs.plain]
command = "true"
[jobs.fast]
command = "true"
dedup = {{ window = "1h", key = "${{1}}" }}
"""


@pytest.fixture(name="go", scope="module")
def _go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("go") / "on"


@pytest.fixture(name="claw", scope="module")
def _claw(go: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    with master(tmp_path_factory.mktemp("queue"), JOBS.format(go=go)) as found:
        yield found
        go.touch()


@pytest.fixture(name="ctl")
def _ctl(claw: MasterUnderTest) -> Shell:
    return Shell({"CLAW_HOME": os.fspath(claw.folder)})


def test_each_line_is_a_run_and_what_failed_of_them_is_run_again(
    ctl: Shell, tmp_path: Path
) -> None:
    lines = tmp_path / "lines"
    lines.write_text("one\n\nbad\ntwo words\n")
    begun = ctl("run", "each", "--each", str(lines), "--arg=-v", "--follow", status=1)
    batch = begun.out.split()[0]
    assert begun.out.splitlines()[-1] == "3 of 3 done, 0 running, 1 failed"
    listed = ctl("runs", "list", "--batch", batch, "--json").json["runs"]
    assert [run["args"] for run in reversed(listed)] == [
        ["-v", "one"],
        ["-v", "bad"],
        ["-v", "two words"],
    ]
    assert "-v two words" in ctl("logs", listed[0]["id"]).out
    failed = ctl("runs", "list", "--batch", batch[-8:], "--state", "failed", "--json").json
    [bad] = failed["runs"]
    again = ctl("runs", "retry", batch).out.strip()
    ctl("wait", again, status=3)
    assert ctl("runs", "show", again, "--json").json["replay_of"] == bad["id"]
    assert ctl("wait", batch, "--json", status=1).json["failed"] == 1


def test_lines_of_json_have_arguments_and_variables(ctl: Shell) -> None:
    said = ctl.sh(
        'printf \'{"args": ["a", "b"], "env": {"EXTRA": "c"}}\\n["d"]\\n\''
        " | $CLAWCTL run each --each - --jsonl --wait"
    )
    batch = said.out.split()[0]
    runs = ctl("runs", "list", "--batch", batch, "--since", "1h", "--json").json["runs"]
    assert said.status == 0, said
    assert ctl("logs", runs[1]["id"]).out.endswith("a b c\n")
    assert "line 1 is no JSON" in ctl.sh("echo x | $CLAWCTL run each --each - --jsonl").err
    unread = ctl("run", "each", "--each", "/no/such", status=2).fault
    assert unread == "clawctl: --each: /no/such cannot be read: No such file or directory"
    assert "has no line" in ctl.sh("$CLAWCTL run each --each - </dev/null").err


def test_a_batch_that_waits_and_runs_is_canceled_with_its_reason(
    ctl: Shell, tmp_path: Path
) -> None:
    lines = tmp_path / "lines"
    lines.write_text("1\n2\n3\n")
    batch = ctl("run", "held", "--each", str(lines), "--priority", "low").out.strip()
    canceled = ctl("cancel", batch, "--terminate", "--reason", "not today").out.split()
    ctl("wait", batch, "--timeout", "30s", status=1)
    runs = ctl("runs", "list", "--batch", batch, "--json").json["runs"]
    assert sorted(canceled) == sorted(run["id"] for run in runs)
    assert {(run["state"], run["reason"]) for run in runs} == {
        ("canceled", "cancel: not today")
    }
    assert "has ended" in ctl("runs", "cancel", runs[0]["id"], status=1).fault


def test_who_waits_for_a_batch_waits_over_a_kill_of_the_daemon(tmp_path: Path) -> None:
    go, lines = tmp_path / "go", tmp_path / "lines"
    lines.write_text("1\n2\n")
    with master(tmp_path / "own", JOBS.format(go=go)) as claw:
        ctl = Shell({"CLAW_HOME": os.fspath(claw.folder)})
        with ctl.begin("run", "held", "--each", str(lines), "--follow") as asking:
            batch = asking.wait_text("")
            with ctl.begin("wait", batch, "--follow") as waiting:
                both = (asking, waiting)
                _wait_for_each(claw, both, "0 of 2 done")
                claw.kill()
                _wait_for_each(claw, both, GONE)
                claw.start()
                _wait_for_each(claw, both, BACK)
                go.touch()
                for one in both:
                    assert one.end(status=0).out.endswith("2 of 2 done, 0 running, 0 failed")


def _wait_for_each(claw: MasterUnderTest, those: tuple[Going, ...], text: str) -> None:
    claw.wait_until(
        lambda: all(any(text in line for line in one.err) for one in those), f"word: {text}"
    )


def test_a_duplicate_is_a_skipped_run_and_the_answer_says_of_which(ctl: Shell) -> None:
    first = ctl("run", "fast", "--arg", "x", "--wait").out.strip()
    said = ctl("run", "fast", "--arg", "x")
    assert f"the same as run {first}" in said.err
    assert ctl("runs", "show", said.out.strip(), "--json").json["state"] == "skipped"


def test_a_pool_is_seen_widened_and_held_back(ctl: Shell, claw: MasterUnderTest) -> None:
    first = claw.submit("first")
    second, third = claw.submit("second"), claw.submit("second")
    claw.wait_state("first", "running")
    [pool] = ctl("pool", "list", "--json").json["pools"]
    waiting = ctl("queue", "list", "--pool", "db", "--json").json
    budgets = ctl("status", "--budgets").out

    assert [holder["run"] for holder in pool["holders"]] == [first]
    assert pool["waiting"] == 2
    assert [run["run"] for run in waiting["runs"]] == [second, third]
    assert waiting["runs"][0]["why"] == "pool db: its only slot is taken"
    assert "nearly used up: pool db: 1 of 1" in budgets
    assert first[-6:] in ctl("pool", "list").out
    assert "max_instances" in ctl("queue", "list", "--job", "second").out

    ctl("queue", "pause", "db")
    ctl("pool", "set", "db", "2")
    assert "is paused by" in ctl("why", second).out
    assert "the queue of pool db is paused" in ctl("status").err
    assert ctl("runs", "stale", "--older", "0", "--json").json["runs"]
    claw.restart()
    assert "is paused by" in ctl("queue", "list").out
    ctl("queue", "resume", "db")
    ctl("wait", second, "--timeout", "30s")
    ctl("cancel", first, third, "--terminate", status=None)


def test_what_waits_is_cleared_with_its_reason_and_what_runs_goes_on(
    ctl: Shell, claw: MasterUnderTest
) -> None:
    runs, later = claw.submit("held"), claw.submit("held")
    claw.wait_state("held", "running")
    assert ctl("queue", "clear", "held", "--reason", "enough").out.split() == [later]
    assert ctl("runs", "show", later, "--json").json["reason"] == "cancel: queue clear: enough"
    assert ctl("runs", "show", runs, "--json").json["state"] == "running"
    assert "nothing was running or waiting" in ctl("queue", "clear").out
    ctl("cancel", runs, "--terminate")


def test_what_was_asked_for_at_a_later_time_is_cleared_when_it_is_meant(ctl: Shell) -> None:
    first, second = (ctl("run", "plain", "--in", "1h").out.strip() for _ in range(2))
    told = ctl("queue", "clear")
    assert "nothing was running or waiting" in told.out
    assert "2 asked for at a later time: clawctl queue clear --all" in told.err
    assert ctl("queue", "clear", first).out.split() == [first]
    assert ctl("queue", "clear", "--all").out.split() == [second]


def test_more_lines_than_a_request_or_the_queue_holds_are_one_batch(
    claw: MasterUnderTest, ctl: Shell, tmp_path: Path
) -> None:
    count, lines = 12_000, tmp_path / "lines"
    lines.write_text("".join(f"{no} {'x' * 100}\n" for no in range(count)))
    ctl("queue", "pause")

    batch = ctl("run", "plain", "--each", str(lines)).out.strip()

    assert claw.call("run.batch", batch=batch)["total"] == count
    assert ctl("status", "plain").out  # who asks meanwhile is answered
    said = ctl("cancel", batch).out.splitlines()
    dropped = [int(word) for word in said[-1].split() if word.isdigit()]
    assert sum(dropped) + len(said) - bool(dropped) == count
    found = claw.call("run.batch", batch=batch)
    assert found["done"] == found["total"] == count - sum(dropped)
    ctl("queue", "resume")
