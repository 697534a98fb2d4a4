"""``daemon start | stop | restart | status | logs`` against real daemons."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.cli import masters
from claw.kernel import process
from claw.model import home
from tests.kit.clawctl import Shell

CONFIG = """
[jobs.web]
type = "continuous"
command = "sleep 1000"
"""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell with a home that has one service; nothing is left of it at the end."""
    folder = tmp_path / "home"
    (folder / "config").mkdir(parents=True)
    (folder / "config/claw.toml").write_text(CONFIG)
    typed = Shell({"CLAW_HOME": str(folder)}, cwd=folder)
    yield typed
    if masters.living_supervisors(home.at_folder(str(folder))):
        typed("daemon", "start")
    typed("daemon", "stop")
    assert masters.living_supervisors(home.at_folder(str(folder))) == 0


def web(shell: Shell) -> int:
    shell("wait", "web", "--for", "running")
    pid: int = shell("status", "web", "--json").json["jobs"][0]["pid"]
    return pid


def test_start_returns_when_the_daemon_answers_and_is_fine_twice(shell: Shell) -> None:
    first = shell("daemon", "start", "--json").json
    second = shell("daemon", "start", "--json").json

    assert first["up"]
    assert (first["pid"], first["what"]) == (second["pid"], "started")
    assert second["what"] == "runs already"
    assert shell("daemon", "status").lines[0] == f"the daemon runs: pid {first['pid']}"


def test_stop_returns_when_daemon_and_jobs_have_ended(shell: Shell) -> None:
    shell("daemon", "start")
    child = web(shell)

    said = shell("daemon", "stop")

    assert said.out == "the daemon has ended\n"
    assert process.is_zombie(child)
    shell("daemon", "status", status=3)
    shell("status", status=7)


def test_restart_puts_the_program_in_place_anew_and_touches_no_job(shell: Shell) -> None:
    before = shell("daemon", "start", "--json").json
    child = web(shell)

    after = shell("daemon", "restart", "--json").json

    assert after["pid"] == before["pid"]
    assert after["started_at"] != before["started_at"]
    assert after["what"] == "was restarted (no new version)"
    assert web(shell) == child


def test_restart_starts_a_daemon_that_does_not_run(shell: Shell) -> None:
    assert shell("daemon", "restart", "--json").json["what"] == "did not run, and was started"


def test_restart_with_a_bad_configuration_leaves_the_daemon_alone(shell: Shell) -> None:
    before = shell("daemon", "start", "--json").json
    (shell.cwd / "config/claw.toml").write_text(CONFIG + "colour = 3\n")

    said = shell("daemon", "restart", status=2)

    assert "jobs.web.colour" in said.err
    assert shell("daemon", "status", "--json").json["pid"] == before["pid"]
    (shell.cwd / "config/claw.toml").write_text(CONFIG)


def test_a_bad_configuration_is_told_with_its_mistakes_at_start(shell: Shell) -> None:
    (shell.cwd / "config/claw.toml").write_text("[jobs.web]\ncolour = 3\n[jobs.api]\nx = 1\n")

    said = shell("daemon", "start", status=2)

    assert "jobs.web.colour" in said.err
    assert "jobs.api.x" in said.err
    (shell.cwd / "config/claw.toml").write_text(CONFIG)


def test_what_a_killed_daemon_left_is_told(shell: Shell) -> None:
    pid = shell("daemon", "start", "--json").json["pid"]
    child = web(shell)
    process.kill(pid, 9)
    assert masters.await_end(pid, lambda: None, 20)

    assert "1 job goes on without it" in shell("daemon", "status", status=3).out
    shell("daemon", "start")

    assert web(shell) == child


def test_the_daemons_log_is_shown_and_followed(shell: Shell) -> None:
    shell("daemon", "start")

    assert "is up" in shell("daemon", "logs").out
    with shell.begin("daemon", "logs", "-f", "-n", "0") as following:
        shell("daemon", "restart")
        following.wait_text("is up")
        following.interrupt()
        following.end(status=130)
