"""Workflows as people use them: written, run, followed, drawn, ended, and run again."""

from pathlib import Path

from tests.kit.clawctl import Shell
from tests.kit.master import StartMaster

NIGHTLY = """
[jobs.check]
command = "test -e {folder}/good"

[workflows.nightly]
params = {{ REGION = "eu" }}
steps.dump = {{ command = "echo $REGION; echo '{{\\"rows\\": 3}}' > $CLAW_RESULT_FILE" }}
steps.check = {{ job = "check", needs = ["dump"] }}
steps.load = {{ command = "cat $CLAW_STEP_DUMP_OUTPUT_FILE $CLAW_STEP_DUMP_RESULT_FILE", needs = ["dump", "check"] }}
steps.tell = {{ command = "echo $CLAW_STEP_CHECK_STATUS $CLAW_STEP_CHECK_EXIT", needs = ["check"], on = "failure" }}
"""  # noqa: E501


def _states(shown: dict[str, object]) -> dict[str, str]:
    steps = shown["steps"]
    assert isinstance(steps, list)
    return {one["name"]: "left out" if one["left_out"] else one["state"] for one in steps}


def test_what_failed_is_run_again_under_the_same_id_and_the_rest_is_kept(
    start_master: StartMaster, tmp_path: Path
) -> None:
    ctl = Shell(start_master(NIGHTLY.format(folder=tmp_path)).environment)
    said = ctl("run", "nightly", "--env", "REGION=us", "--follow", status=1)
    whole = said.out.strip()
    shown = ctl("workflow", "show", "nightly", "--json").json
    assert shown["id"] == shown["run"] == whole
    assert shown["reason"] == "step check has failed"
    assert _states(shown) == {
        "dump": "succeeded", "check": "failed", "load": "left out", "tell": "succeeded",
    }  # fmt: skip
    assert "check: failed" in said.err
    assert ctl("logs", "nightly.tell").out == "failed 1\n"
    assert ctl("logs", "nightly.dump").out == "us\n"
    assert ctl("logs", "nightly").lines == ["dump  | us", "tell  | failed 1"]
    assert ctl("logs", whole).lines == ["dump  | us", "tell  | failed 1"]

    (tmp_path / "good").touch()
    ctl("workflow", "retry", whole[-6:], "--wait")
    shown = ctl("workflow", "show", whole, "--json").json
    assert shown["id"] == whole != shown["run"]
    assert shown["runs"] == [whole, shown["run"]]
    assert _states(shown) == {
        "dump": "succeeded", "check": "succeeded", "load": "succeeded", "tell": "left out",
    }  # fmt: skip
    assert [one["kept"] for one in shown["steps"]] == [True, False, False, False]
    assert ctl("logs", "nightly.load").out == 'us\n{"rows":3}'
    [again, first] = ctl("workflow", "list", "--json").json["workflows"]
    assert (first["state"], again["state"]) == ("failed", "succeeded")
    told = ctl("workflow", "retry", "nightly", "--from", "nope", status=4).fault
    assert "the steps are dump, check, load, tell" in told


def test_it_is_drawn_for_people_and_for_tools(
    start_master: StartMaster, tmp_path: Path
) -> None:
    ctl = Shell(
        {**start_master(NIGHTLY.format(folder=tmp_path)).environment, "PYTHONUTF8": "1"}
    )
    drawn = ctl("workflow", "graph", "nightly").out
    assert drawn.splitlines()[0].strip() == "○ dump"
    assert "tell (on failure)" in drawn
    assert '"dump" -> "check";' in ctl("workflow", "graph", "nightly", "--dot").out
    assert "s0 --> s1" in ctl("workflow", "graph", "nightly", "--mermaid").out
    assert "has never run" in ctl("workflow", "show", "nightly").out
    said = ctl("workflow", "cancel", "nightly", status=1).fault
    assert said == "clawctl: workflow nightly has never run: there is nothing to end"
    assert "no parameter 'X'" in ctl("run", "nightly", "--env", "X=1", status=2).fault


JOBS = """
[jobs.a]
command = "true"
[jobs.bad]
command = "exit 3"
[jobs.last]
command = "echo $CLAW_STEP_A_STATUS $CLAW_STEP_BAD_STATUS $CLAW_STEP_BAD_EXIT"
[jobs.held]
command = "sleep 600"
"""


def test_jobs_are_composed_from_the_shell(start_master: StartMaster) -> None:
    claw = start_master(JOBS)
    ctl = Shell(claw.environment)
    ctl("chain", "a", "a", "a", "--wait")
    ctl("chain", "a", "bad", "last", "--wait", status=1)
    ctl("group", "a", "bad", "--wait", status=1)
    ctl("group", "a", "a", "--name", "pair", "--wait")
    ctl("chord", "a", "bad", "--wait", "--", "last", status=1)
    assert ctl("logs", "last").out == "succeeded failed 3\n"
    shown = ctl("workflow", "show", "pair", "--json").json
    assert _states(shown) == {"a": "succeeded", "a-2": "succeeded"}
    assert "nope" in ctl("chain", "a", "nope", status=4).fault
    assert "one job after --" in ctl("chord", "a", "bad", status=2).fault

    whole = ctl("chain", "held", "last").out.strip()
    claw.wait_state("held", "running")
    ctl("workflow", "cancel", whole, "--reason", "enough")
    assert ctl("wait", whole, "--json", status=None).json["reason"] == "cancel: enough"
    shown = ctl("workflow", "show", whole, "--json").json
    assert _states(shown) == {"held": "canceled", "last": "left out"}
    names = [job["name"] for job in ctl("status", "--json").json["jobs"]]
    assert names == ["a", "bad", "held", "last"]
