"""Another configuration for a running master: all or nothing, and no more than changed."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from claw.kernel import process
from tests.kit.clawctl import Shell
from tests.kit.master import Json, MasterUnderTest, StartMaster

WEB = """
[jobs.web]
type = "continuous"
command = "sleep 600"
grace_period = "2s"
"""
JOB = '[jobs.job]\ncommand = "true"\n'


def reload_and_plan(claw: MasterUnderTest) -> Json:
    """Reload, after a look at the plan, which has to be the same and to change nothing."""
    ctl = Shell(claw.environment)
    before = ctl("status", "--json").json["jobs"]
    planned = ctl("plan", "--json").json
    names = [job["name"] for job in before]
    assert [job["name"] for job in ctl("status", "--json").json["jobs"]] == names
    done = ctl("reload", "--json").json
    parts = ("changed", "add", "live", "restart", "remove")
    assert {part: planned[part] for part in parts} == {part: done[part] for part in parts}
    return dict(done)


@pytest.mark.parametrize(
    "change",
    ['description = "new"', 'tags = ["x"]', 'name = "Web"', 'params = ["X"]'],
)
def test_what_does_not_matter_to_the_child_changes_live(
    start_master: StartMaster, change: str
) -> None:
    claw = start_master(WEB)
    before = claw.wait_state("web", "running")

    claw.configure(f"{WEB}{change}\n")
    done = reload_and_plan(claw)

    assert [each["job"] for each in done["live"]] == ["web"]
    assert done["live"][0]["fields"] == [change.split(maxsplit=1)[0]]
    assert (done["restart"], done["add"], done["remove"]) == ([], [], [])
    after = claw.job("web")
    assert (after["pid"], after["restarts"]) == (before["pid"], 0)


@pytest.mark.parametrize(
    "change", ['env = { MODE = "x" }', 'umask = "077"', 'cwd = "/"', 'stop_signal = "INT"']
)
def test_what_matters_to_the_child_restarts_it(start_master: StartMaster, change: str) -> None:
    claw = start_master(WEB)
    before = claw.wait_state("web", "running")

    claw.configure(f"{WEB}{change}\n")
    done = reload_and_plan(claw)

    [restarted] = done["restart"]
    assert restarted["job"] == "web"
    assert change.split(maxsplit=1)[0] in restarted["why"]
    after = wait_for(
        claw, "web", lambda job: job["state"] == "running" and job["pid"] != before["pid"]
    )
    assert after["run"] == before["run"]
    assert process.is_zombie(before["pid"])


def wait_for(claw: MasterUnderTest, name: str, condition: Callable[[Json], object]) -> Json:
    """Wait until what status says of a job fits."""
    claw.wait_until(lambda: condition(claw.job(name)), f"change of {name}")
    return claw.job(name)


def test_no_restart_leaves_the_child_as_it_is_until_it_is_restarted(
    start_master: StartMaster,
) -> None:
    claw = start_master(WEB)
    ctl = Shell(claw.environment)
    before = claw.wait_state("web", "running")

    claw.configure(WEB.replace("600", "601"))
    ctl("reload", "--no-restart")
    assert claw.job("web")["pid"] == before["pid"]
    ctl("restart", "web")

    pid = claw.job("web")["pid"]
    assert Path(f"/proc/{pid}/cmdline").read_text() == "sleep\x00601\x00"


def test_jobs_are_added_and_removed(start_master: StartMaster) -> None:
    claw = start_master(WEB)
    ctl = Shell(claw.environment)
    web = claw.wait_state("web", "running")
    (claw.folder / "config" / "jobs.d" / "more.toml").write_text(
        JOB + WEB.replace("jobs.web", "jobs.api")
    )
    claw.configure("")

    done = reload_and_plan(claw)

    assert (sorted(done["add"]), done["remove"]) == (["api", "job"], ["web"])
    assert done["changed"] is True
    claw.wait_state("api", "running")
    claw.wait_until(lambda: process.is_zombie(web["pid"]), "end of the removed job")
    ctl("status", "web", status=4)
    assert claw.ended(web["run"])["state"] == "canceled"
    ctl("run", "job", "--wait")
    assert ctl("runs", "list", "--job", "web", "--json").json["runs"]


def test_i9_a_bad_file_changes_nothing_and_is_told_whole(start_master: StartMaster) -> None:
    claw = start_master(WEB + JOB)
    ctl = Shell(claw.environment)
    web = claw.wait_state("web", "running")
    claw.configure(WEB.replace("600", "601") + "[jobs.new]\ncomand = 'x'\ntimeout = 'soon'\n")

    for words in (("reload",), ("plan",), ("reload", "--dry-run")):
        lines = ctl(*words, status=2).err.splitlines()
        file = claw.folder / "config" / "claw.toml"
        assert any(line.startswith(f"{file}:7: jobs.new.comand: ") for line in lines)
        assert any(line.startswith(f"{file}:8: jobs.new.timeout: ") for line in lines)

    assert claw.job("web")["pid"] == web["pid"]
    ctl("status", "new", status=4)
    assert "clawctl reload" in ctl("status").err
    ctl("run", "job", "--wait")


def test_hup_reloads(start_master: StartMaster) -> None:
    claw = start_master(JOB)
    claw.configure(JOB + JOB.replace("jobs.job", "jobs.more"))

    os.kill(claw.pid, signal.SIGHUP)

    claw.wait_until(
        lambda: "more" in {job["name"] for job in claw.call("job.status")["jobs"]}, "reload"
    )


def test_a_new_schedule_counts_from_its_reload(start_master: StartMaster) -> None:
    yearly = JOB + 'schedule = "0 0 1 1 *"\n'
    claw = start_master(yearly)
    first = claw.scheduled("job")["next_at"]

    claw.configure(yearly.replace("0 0 1 1 *", "0 0 1 2 *"))
    done = reload_and_plan(claw)

    assert done["live"][0]["fields"] == ["schedule"]
    assert first[5:10] in {"01-01", "12-31"}
    claw.wait_until(lambda: claw.job("job")["next_at"] not in {None, first}, "another time")
    assert claw.runs("job") == []


def test_enabled_is_taken_in_while_the_job_runs(start_master: StartMaster) -> None:
    claw = start_master(WEB + JOB)
    ctl = Shell(claw.environment)
    web = claw.wait_state("web", "running")

    claw.configure(WEB + "enabled = false\n" + JOB + "enabled = false\n")
    reload_and_plan(claw)

    assert claw.job("web")["pid"] == web["pid"]
    assert "disabled" in ctl("run", "job", status=1).fault
    claw.configure(WEB + JOB)
    ctl("reload")
    ctl("run", "job", "--wait")
    assert claw.job("web")["pid"] == web["pid"]


def test_a_stopped_service_is_not_started_by_a_reload(start_master: StartMaster) -> None:
    claw = start_master(WEB)
    ctl = Shell(claw.environment)
    claw.wait_state("web", "running")
    ctl("stop", "web")

    claw.configure(WEB.replace("600", "601"))
    reload_and_plan(claw)

    assert claw.job("web")["state"] == "stopped"
    ctl("start", "web")
    pid = claw.job("web")["pid"]
    assert Path(f"/proc/{pid}/cmdline").read_text() == "sleep\x00601\x00"


def test_a_run_that_waits_begins_with_the_present_definition(
    start_master: StartMaster, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    text = f"[jobs.job]\ncommand = \"echo old; until [ -e '{gate}' ]; do sleep 0.02; done\"\n"
    claw = start_master(text)
    first, second = claw.submit("job"), claw.submit("job")
    claw.wait_until(lambda: claw.output(f"job/{first}.out") == b"old\n", "first run")

    claw.configure('[jobs.job]\ncommand = "echo new"\n')
    Shell(claw.environment)("reload", "--no-restart")
    gate.touch()

    claw.ended(first)
    claw.ended(second)
    assert claw.output(f"job/{first}.out") == b"old\n"
    assert claw.output(f"job/{second}.out") == b"new\n"
