"""Jobs that follow others, with real children, by ``clawctl``."""

import os
from collections.abc import Iterator
from typing import Any

import pytest

from tests.kit.clawctl import Shell
from tests.kit.master import MasterUnderTest, master

LONG = 300_000
FACTS = 'env | sort | grep "^CLAW_PARENT" ; exit 0'
JOBS = f"""
[jobs.parent]
command = 'eval "$1"'
[jobs.well]
command = {FACTS!r}
trigger = {{ after = "parent" }}
[jobs.badly]
command = "cd ${{CLAW_PARENT_OUTPUT_FILE%/*}}; cat parent.out parent.json; stat -c %a *.out"
trigger = {{ after = "parent", on = "failure" }}
[jobs.grandchild]
command = 'echo "$CLAW_PARENT_JOB"'
trigger = {{ after = "well", delay = "200ms" }}

[jobs.talks]
command = 'eval "$1"'
[jobs.on-alert]
command = "true"
trigger = {{ after = "talks", when = "contains:ALERT" }}
[jobs.on-line]
command = "true"
trigger = {{ after = "talks", on = "complete", when = "regex:^ERR: \\\\d+$" }}
[jobs.on-slow]
command = "true"
trigger = {{ after = "talks", when = "regex:(x+x+)+y" }}
[jobs.on-three]
command = "true"
trigger = {{ after = "talks", on = "failure", when = "exit:3,4" }}
[jobs.on-done]
command = "true"
trigger = {{ after = "talks", on = "complete", when = "json:report.status=done" }}

[jobs.flaky]
command = "exit 1"
retry = {{ delays = [0, 0], max_attempts = 3 }}
[jobs.after-flaky]
command = "true"
trigger = {{ after = "flaky", on = "failure" }}

[jobs.start]
command = "true"
[jobs.left]
command = "echo from left"
trigger = {{ after = "start" }}
[jobs.right]
command = "exit 3"
trigger = {{ after = "start" }}
[jobs.both]
command = '''
cat "$CLAW_PARENT_LEFT_OUTPUT_FILE"; echo $CLAW_PARENT_RIGHT_STATUS $CLAW_PARENT_RIGHT_EXIT'''
trigger = {{ after = ["left", "right"], on = "complete" }}
[jobs.either]
command = "true"
trigger = {{ after = ["left", "right"], on = "complete", join = "any" }}

[jobs.quick]
command = "true"
[jobs.first]
command = "true"
[jobs.second]
command = 'until [ -e "$HOLD" ]; do sleep 0.02; done'
trigger = {{ after = "first" }}
[jobs.third]
command = "true"
trigger = {{ after = "first", delay = "1h" }}
"""


@pytest.fixture(name="claw", scope="module")
def _claw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    folder = tmp_path_factory.mktemp("triggers")
    hold = folder / "hold"
    text = JOBS.replace("[jobs.second]", f'[jobs.second]\nenv.HOLD = "{hold}"')
    with master(folder / "home", text) as found:
        yield found
        hold.touch()


@pytest.fixture(name="ctl")
def _ctl(claw: MasterUnderTest) -> Shell:
    return Shell({"CLAW_HOME": os.fspath(claw.folder)})


def run(ctl: Shell, *words: str) -> str:
    """Run a job to its end, however it ends, and return the run's id."""
    return ctl("run", *words, "--wait", status=None).out.strip()


def following(claw: MasterUnderTest, job: str, parent: str) -> list[dict[str, Any]]:
    """Return the runs of a job that follow a run."""
    return [one for one in claw.runs(job) if one["parent"] == parent]


def ended(claw: MasterUnderTest, job: str, parent: str) -> dict[str, Any]:
    """Wait until a job's run that follows a run has ended, and return it."""

    def look() -> list[dict[str, Any]]:
        return [one for one in following(claw, job, parent) if one["ended_at"] is not None]

    claw.wait_until(lambda: bool(look()), f"the end of {job}")
    [found] = look()
    return found


