"""Watchdog jobs with real checks: stuck, going on, finished."""

from pathlib import Path

from tests.kit.clawctl import Shell
from tests.kit.master import StartMaster

JOBS = '''
[jobs.dog]
schedule = "@every 1s"
[jobs.dog.watchdog]
check = "cat {folder}/said; exit $(cat {folder}/code)"
on_stuck = "mend"
[jobs.mend]
command = """
echo "$CLAW_PARENT_JOB $CLAW_PARENT_STATUS" >> {folder}/mended; echo 0 > {folder}/code"""
'''


def test_a_check_finds_something_stuck_has_it_mended_and_goes_when_it_is_finished(
    start_master: StartMaster, tmp_path: Path
) -> None:
    said, code = tmp_path / "said", tmp_path / "code"
    said.write_text("working\n")
    code.write_text("1\n")
    claw = start_master(JOBS.format(folder=tmp_path))
    ctl = Shell(claw.environment)
    claw.wait_until((tmp_path / "mended").exists, "the job that mends it")
    claw.wait_until(
        lambda: any(
            run["state"] == "succeeded" and run["note"] is None for run in claw.runs("dog")
        ),
        "a check that finds that it goes on",
    )
    assert (tmp_path / "mended").read_text().splitlines()[0] == "dog failed"
    stuck = [run for run in claw.runs("dog") if run["state"] == "failed"]
    assert {run["reason"] for run in stuck} == {"stuck: the check says so"}
    alerts = ctl("alerts", "list", "--all", "--json").json["alerts"]
    [alert] = [one for one in alerts if one["kind"] == "stuck"]
    assert alert["resolved_at"] is not None

    done = tmp_path / "new"
    done.write_text('{"status": "done"}\n')
    done.rename(said)
    claw.wait_state("dog", "stopped")
    [last] = [run for run in claw.runs("dog") if run["note"]]
    assert last["note"] == "finished: done"
    assert "delete_after_run" in ctl("why", "dog").out
    assert "what it watches is finished: done" in ctl("alerts", "list").out
    events = ctl("events", "--json", "--type", "job.watchdog").lines
    assert len(events) == len(stuck) + 1
