"""``clawctl run -- CMD``: as who asks, from where they are, and found again."""

import os
from pathlib import Path

import pytest

from tests.kit import users
from tests.kit.clawctl import Shell
from tests.kit.master import StartMaster

SECRET = "hush-7f3a"
JOB = '[jobs.web]\ncommand = "true"\n'


def test_a_command_has_the_callers_folder_environment_and_umask(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master(JOB)
    ctl = Shell({**claw.environment, "SECRET": SECRET, "NOTIFY_SOCKET": "/x"}, tmp_path)
    script = "pwd; umask; id -u; echo $SECRET; echo ${NOTIFY_SOCKET-none} ${OLDPWD-none} $MORE"
    said = ctl.sh(f"umask 027; $CLAWCTL run --follow --env MORE=m -- sh -c '{script}'")
    assert said.status == 0, said
    assert said.out.splitlines() == [
        str(tmp_path), "0027", str(os.getuid()), SECRET, "none none m",
    ]  # fmt: skip

    [run] = ctl("runs", "list", "--transient", "--json").json["runs"]
    assert SECRET not in str(run)
    assert "SECRET" in run["env"]
    assert SECRET not in ctl("runs", "show", run["id"]).out
    assert SECRET not in ctl("events", "--json").out
    assert SECRET not in Path(claw.home.audit_log).read_text()
    assert run["job"] == f"sh-{run['id'][-6:]}"


def test_its_exit_status_is_that_of_the_command(start_master: StartMaster) -> None:
    ctl = Shell(start_master(JOB).environment)
    ctl("run", "--wait", "--", "sh", "-c", "exit 7", status=7)
    ctl("run", "--wait", "--timeout", "0.2", "--", "sleep", "600", status=124)
    told = ctl("run", "--wait", "--", "/no/such/program", status=125).err
    assert "/no/such/program" in told
    shown = ctl("run", "--wait", "--json", "--retry", "1", "--", "false", status=1).json
    assert shown["attempt"] in {1, 2}


def test_it_is_found_after_a_restart_of_the_master_and_when_it_is_over(
    start_master: StartMaster,
) -> None:
    claw = start_master(JOB)
    ctl = Shell(claw.environment)
    run = ctl("run", "--name", "mine", "--tag", "t", "--", "sh", "-c", "echo hi; sleep 600")
    run_id = run.out.strip()
    claw.wait_state("mine", "running")
    then = ctl("run", "--name", "then", "--after", run_id, "--", "true").out.strip()
    later = ctl("run", "--in", "1h", "--", "true").out.strip()
    claw.restart()

    assert claw.job("mine")["tags"] == ["t"]
    names = [job["name"] for job in ctl("status", "--json").json["jobs"]]
    assert names == sorted(["mine", "then", f"true-{later[-6:]}", "web"])
    assert "to end well" in ctl("why", "then").out
    assert "there is a job" in ctl("run", "--name", "web", "--", "true", status=1).fault
    assert "has the name 'mine'" in ctl("run", "--name", "mine", "--", "x", status=1).fault
    ctl("cancel", "mine")
    assert ctl("wait", run_id, "--json", status=None).json["state"] == "canceled"
    assert ctl("wait", then, "--json", status=None).json["state"] == "skipped"
    ctl("cancel", later)
    claw.restart()

    assert [job["name"] for job in ctl("status", "--json").json["jobs"]] == ["web"]
    assert '"job.removed"' not in ctl("events", "--json").out
    assert ctl("logs", run_id).out == "hi\n"
    assert ctl("logs", "mine").out == "hi\n"
    assert "canceled" in ctl("why", run_id).out
    shown = ctl("runs", "show", run_id, "--json").json
    assert shown["command"] == "sh -c 'echo hi; sleep 600'"
    assert "argv = [" in ctl("job", "show", "mine", "--toml").out
    listed = ctl("runs", "list", "--transient", "--since", "1h", "--json").json["runs"]
    assert [one["id"] for one in listed] == [later, then, run_id]


def test_words_that_say_nothing_together_are_refused(start_master: StartMaster) -> None:
    ctl = Shell(start_master(JOB).environment)
    for words, told in (
        (("run",), "needs a job, or --"),
        (("run", "web", "--", "true"), "either a job or"),
        (("run", "--"), "either a job or"),
        (("run", "web", "--name", "x"), "--name is for a run of a command"),
        (("run", "--arg", "x", "--", "true"), "--arg is for a run of a job"),
        (("run", "--timeout", "soon", "--", "true"), "timeout: "),
        (("run", "--retry", "often", "--", "true"), "retry.preset: "),
    ):
        assert told in ctl(*words, status=2).fault, words
    assert "no run" in ctl("run", "--after", "zzzzzz", "--", "true", status=4).fault
    assert "no pool" in ctl("run", "--pool", "gpu", "--", "true", status=4).fault
    assert not ctl("runs", "list", "--transient", "--json").json["runs"]
    ctl("run", "--wait", "--name", "mine", "--", "true")
    assert "for one run only" in ctl("run", "mine", status=1).fault


@pytest.mark.skipif(bool(users.why_alone()), reason=users.why_alone())
def test_another_user_is_taken_whole_by_roots_daemon_only(start_master: StartMaster) -> None:
    claw = start_master(JOB)
    ctl = Shell({**claw.environment, "HOME": "/mine"}, Path("/"))
    said = ctl("run", "--follow", "--user", "nobody", "--", "sh", "-c", "id -u; echo $HOME")
    assert said.lines[0] == str(users.NOBODY)
    assert said.lines[1] != "/mine"
    assert "no user" in ctl("run", "--user", "no-such-user", "--", "true", status=4).fault


def test_after_the_loss_of_the_database_it_goes_on_and_its_run_is_found(
    start_master: StartMaster, tmp_path: Path
) -> None:
    claw = start_master(JOB)
    ctl = Shell(claw.environment, tmp_path)
    os.mkfifo(tmp_path / "gate")
    script = f"echo begun; read line < {tmp_path}/gate; echo $line"
    run = ctl("run", "--name", "mine", "--", "sh", "-c", script).out.strip()
    claw.wait_state("mine", "running")
    claw.kill()
    for path in Path(claw.home.database).parent.glob("claw.db*"):
        path.unlink()
    claw.start()

    assert ctl("runs", "show", run, "--json").json["state"] == "running"
    (tmp_path / "gate").write_text("done\n")
    assert ctl("wait", run, "--json").json["state"] == "succeeded"
    assert ctl("logs", run).out == "begun\ndone\n"
    assert f"run {run} of mine is succeeded" in ctl("why", run).out