def test_a_success_is_followed_and_its_child_is_told_of_it(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    parent = run(ctl, "parent", "--arg", "echo said")
    child = ended(claw, "well", parent)
    assert (child["state"], child["origin"], child["depth"]) == ("succeeded", "trigger", 1)
    facts = dict(line.split("=", 1) for line in ctl("logs", child["id"]).lines)
    assert facts.pop("CLAW_PARENT_OUTPUT_FILE").endswith(f"{child['id']}.1/parent.out")
    assert facts == {
        "CLAW_PARENT_EXIT": "0",
        "CLAW_PARENT_JOB": "parent",
        "CLAW_PARENT_RUN": parent,
        "CLAW_PARENT_RUNS": parent,
        "CLAW_PARENT_STATUS": "succeeded",
    }
    assert not following(claw, "badly", parent)
    last = ended(claw, "grandchild", child["id"])
    assert last["depth"] == 2
    assert ctl("logs", last["id"]).out == "well\n"


def test_a_failure_is_followed_by_a_child_that_reads_what_it_left(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    script = f'seq {LONG}; echo "[1]" > "$CLAW_RESULT_FILE"; exit 7'
    parent = run(ctl, "parent", "--arg", script)
    child = ended(claw, "badly", parent)
    lines = ctl("logs", child["id"], "--since", "1h").lines
    assert lines[-1] == "[1]600"
    assert lines[:-1] == [str(no) for no in range(int(lines[0]), LONG + 1)]
    assert 1_000_000 < len("\n".join(lines)) < (1 << 20) + 20
    assert not following(claw, "well", parent)


def test_a_condition_is_about_all_that_was_printed(claw: MasterUnderTest, ctl: Shell) -> None:
    far = "seq 20000; echo 'so: ALERT'; seq 20000"
    parent = run(ctl, "talks", "--arg", far)
    assert ended(claw, "on-alert", parent)["state"] == "succeeded"
    assert not following(claw, "on-line", parent)
    quiet = run(ctl, "talks", "--arg", "echo alert")
    assert not following(claw, "on-alert", quiet)
    assert "contains:ALERT does not hold on it" in ctl("why", "on-alert").out


def test_an_expression_meets_lines_as_they_were_printed(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    parent = run(ctl, "talks", "--arg", "echo 'stdout:'; echo 'ERR: 42'; exit 1")
    assert ended(claw, "on-line", parent)["state"] == "succeeded"
    other = run(ctl, "talks", "--arg", "echo 'no ERR: 42'; exit 1")
    assert not following(claw, "on-line", other)


def test_an_exit_status_and_a_result_are_conditions_too(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    script = """echo '{"report": {"status": "done"}}' > "$CLAW_RESULT_FILE"; exit 4"""
    parent = run(ctl, "talks", "--arg", script)
    assert ended(claw, "on-three", parent)["state"] == "succeeded"
    assert ended(claw, "on-done", parent)["state"] == "succeeded"
    other = run(ctl, "talks", "--arg", "exit 5")
    assert not following(claw, "on-three", other)
    assert not following(claw, "on-done", other)


def test_an_expression_that_takes_for_ever_holds_up_nobody(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    script = "printf '%0200d\\n' 0 | tr 0 x"
    with ctl.begin("run", "talks", "--arg", script, "--wait") as slow:
        for _ in range(3):
            run(ctl, "quick")  # each of them is asked for, run and answered meanwhile
        slow.end(status=0)
    [parent] = [one for one in claw.runs("talks") if one["id"] in slow.out]
    assert "took too long" in parent["note"]
    assert not following(claw, "on-slow", parent["id"])
    assert "took too long" in ctl("why", "on-slow").out


def test_a_failure_is_followed_once_after_the_last_attempt(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    parent = run(ctl, "flaky")
    assert claw.call("run.show", run=parent)["attempt"] == 3
    child = ended(claw, "after-flaky", parent)
    assert len(following(claw, "after-flaky", parent)) == 1
    assert f"follows it: {child['state']}" in ctl("why", parent).out
    assert (
        f"it follows run {parent[-6:]} of flaky: failed, exit 1" in ctl("why", child["id"]).out
    )


def test_several_parents_are_joined_or_each_is_followed(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    root = run(ctl, "start")
    claw.wait_until(
        lambda: [one["state"] for one in claw.runs("both")] == ["succeeded"], "one join"
    )
    claw.wait_until(
        lambda: [one["state"] for one in claw.runs("either")] == ["succeeded"] * 2, "two runs"
    )
    [both] = claw.runs("both")
    assert both["origin"] == "join"
    assert ctl("logs", both["id"]).lines == ["from left", "failed 3"]
    told = ctl("why", both["id"]).out
    assert "of left: succeeded" in told
    assert "of right: failed, exit 3" in told
    assert root in {one["parent"] for one in claw.runs("left")}


def test_a_tree_shows_what_follows_what(ctl: Shell) -> None:
    assert ctl("job", "tree", "parent").lines == [
        "parent",
        "├─ badly [on:failure]",
        "└─ well [on:success]",
        "   └─ grandchild [on:success] (+0.2s)",
    ]
    assert ctl("job", "tree", "start").lines == [
        "start",
        "├─ left [on:success]",
        "│  ├─ both [on:complete] all of left, right",
        "│  └─ either [on:complete] any of left, right",
        "└─ right [on:success]",
        "   ├─ both [on:complete] all of left, right",
        "   └─ either [on:complete] any of left, right",
    ]
    shown = ctl("job", "tree", "--json").json
    assert shown["roots"] == ["first", "flaky", "parent", "start", "talks"]
    nodes = {one["name"]: one for one in shown["jobs"]}
    assert nodes["on-alert"]["trigger"]["when"] == "contains:ALERT"
    assert nodes["first"]["next"] == ["second", "third"]
    assert "no job or run 'nobody'" in ctl("job", "tree", "nobody", status=4).fault


def test_what_came_of_a_run_is_canceled_with_it(claw: MasterUnderTest, ctl: Shell) -> None:
    root = run(ctl, "first")
    claw.wait_until(
        lambda: [one["state"] for one in following(claw, "second", root)] == ["running"],
        "a child that runs",
    )
    assert "has ended" in ctl("cancel", root, status=1).fault
    canceled = ctl("cancel", root, "--descendants").lines
    assert len(canceled) == 2
    assert ended(claw, "second", root)["state"] == "canceled"
    assert ended(claw, "third", root)["state"] == "canceled"
    assert "has ended" in ctl("cancel", root, "--descendants", status=1).fault


def test_the_open_runs_of_jobs_that_follow_one_are_canceled_with_it(
    claw: MasterUnderTest, ctl: Shell
) -> None:
    root = run(ctl, "first")
    claw.wait_until(lambda: len(following(claw, "third", root)) == 1, "a child that waits")
    assert len(ctl("cancel", "first", "--descendants").lines) == 2
    assert ended(claw, "second", root)["state"] == "canceled"
    assert ended(claw, "third", root)["state"] == "canceled"
