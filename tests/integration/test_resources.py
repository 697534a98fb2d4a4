"""Jobs that use more than they may: restarted, killed, slowed down or only told of."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from claw.kernel import process
from claw.master.supervision import cgroups
from claw.master.views import usage
from tests.kit.clawctl import Shell
from tests.kit.master import MasterUnderTest, master

PYTHON = f"{sys.executable} -I -S -c"
HOG = "x = bytearray(96 << 20); print(len(x), flush=True); import time; time.sleep(600)"


def job(name: str, command: str, resources: str, more: str = "") -> str:
    return (
        f'[jobs.{name}]\ntype = "continuous"\ncommand = """{command}"""\n'
        f"resources = {{ {resources} }}\n{more}\n"
    )


def attempts(made: MasterUnderTest, name: str) -> list[dict[str, object]]:
    [run] = made.runs(name)
    found: list[dict[str, object]] = run["attempts"]
    return found


def events(made: MasterUnderTest, kind: str) -> list[dict[str, str]]:
    return [e for e in made.call("event.list", limit=1000)["events"] if e["type"] == kind]


def test_memory_beyond_the_limit_restarts_the_job_for_that_reason(tmp_path: Path) -> None:
    config = job("hog", f'{PYTHON} "{HOG}"', 'memory = "48M"')
    with master(tmp_path, config) as made:
        found = made.wait_until(
            lambda: [one for one in attempts(made, "hog") if one["ended_for"]], "a restart"
        )
        clawctl = Shell(made.environment)

        assert str(found[0]["ended_for"]).startswith("resources: ")
        assert "memory" in str(found[0]["ended_for"])
        made.wait_until(lambda: len(attempts(made, "hog")) > 1, "another attempt")
        assert "resources" in clawctl("why", made.runs("hog")[0]["id"]).out
        assert "resources" in clawctl("events").out


def test_what_the_kernel_does_not_enforce_is_watched(tmp_path: Path) -> None:
    spread = "for i in 1 2 3 4 5 6; do sleep 600 & done; wait"
    config = (
        job("told", f'{PYTHON} "{HOG}"', 'memory = "48M", action = "warn"')
        + job("many", spread, 'pids = 3, action = "warn"')
        + job("small", "sleep 600", 'memory = "48M", pids = 3, action = "warn"')
    )
    with master(tmp_path, config) as made:
        made.wait_until(lambda: len(events(made, "job.resources")) == 2, "two warnings")

        why = {event["job"]: event["why"] for event in events(made, "job.resources")}
        assert why["told"].startswith("memory ")
        assert why["told"].endswith("limit 48M")
        assert why["many"] == "7 processes and threads, limit 3"
        alerts = made.call("alert.list")["alerts"]
        assert {alert["kind"] for alert in alerts} == {"resources"}
        assert len(alerts) == 2
        assert all(made.job(name)["restarts"] == 0 for name in why)


FORKING = """
import os, time
while True:
    try:
        if os.fork() == 0:
            time.sleep(600)
    except OSError:
        pass
    time.sleep(0.05)
"""


def test_a_tree_that_forks_beyond_its_limit_is_killed_for_that_reason(tmp_path: Path) -> None:
    script = tmp_path / "forking.py"
    script.write_text(FORKING)
    config = job("many", f"{sys.executable} -I -S {script}", 'pids = 5, action = "kill"')
    with master(tmp_path, config) as made:
        found = made.wait_until(
            lambda: [one for one in attempts(made, "many") if one["ended_at"]], "a kill"
        )

        assert "5 processes" in str(found[0]["ended_for"])
        assert found[0]["signal"] in {signal.SIGTERM, signal.SIGKILL}


CROWD = """
import threading, time
for _ in range(20):
    try:
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
    except RuntimeError:
        pass
time.sleep(600)
"""


def test_a_tree_that_gets_no_more_processes_at_its_start_is_restarted_each_time(
    tmp_path: Path,
) -> None:
    script = tmp_path / "crowd.py"
    script.write_text(CROWD)
    more = 'restart = { delays = ["50ms"] }'
    config = job("many", f"{sys.executable} -I -S {script}", "pids = 4", more)
    with master(tmp_path, config) as made:
        found = made.wait_until(
            lambda: (
                (ended := [one for one in attempts(made, "many") if one["ended_at"]])[2:]
                and ended
            ),
            "three attempts to end",
        )

        for one in found:
            assert str(one["ended_for"]).startswith("resources: ")
            assert "4 processes and threads" in str(one["ended_for"]) or (
                "limit 4" in str(one["ended_for"])  # no control group: it was counted
            )


def test_a_run_to_completion_beyond_its_limit_has_failed_for_that_reason(
    tmp_path: Path,
) -> None:
    config = job("hog", f'{PYTHON} "{HOG}"', 'memory = "48M", action = "kill"')
    with master(tmp_path, config.replace('type = "continuous"', "")) as made:
        ended = made.ended(made.submit("hog"))

        assert (ended["state"], ended["reason"]) == ("failed", "resources")


def test_a_processor_is_shared_out_by_the_kernel(tmp_path: Path) -> None:
    groups = cgroups.find_groups(MasterUnderTest(tmp_path).home)
    groups.leave(())
    if not groups.enforces("cpu"):
        pytest.skip("no controller for processors")
    config = job("busy", "echo; while :; do :; done", 'cpu = 0.1, action = "throttle"')
    with master(tmp_path, config) as made:
        pid = made.wait_until(lambda: made.job("busy")["pid"], "a child")

        def throttled() -> int:
            text = "".join(
                path.read_text()
                for folder in {groups.tracking, groups.older.get("cpu", "")} - {""}
                for path in Path(folder).glob("*/cpu.stat")
            )
            return sum(
                int(line.split()[1]) for line in text.splitlines() if line.startswith("nr_thr")
            )

        made.wait_until(lambda: throttled() > 3, "some throttling")
        assert not process.is_zombie(pid)
        assert os.getpriority(os.PRIO_PROCESS, pid) == os.getpriority(os.PRIO_PROCESS, 0)


def test_without_control_groups_a_tree_is_measured_by_its_descendants() -> None:
    script = "sleep 600 & sleep 600 & echo up; wait"
    with subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE) as tree:
        try:
            assert tree.stdout is not None
            tree.stdout.readline()
            children = usage.children_of_all()

            alone = usage.pids_below((tree.pid,), children)
            beside = usage.pids_below((tree.pid, os.getpid()), children)

            memory, _cpu_s, threads = usage.sum_of(alone)
            assert (len(alone), threads) == (3, 3)
            assert memory > 0
            assert set(alone) <= set(beside)
            assert os.getpid() not in beside  # as a supervisor is no part of the tree
        finally:
            for pid in process.descendants_of(tree.pid):
                process.kill(pid, signal.SIGKILL)
