"""clawd under a real systemd: readiness, watchdog, restart and stop, reload, its socket."""

import json
from collections.abc import Iterator

import pytest

from claw.boot import systems
from tests.kit.systemd import CLAWCTL, Booted, booted, needs_systemd

pytestmark = [pytest.mark.root, needs_systemd]

UNIT = "claw.service"
CONFIG = """
[jobs.web]
type = "continuous"
command = "sleep 1000"
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    with booted(tmp_path_factory.mktemp("systemd")) as made:
        made.write("/etc/claw/claw.toml", CONFIG)
        made.run(CLAWCTL, "service", "install")
        made.run("systemctl", "daemon-reload")
        yield made


@pytest.fixture
def claw(machine: Booted) -> Iterator[Booted]:
    """A machine on which claw runs, with one service."""
    machine.write("/etc/claw/claw.toml", CONFIG)
    machine.run("systemctl", "start", UNIT)
    machine.run(CLAWCTL, "wait", "web", "--for", "running")
    yield machine
    machine.run("systemctl", "stop", UNIT)
    machine.run("systemctl", "reset-failed")
    machine.wait_until(lambda: not pids_of(machine, "sleep"), "end of all jobs")


def web(machine: Booted) -> int:
    [job] = json.loads(machine.run(CLAWCTL, "status", "web", "--json"))["jobs"]
    pid: int = job["pid"]
    return pid


def pids_of(machine: Booted, name: str) -> list[int]:
    return [int(pid) for pid in machine.run("pgrep", "-x", name, status=None).split()]


def test_a_start_returns_when_clawd_answers(claw: Booted) -> None:
    assert claw.show(UNIT, "ActiveState") == "active"
    assert claw.show(UNIT, "StatusText").endswith("1 jobs")
    assert claw.show(UNIT, "WatchdogUSec") == "1min"
    status = json.loads(claw.run(CLAWCTL, "daemon", "status", "--json"))
    assert str(status["pid"]) == claw.show(UNIT, "MainPID")
    assert "is as it should be" in claw.run(CLAWCTL, "service", "status")


def test_a_restart_of_the_unit_leaves_the_jobs_running(claw: Booted) -> None:
    child, master = web(claw), claw.show(UNIT, "MainPID")

    claw.run("systemctl", "restart", UNIT)

    assert claw.show(UNIT, "MainPID") != master
    assert web(claw) == child


def test_a_stop_of_the_unit_ends_the_jobs(claw: Booted) -> None:
    claw.run("systemctl", "stop", UNIT)

    assert pids_of(claw, "sleep") == []
    assert claw.show(UNIT, "Result") == "success"
    assert claw.run("systemctl", "is-active", UNIT, status=None) == "inactive\n"


def test_daemon_stop_ends_the_unit_for_good(claw: Booted) -> None:
    claw.run(CLAWCTL, "daemon", "stop")

    claw.wait_until(lambda: claw.show(UNIT, "ActiveState") == "inactive", "stopped unit")
    assert pids_of(claw, "sleep") == []


def test_a_killed_master_is_started_again_and_its_jobs_go_on(claw: Booted) -> None:
    child, master = web(claw), claw.show(UNIT, "MainPID")

    claw.run("kill", "-9", master)

    claw.wait_until(lambda: claw.show(UNIT, "MainPID") not in ("0", master), "new master")
    claw.wait_until(lambda: claw.show(UNIT, "ActiveState") == "active", "ready master")
    assert web(claw) == child


def test_the_watchdog_replaces_a_master_that_hangs(claw: Booted) -> None:
    drop_in = "/run/systemd/system/claw.service.d/quick.conf"
    claw.write(drop_in, "[Service]\nWatchdogSec=2s\nWatchdogSignal=KILL\n")
    claw.run("systemctl", "daemon-reload")
    claw.run("systemctl", "restart", UNIT)
    child, master = web(claw), claw.show(UNIT, "MainPID")

    claw.run("kill", "-STOP", master)

    claw.wait_until(lambda: claw.show(UNIT, "MainPID") not in ("0", master), "new master")
    claw.wait_until(lambda: claw.show(UNIT, "ActiveState") == "active", "ready master")
    assert web(claw) == child
    assert "Watchdog timeout" in claw.journal()
    claw.run("rm", drop_in)
    claw.run("systemctl", "daemon-reload")


def test_a_reload_of_the_unit_reloads_the_configuration(claw: Booted) -> None:
    claw.write("/etc/claw/claw.toml", CONFIG + '[jobs.other]\ncommand = "true"\n')

    claw.run("systemctl", "reload", UNIT)

    claw.wait_until(lambda: claw.show(UNIT, "StatusText").endswith("2 jobs"), "new status")
    assert claw.show(UNIT, "ActiveState") == "active"
    assert "other" in claw.run(CLAWCTL, "status")


def test_an_upgrade_in_place_is_no_restart_for_systemd(claw: Booted) -> None:
    child, master = web(claw), claw.show(UNIT, "MainPID")

    claw.run(CLAWCTL, "daemon", "restart")

    claw.wait_until(lambda: claw.show(UNIT, "ActiveState") == "active", "ready master")
    assert (claw.show(UNIT, "MainPID"), claw.show(UNIT, "NRestarts")) == (master, "0")
    assert web(claw) == child
    claw.run("systemctl", "restart", UNIT)
    assert web(claw) == child


def test_lines_in_the_journal_have_priorities(claw: Booted) -> None:
    lines = [json.loads(line) for line in claw.journal("-o", "json").splitlines()]
    up = [line for line in lines if "is up: pid" in line["MESSAGE"]]

    assert {line["PRIORITY"] for line in up} == {"6"}
    assert up[-1]["MESSAGE"].startswith("claw: claw ")


def test_the_socket_of_systemd_starts_clawd_and_outlives_it(claw: Booted) -> None:
    claw.run("systemctl", "stop", UNIT)
    claw.write(
        "/etc/systemd/system/claw.socket", systems.contributed("systemd/system/claw.socket")
    )
    claw.run("systemctl", "daemon-reload")
    claw.run("systemctl", "start", "claw.socket")
    assert claw.run("systemctl", "is-active", UNIT, status=None) == "inactive\n"

    claw.run(CLAWCTL, "wait", "web", "--for", "running")

    assert claw.show(UNIT, "ActiveState") == "active"
    child = web(claw)
    claw.run(CLAWCTL, "daemon", "restart")
    claw.run("systemctl", "restart", UNIT)
    assert web(claw) == child
    claw.run("systemctl", "stop", UNIT)
    claw.run("test", "-S", "/run/claw/control.sock")
    claw.run("systemctl", "stop", "claw.socket")
    claw.run("rm", "/etc/systemd/system/claw.socket")
    claw.run("systemctl", "daemon-reload")


def test_uninstall_removes_what_install_wrote(machine: Booted) -> None:
    machine.run(CLAWCTL, "service", "uninstall")

    machine.run("test", "!", "-e", "/etc/systemd/system/claw.service")
    assert "is not there" in machine.run(CLAWCTL, "service", "status", status=3)
    machine.run(CLAWCTL, "service", "install")
    machine.run("systemctl", "daemon-reload")


# -- a user's own manager ------------------------------------------------------------------

RUNTIME = "XDG_RUNTIME_DIR=/run/user/0"
ALONE = "[Service]\nPAMName=\nEnvironment=XDG_RUNTIME_DIR=/run/user/%i\n"
NO_LOGIND = "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n"


def test_a_users_manager_restarts_without_ending_jobs_and_stops_with_them(
    machine: Booted,
) -> None:
    machine.write("/etc/systemd/system/user@.service.d/alone.conf", ALONE)
    machine.write("/etc/systemd/system/user-runtime-dir@.service", NO_LOGIND)
    machine.write("/root/.config/claw/claw.toml", CONFIG)
    machine.run("install", "-d", "-m", "700", "/run/user/0")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "user@0.service")

    def user(*words: str) -> str:
        return machine.run("env", RUNTIME, *words)

    def own_web() -> int:
        user(CLAWCTL, "--user", "wait", "web", "--for", "running")
        [job] = json.loads(user(CLAWCTL, "--user", "status", "--json"))["jobs"]
        return int(job["pid"])

    assert "/root/.config/systemd/user/claw.service" in user(
        CLAWCTL, "service", "install", "--user"
    )
    user("systemctl", "--user", "daemon-reload")
    user("systemctl", "--user", "start", UNIT)
    child = own_web()
    user("systemctl", "--user", "restart", UNIT)
    assert own_web() == child
    user("systemctl", "--user", "stop", UNIT)

    assert child not in pids_of(machine, "sleep")
    machine.run("systemctl", "stop", "user@0.service")
