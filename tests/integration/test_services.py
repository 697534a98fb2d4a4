"""Services under a real master."""

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

from claw import __version__
from claw.kernel import process
from tests.kit.master import MasterUnderTest, StartMaster, kill_process

SLEEPER = """
[jobs.web]
type = "continuous"
command = "sleep 600"
grace_period = "2s"
"""


def test_a_service_starts_with_the_daemon_and_stops_with_it(start_master: StartMaster) -> None:
    claw = start_master(SLEEPER)

    web = claw.wait_state("web", "running")

    assert not process.is_zombie(web["pid"])
    assert web["restarts"] == 0
    claw.end()
    assert process.is_zombie(web["pid"])


def test_i3_a_killed_master_is_not_noticed_by_its_service(start_master: StartMaster) -> None:
    claw = start_master(SLEEPER)
    before = claw.wait_state("web", "running")

    for _ in range(3):
        claw.restart()

    after = claw.wait_state("web", "running")
    assert (after["pid"], after["run"]) == (before["pid"], before["run"])
    assert len(claw.runs("web")) == 1


def test_i4_a_killed_supervisor_is_not_noticed_by_its_service(
    start_master: StartMaster,
) -> None:
    claw = start_master(SLEEPER)
    before = claw.wait_state("web", "running")
    [(sid, pid)] = claw.supervisors().items()

    assert kill_process(pid)

    claw.wait_until(lambda: claw.supervisors().get(sid, pid) != pid, "a replacement")
    after = claw.wait_state("web", "running")
    assert (after["pid"], after["restarts"]) == (before["pid"], 0)
    claw.ctl("stop", "web")
    assert claw.wait_state("web", "stopped")["last"]["state"] == "canceled"
    assert process.is_zombie(before["pid"])


def test_a_service_that_crashes_is_restarted_while_there_is_no_master(
    start_master: StartMaster,
) -> None:
    claw = start_master(SLEEPER + '[jobs.web.restart]\ndelays = ["0s"]\n')
    first = claw.wait_state("web", "running")["pid"]

    claw.kill()
    os.kill(first, signal.SIGKILL)
    [lines] = claw.wait_until(
        lambda: [
            lines
            for lines in claw.journals().values()
            if [line["ev"] for line in lines].count("started") == 2
        ],
        "a second start",
    )
    claw.start()

    web = claw.wait_state("web", "running")
    assert web["pid"] == [line["pid"] for line in lines if line["ev"] == "started"][1]
    assert web["restarts"] == 1
    [run] = claw.runs("web")
    shown = claw.call("run.show", run=run["id"])
    assert [(one["no"], one["signal"]) for one in shown["attempts"]] == [(1, 9), (2, None)]


def test_what_the_operator_stopped_stays_stopped(start_master: StartMaster) -> None:
    claw = start_master(SLEEPER)
    claw.wait_state("web", "running")
    claw.ctl("stop", "web")
    claw.wait_state("web", "stopped")

    claw.ctl("reload")
    assert claw.job("web")["state"] == "stopped"
    claw.restart()
    assert claw.job("web")["state"] == "stopped"
    claw.call("daemon.stop", mode="stop")
    assert claw.process is not None
    claw.process.wait(30)
    claw.client.close()
    claw.start()
    assert claw.job("web")["state"] == "stopped"

    claw.ctl("start", "web")
    claw.wait_state("web", "running")


def test_a_restart_is_another_attempt_of_the_same_run(start_master: StartMaster) -> None:
    claw = start_master(SLEEPER)
    before = claw.wait_state("web", "running")

    claw.ctl("restart", "web")

    after = claw.wait_until(
        lambda: (
            (job := claw.job("web"))["state"] == "running"
            and job["pid"] != before["pid"]
            and job
        ),
        "another child",
    )
    assert after["run"] == before["run"]
    shown = claw.call("run.show", run=after["run"])
    assert [one["cause"] for one in shown["attempts"]] == ["start", "restart"]


