"""``up`` and ``down``: a project's own daemon, its output, its end."""

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claw.cli import masters
from claw.cli.homes import of_project
from claw.kernel import files, pidfd, process
from tests.kit.clawctl import Going, Shell

COUNTER = """
[jobs.count]
type = "continuous"
argv = ["/bin/sh", "-c", "n=0; while n=$((n+1)); do echo number $n; sleep 0.01; done"]
"""

SERVICES = """
[jobs.web]
type = "continuous"
command = "echo web is here; exec sleep 1000"

[jobs.api]
type = "continuous"
command = "echo api is here; exec sleep 1000"
"""

STUBBORN = """
[jobs.stubborn]
type = "continuous"
command = "trap '' TERM INT; echo deaf; while :; do sleep 0.1; done"
grace_period = "10m"
"""


class Project:
    """A folder with a claw.toml, and a shell in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = of_project(str(folder))
        environ = {name: value for name, value in os.environ.items() if name != "CLAW_HOME"}
        environ["CLAW_HOME"] = ""  # the enclosing project is to be found
        self.shell = Shell(environ, cwd=folder)

    def configure(self, text: str) -> None:
        (self.folder / "claw.toml").write_text(text)

    @property
    def master(self) -> int:
        """The pid of its master."""
        pid = masters.running_pid(self.home)
        assert pid is not None
        return pid

    def kill_master(self) -> int:
        """Kill the master with SIGKILL, and return its pid once it has gone."""
        pid = self.master
        process.kill(pid, 9)
        assert masters.await_end(pid, lambda: None, 20)
        return pid

    def pid_of(self, job: str) -> int:
        """Return the child of a job, once it runs."""
        self.shell("wait", job, "--for", "running")
        pid: int = self.shell("status", job, "--json").json["jobs"][0]["pid"]
        return pid

    def assert_nothing_is_left(self) -> None:
        """No master, and no supervisor holds its lock."""
        assert not files.is_locked(self.home.master_lock)
        assert masters.living_supervisors(self.home) == 0


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project whose jobs are ended with the test."""
    one = Project(tmp_path)
    yield one
    one.shell("down")
    one.assert_nothing_is_left()


def numbers(lines: list[str]) -> list[int]:
    found = [re.fullmatch(r"count \| number (\d+)", line) for line in lines]
    return [int(match[1]) for match in found if match]


def wait_number(up: Going, least: Callable[[], int]) -> None:
    wanted = least()
    up.wait_line(lambda line: (numbers([line]) or [0])[0] >= wanted)


def test_it_shows_all_output_from_the_first_line_and_ends_all_on_interrupt(
    project: Project,
) -> None:
    project.configure(COUNTER + SERVICES)

    with project.shell.begin("up") as up:
        wait_number(up, lambda: 20)
        up.wait_text("web   | web is here")
        up.wait_text("api   | * started: attempt 1, pid")
        child = project.pid_of("web")
        start = pidfd.start_ticks(child)
        assert start is not None
        up.interrupt()
        said = up.end(status=0)

    shown = numbers(said.lines)
    assert shown == list(range(1, len(shown) + 1))
    assert "-- all jobs have ended" in said.lines
    assert not pidfd.is_alive(child, start)
    project.assert_nothing_is_left()


def test_a_second_time_shows_no_old_output(project: Project) -> None:
    project.configure(COUNTER)
    for _ in range(2):
        with project.shell.begin("up") as up:
            wait_number(up, lambda: 5)
            up.interrupt()
            said = up.end(status=0)
        shown = numbers(said.lines)
        assert shown == list(range(1, len(shown) + 1))


def test_a_killed_daemon_is_replaced_and_no_line_is_lost(project: Project) -> None:
    project.configure(COUNTER)

    with project.shell.begin("up") as up:
        wait_number(up, lambda: 10)
        child = project.pid_of("count")
        killed = project.kill_master()
        up.wait_text("has ended unexpectedly")
        wait_number(up, lambda: numbers(up.out)[-1] + 20)
        assert project.pid_of("count") == child
        assert project.master != killed
        up.interrupt()
        said = up.end(status=0)

    shown = numbers(said.lines)
    assert shown == list(range(1, len(shown) + 1))


def test_a_second_interrupt_kills(project: Project) -> None:
    project.configure(STUBBORN)

    with project.shell.begin("up") as up:
        up.wait_text("stubborn | deaf")
        up.interrupt()
        up.wait_text("stopping all jobs")
        up.wait_text("* is stopped")
        up.interrupt()
        up.wait_text("killing all jobs")
        said = up.end(status=0)

    assert any("ended: signal 9" in line for line in said.lines)
    project.assert_nothing_is_left()


def test_a_third_interrupt_leaves_also_when_the_master_hangs(project: Project) -> None:
    project.configure(SERVICES)

    with project.shell.begin("up") as up:
        up.wait_text("api is here")
        up.wait_text("web is here")
        os.kill(project.master, signal.SIGSTOP)
        try:
            up.interrupt()
            up.wait_text("stopping all jobs")
            up.interrupt()
            up.wait_text("killing all jobs")
            up.interrupt()
            up.end(status=130)
        finally:
            os.kill(project.master, signal.SIGCONT)


def test_up_again_applies_what_changed_and_touches_nothing_else(project: Project) -> None:
    project.configure(SERVICES)
    project.shell("up", "-d")
    web, api = project.pid_of("web"), project.pid_of("api")

    project.configure(SERVICES.replace("api is here", "another api"))
    said = project.shell("up", "-d")

    assert "! api: restart: command changed" in said.lines
    assert project.pid_of("web") == web
    assert project.pid_of("api") != api


def test_only_some_jobs_may_be_wanted(project: Project) -> None:
    project.configure(SERVICES)

    project.shell("up", "-d", "web")

    assert [job["name"] for job in project.shell("status", "--json").json["jobs"]] == ["web"]
    project.shell("daemon", "restart")
    assert [job["name"] for job in project.shell("status", "--json").json["jobs"]] == ["web"]


def test_down_ends_jobs_that_have_outlived_their_daemon(project: Project) -> None:
    project.configure(SERVICES)
    project.shell("up", "-d")
    child = project.pid_of("web")
    start = pidfd.start_ticks(child)
    assert start is not None
    project.kill_master()

    project.shell("down")

    assert not pidfd.is_alive(child, start)
    project.assert_nothing_is_left()


def test_down_from_elsewhere_ends_an_up_in_peace(project: Project) -> None:
    project.configure(SERVICES)

    with project.shell.begin("up") as up:
        up.wait_text("web | web is here")
        project.shell("down", "-f", str(project.folder / "claw.toml"))
        said = up.end(status=0)

    assert "unexpectedly" not in said.out


def test_a_reader_that_goes_away_ends_the_jobs_as_well(project: Project) -> None:
    project.configure(COUNTER)

    said = project.shell.sh("$CLAWCTL up | head -n 5")

    assert len(said.lines) == 5
    assert said.err == ""
    project.assert_nothing_is_left()


def test_a_bad_file_is_refused_with_its_mistakes_before_anything_starts(
    project: Project,
) -> None:
    project.configure("[jobs.web]\nkommand = 'x'\n")

    said = project.shell("up", status=2)

    assert "claw.toml:2: jobs.web.kommand" in said.err
    assert not (project.folder / ".claw").exists()


def test_another_file_of_the_same_folder_is_refused_while_one_is_up(project: Project) -> None:
    project.configure(SERVICES)
    (project.folder / "other.toml").write_text(COUNTER)
    project.shell("up", "-d")

    assert "clawctl down -f" in project.shell("up", "-f", "other.toml", status=1).fault
