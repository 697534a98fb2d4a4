"""A newcomer's first minutes: the example of the README, and what `up` leaves behind."""

import contextlib
import os
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.kernel import process
from tests.kit.clawctl import PATIENCE_S, ROOT, Shell
from tests.kit.servers import free_ports

EXAMPLE = ROOT / "docs" / "examples" / "quickstart.toml"


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of a project's daemon and of all that came from it."""
    mark = f"{folder}/.claw".encode()
    found = []
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit() and not process.is_zombie(int(name)):
            words = read(f"/proc/{name}/cmdline")
            if mark in words or b"CLAW_HOME=" + mark in process.environment_of(int(name)):
                found.append(words.replace(b"\0", b" ").decode().strip())
    return found


def read(path: str) -> bytes:
    with contextlib.suppress(OSError):
        return Path(path).read_bytes()
    return b""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A shell in a project's folder, whose jobs are ended with the test."""
    made = Shell({"CLAW_HOME": ""}, cwd=tmp_path)
    yield made
    made("down")
    assert processes_of(tmp_path) == []


def test_the_quickstart_shows_a_service_a_cron_job_and_a_crash(shell: Shell) -> None:
    [port] = map(str, free_ports(1))
    text = EXAMPLE.read_text()
    ports = set(re.findall(r"127\.0\.0\.1:(\d+)", text))
    assert len(ports) == 1
    (shell.cwd / "quickstart.toml").write_text(text.replace(ports.pop(), port))

    with shell.begin("up", "-f", "quickstart.toml") as up:
        up.wait_text("visitor | 200")
        up.wait_text("GET / HTTP/1.1")
        first = up.wait_text("moody   | I feel fine")
        assert up.wait_text("moody   | I feel fine", 2) != first
        assert (
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE_S).status
            == 200
        )
        greeted = shell("run", "greet", "--arg", "Ada", "--follow").out
        web = shell("status", "web", "--json").json["jobs"][0]
        moody = shell("status", "moody", "--json", status=None).json["jobs"][0]
        up.interrupt()
        said = up.end(status=0)

    assert greeted == "hello, Ada\n"
    assert web["state"] == "running"
    assert moody["restarts"] >= 1
    assert any("moody" in line and "signal 11" in line for line in said.lines)
    assert "Traceback" not in said.err
    assert process.is_zombie(web["pid"])
    assert processes_of(shell.cwd) == []


def test_jobs_of_a_project_run_in_the_files_folder(shell: Shell) -> None:
    (shell.cwd / "sub").mkdir()
    (shell.cwd / "claw.toml").write_text(
        '[jobs.here]\ncommand = "pwd"\n[jobs.there]\ncommand = "pwd"\ncwd = "sub"\n'
    )
    shell("up", "-d")

    assert shell("run", "here", "--follow").out == f"{shell.cwd}\n"
    assert shell("run", "there", "--follow").out == f"{shell.cwd}/sub\n"


def test_a_project_is_found_from_within_and_named_from_outside(
    shell: Shell, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = shell.cwd / "jobs.toml"
    file.write_text('[jobs.one]\ntype = "continuous"\ncommand = "sleep 600"\n')
    elsewhere = Shell({"CLAW_HOME": ""}, cwd=tmp_path_factory.mktemp("elsewhere"))
    elsewhere("up", "-d", "-f", str(file))
    (shell.cwd / "deep" / "down").mkdir(parents=True)
    within = Shell({"CLAW_HOME": ""}, cwd=shell.cwd / "deep" / "down")

    within("wait", "one", "--for", "running")
    assert "one" in within("status").out
    assert not (elsewhere.cwd / ".claw").exists()
    elsewhere("down", "-f", str(file))
    assert processes_of(shell.cwd) == []


def test_an_interrupt_ends_whole_trees_and_what_hid_from_the_terminal(shell: Shell) -> None:
    (shell.cwd / "claw.toml").write_text("""
[jobs.tree]
type = "continuous"
command = '''
(setsid sh -c "echo hidden; exec sleep 600" &)
sh -c "trap '' INT TERM HUP; echo up; while :; do sleep 0.2; done" &
wait
'''
grace_period = "300ms"
""")

    with shell.begin("up") as up:
        up.wait_text("tree | up")
        up.wait_text("tree | hidden")
        found = processes_of(shell.cwd)
        assert any("sleep 600" in one for one in found)
        assert any("clawd" in one for one in found)
        up.interrupt()
        up.end(status=0)

    assert processes_of(shell.cwd) == []


def test_up_without_a_file_says_what_to_do(shell: Shell) -> None:
    assert "claw.toml" in shell("up", status=2).fault
    assert "nothing is up" in shell("down").out