def test_a_detached_shutdown_leaves_the_jobs_to_the_next_master(
    start_master: StartMaster,
) -> None:
    claw = start_master(SLEEPER)
    before = claw.wait_state("web", "running")

    claw.call("daemon.stop", mode="detach")
    assert claw.process is not None
    assert claw.process.wait(30) == 0
    claw.client.close()
    assert not process.is_zombie(before["pid"])
    claw.start()

    assert claw.wait_state("web", "running")["pid"] == before["pid"]


def test_a_service_past_its_start_limit_is_fatal(start_master: StartMaster) -> None:
    claw = start_master("""
[jobs.bad]
type = "continuous"
command = "false"
[jobs.bad.restart]
delays = ["0s"]
start_limit = 3
""")

    bad = claw.wait_state("bad", "fatal")

    assert bad["pid"] is None
    [run] = claw.runs("bad")
    assert (run["state"], run["reason"], run["attempt"]) == ("failed", "start_limit", 3)


def test_a_reload_touches_only_what_changed(start_master: StartMaster) -> None:
    both = SLEEPER + '[jobs.other]\ntype = "continuous"\ncommand = "sleep 601"\n'
    claw = start_master(both)
    web, other = claw.wait_state("web", "running"), claw.wait_state("other", "running")

    claw.configure(both.replace("sleep 601", "sleep 602") + '[jobs.new]\ncommand = "true"\n')
    plan = claw.call("config.reload", dry_run=True)
    assert claw.job("other")["pid"] == other["pid"]
    done = claw.call("config.reload")

    assert plan == done
    assert (plan["add"], [each["job"] for each in plan["restart"]]) == (["new"], ["other"])
    claw.wait_until(lambda: claw.job("other")["pid"] not in {None, other["pid"]}, "restart")
    assert claw.job("web")["pid"] == web["pid"]
    command = Path(f"/proc/{claw.job('other')['pid']}/cmdline").read_text()
    assert command == "sleep\x00602\x00"


def test_i9_a_bad_config_changes_nothing(start_master: StartMaster) -> None:
    claw = start_master(SLEEPER)
    web = claw.wait_state("web", "running")

    claw.configure(SLEEPER.replace("sleep 600", "sleep 1") + "[jobs.x]\nbogus = 1\n")
    claw.ctl("reload", status=2)
    os.kill(claw.pid, signal.SIGHUP)

    claw.wait_until(lambda: "reload refused" in claw.stderr, "refusal")
    assert claw.job("web")["pid"] == web["pid"]


def test_a_removed_job_is_ended(start_master: StartMaster) -> None:
    claw = start_master(SLEEPER)
    web = claw.wait_state("web", "running")

    claw.configure("")
    claw.ctl("reload")

    claw.wait_until(lambda: process.is_zombie(web["pid"]), "end of the child")
    claw.ctl("status", "web", status=4)


def test_a_second_request_to_end_does_not_wait_for_patient_jobs(
    start_master: StartMaster,
) -> None:
    claw = start_master("""
[jobs.deaf]
type = "continuous"
command = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
grace_period = "10m"
""")
    claw.wait_until(lambda: claw.output("deaf/out.log"), "readiness")
    deaf = claw.job("deaf")["pid"]
    os.kill(claw.pid, signal.SIGTERM)
    claw.wait_until(lambda: claw.job("deaf")["state"] == "stopping", "stop")

    os.kill(claw.pid, signal.SIGTERM)

    assert claw.process is not None
    assert claw.process.wait(30) == 0
    assert process.is_zombie(deaf)


def test_a_home_has_one_master(start_master: StartMaster) -> None:
    claw = start_master("")

    second = subprocess.run(
        [sys.executable, "-m", "claw", "clawd", "--home", str(claw.folder)],
        env=claw.environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert second.returncode == 1
    assert f"another clawd (pid {claw.pid}) runs this home" in second.stderr


def test_a_silent_supervisor_is_named_and_its_job_left_alone(
    start_master: StartMaster,
) -> None:
    claw = start_master('[daemon]\nheartbeat = "1s"\n' + SLEEPER)
    before = claw.wait_state("web", "running")
    [supervisor] = claw.supervisors().values()

    os.kill(supervisor, signal.SIGSTOP)
    try:
        silent = claw.wait_state("web", "unresponsive")
        claw.restart()
        adopted = claw.wait_state("web", "unresponsive")
    finally:
        os.kill(supervisor, signal.SIGCONT)

    after = claw.wait_state("web", "running")
    assert silent["pid"] == adopted["pid"] == after["pid"] == before["pid"]


def test_stop_force_gives_no_grace(start_master: StartMaster) -> None:
    claw = start_master("""
[jobs.deaf]
type = "continuous"
command = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
grace_period = "10m"
""")
    claw.wait_until(lambda: claw.output("deaf/out.log"), "readiness")
    deaf = claw.job("deaf")["pid"]
    claw.ctl("stop", "--no-wait", "deaf")
    claw.wait_state("deaf", "stopping")

    claw.ctl("stop", "--force", "deaf")

    assert claw.job("deaf")["state"] == "stopped"
    assert process.is_zombie(deaf)


def test_a_child_gets_the_limit_of_open_files_that_claw_was_started_with(
    start_master: StartMaster,
) -> None:
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    claw = start_master('[jobs.tell]\ncommand = "ulimit -S -n"\n')

    claw.ended(claw.submit("tell"))

    [run] = claw.runs("tell")
    assert int(claw.output(f"tell/{run['id']}.out")) == soft


def test_a_master_whose_fork_server_cannot_start_can_be_ended(tmp_path: Path) -> None:
    claw = MasterUnderTest(tmp_path)
    claw.configure("")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / f"forkserver-{__version__}.sock").mkdir()  # nothing can listen there
    claw.start(wait=False)
    claw.wait_until(lambda: "no fork server can be started" in claw.stderr, "complaint")

    os.kill(claw.pid, signal.SIGTERM)

    assert claw.process is not None
    assert claw.process.wait(30) == 0


def test_a_service_in_backoff_when_all_of_claw_is_killed_begins_anew(
    start_master: StartMaster,
) -> None:
    claw = start_master("""
[jobs.bad]
type = "continuous"
command = "echo ran; exit 1"
[jobs.bad.restart]
delays = ["1h"]
""")
    claw.wait_state("bad", "backoff")
    fork_server = claw.call("daemon.status")["fork_server_pid"]
    [supervisor] = claw.supervisors().values()

    claw.kill()
    assert kill_process(fork_server)
    assert kill_process(supervisor)
    claw.start()

    claw.wait_until(lambda: len(claw.runs("bad")) == 2, "another run")
    crashed, again = claw.runs("bad")
    assert (crashed["state"], again["state"]) == ("crashed", "queued")
    claw.ctl("stop", "bad")
    assert claw.job("bad")["state"] == "stopped"


def test_a_job_that_was_removed_while_no_master_lived_is_ended(
    start_master: StartMaster,
) -> None:
    claw = start_master(SLEEPER)
    web = claw.wait_state("web", "running")

    claw.kill()
    claw.configure("")
    claw.start()

    claw.wait_until(lambda: process.is_zombie(web["pid"]), "end of the child")


def test_i9_hup_with_a_wanted_job_gone_changes_nothing(tmp_path: Path) -> None:
    claw = MasterUnderTest(tmp_path)
    claw.configure(SLEEPER)
    claw.start(extra=("--only", "web"))
    web = claw.wait_state("web", "running")

    claw.configure("")
    os.kill(claw.pid, signal.SIGHUP)

    claw.wait_until(lambda: "reload refused" in claw.stderr, "refusal")
    assert claw.job("web")["pid"] == web["pid"]
    claw.end()
