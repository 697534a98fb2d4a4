"""``clawctl top`` as a person uses it: in a terminal of tmux, while masters come and go."""

import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.clawctl import ROOT, Shell, command_line
from tests.kit.master import MasterUnderTest, master
from tests.kit.tmux import Open, Tmux, needs_tmux, windows

CONFIG = """
[jobs.web]
type = "continuous"
command = "echo first; echo needle; while :; do sleep 0.2; echo again; done"
tags = ["site"]
[jobs.batch]
command = "echo batch; exit 3"
dead_letter = true
[jobs.editable]
command = "echo written"
[jobs.wide]
command = "echo 日本語のジョブ"
"""
MANY = "".join(f'[jobs.job-{at:03}]\ncommand = "true"\n' for at in range(60))


@pytest.fixture(name="shared", scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    with master(tmp_path_factory.mktemp("top") / "home", CONFIG + MANY) as one:
        one.wait_state("web", "running")
        yield one


@pytest.fixture(name="show")
def _show(shared: MasterUnderTest, tmp_path: Path) -> Iterator[Open]:
    """Return a function that opens top in a terminal."""
    with windows("top", environ=shared.environment, state=tmp_path) as open_:

        def show(width: int = 110, height: int = 24, **environ: str) -> Tmux:
            return open_(size=(width, height), **environ)

        yield show


def selected(screen: list[str]) -> list[str]:
    """Return the first words of the rows of a table."""
    heads = [at for at, one in enumerate(screen) if one.startswith(("NAME", "JOB", "RUN"))]
    return [one.split()[0] for one in screen[heads[0] + 1 : -1] if one.strip()] if heads else []


# -- refusals ----------------------------------------------------------------------------------


def test_without_a_terminal_it_says_what_to_do(shared: MasterUnderTest) -> None:
    ctl = Shell(shared.environment)

    assert "clawctl status" in ctl("top", status=2).fault


@pytest.mark.parametrize(
    ("words", "environ"), [(("top", "--json"), {}), (("top",), {"TERM": "dumb"})]
)
def test_a_terminal_that_cannot_or_json_is_refused(
    shared: MasterUnderTest, words: tuple[str, ...], environ: dict[str, str]
) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        command_line(words),
        cwd=ROOT,
        env={**shared.environment, "TERM": "xterm", **environ},
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        timeout=30,
        check=False,
    )
    os.close(ours)
    os.close(theirs)

    assert done.returncode == 2
    assert re.fullmatch(rb"clawctl: top .*: .*clawctl status.*\n", done.stderr)


def test_it_takes_the_screen_follows_its_size_and_gives_it_back(
    shared: MasterUnderTest, tmp_path: Path
) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    before = termios.tcgetattr(theirs)
    process = subprocess.Popen(
        ["setsid", "--ctty", *command_line(("top",))],
        cwd=ROOT,
        env={**shared.environment, "TERM": "xterm", "XDG_STATE_HOME": str(tmp_path)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    said = _hear(ours, b"job-010")
    assert b"\x1b[?1049h" in said  # the alternate screen of xterm
    assert b"job-040" not in said

    termios.tcsetwinsize(ours, (60, 80))
    _hear(ours, b"job-040")
    os.write(ours, b"q")
    assert process.wait(30) == 0
    _hear(ours, b"\x1b[?1049l")
    assert termios.tcgetattr(theirs) == before
    os.close(ours)
    os.close(theirs)


def _hear(terminal: int, wanted: bytes) -> bytes:
    """Return what is written to a terminal until something is."""
    said, deadline = b"", time.monotonic() + 30.0
    while wanted not in said:
        assert time.monotonic() < deadline, said
        if select.select([terminal], [], [], 1.0)[0]:
            said += os.read(terminal, 65536)
    return said


# -- in a terminal -----------------------------------------------------------------------------


@needs_tmux
def test_jobs_are_shown_filtered_stopped_and_started(
    shared: MasterUnderTest, show: Open
) -> None:
    top = show()
    top.see("64 jobs")
    assert top.is_alternate

    top.keys("/")
    top.type("tag:site")
    top.keys("Enter")
    screen = top.see("1 of 64 with 'tag:site'")
    assert selected(screen) == ["web"]
    top.keys("x")
    top.see("stop web? y/n")
    top.keys("y")
    top.until(lambda lines: any(re.match(r"web +stopped", one) for one in lines), "stopped web")
    top.keys("s")
    top.until(lambda lines: any(re.match(r"web +running", one) for one in lines), "running web")
    assert shared.job("web")["state"] == "running"

    top.keys("q")
    assert not top.until(lambda lines: "EXIT 0" in lines, "end")[0].startswith("claw ")
    assert not top.is_alternate


@needs_tmux
def test_a_run_is_begun_and_found_among_runs_dead_letters_and_in_detail(show: Open) -> None:
    top = show()
    top.see("64 jobs")

    top.keys("/")
    top.type("name:batch")
    top.keys("Enter", "f")
    top.see("run batch: run ")
    top.keys("4")
    top.until(lambda lines: any(re.search(r"batch +(\S+ ago|now)", one) for one in lines), "it")
    top.keys("3")
    top.until(lambda lines: any(re.search(r"batch +failed +3", one) for one in lines), "a run")
    top.keys("Enter")
    assert any(re.match(r"exit +3", line) for line in top.see("attempt".upper()))
    top.keys("Escape", "l")
    top.see("it has ended")
    assert "batch" in top.lines


@needs_tmux
def test_output_is_followed_searched_and_held(show: Open) -> None:
    top = show()
    top.see("64 jobs")
    top.keys("/")
    top.type("tag:site")
    top.keys("Enter", "l")
    top.see("again")

    top.keys("/")
    top.type("needle")
    top.keys("Enter")
    top.see("needle")
    top.see("more: F follows")
    top.keys("F")
    top.see_not("F follows")
    top.keys("&")
    top.type("needle")
    top.keys("Enter")
    screen = top.see_not("again")
    assert "needle" in screen


@needs_tmux
def test_a_master_that_is_killed_is_missed_and_found_again(
    shared: MasterUnderTest, show: Open
) -> None:
    top = show()
    top.see("64 jobs")

    shared.kill()
    top.see("the daemon is away")
    top.keys("s")
    top.see("start batch: the daemon is not running")
    shared.start()
    top.see("the daemon is back")

    screen = top.see_not("the daemon is away")
    assert f"pid {shared.pid}" in top.see(f"pid {shared.pid}")[0]
    assert "batch" in selected(screen)


@needs_tmux
def test_a_master_that_owes_an_answer_is_told_of_and_holds_up_no_leaving(
    shared: MasterUnderTest, show: Open
) -> None:
    top = show()
    top.see("64 jobs")

    os.kill(shared.pid, signal.SIGSTOP)
    try:
        top.see("the daemon has not answered for")
        top.keys("s")
        top.see("start batch ...")
        top.keys("q")
        top.see("EXIT 0")
    finally:
        os.kill(shared.pid, signal.SIGCONT)


@needs_tmux
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 0)])
def test_whoever_ends_it_has_the_terminal_back(
    show: Open, number: signal.Signals, status: int
) -> None:
    top = show()
    top.see("64 jobs")

    os.kill(top.program, number)

    top.see(f"EXIT {status}")
    assert not top.is_alternate


@needs_tmux
def test_it_follows_the_size_of_the_terminal(show: Open) -> None:
    top = show(80, 24)
    top.see("64 jobs")
    assert len(selected(top.lines)) == 19

    top.resize(40, 10)
    top.until(lambda lines: len(lines) == 10 and len(selected(lines)) == 5, "five rows")
    top.resize(200, 60)
    top.until(lambda lines: len(selected(lines)) == 55, "55 rows")
    top.keys("5")
    top.see("echo batch")
    top.keys("G")
    screen = top.see("日本語のジョブ")
    # A column further left, or further right, and a terminal has not been told of the width.
    [head] = [line for line in screen if line.startswith("JOB")]
    [row] = [line for line in screen if line.startswith("wide ")]
    assert row.index("echo") == head.index("COMMAND")


@needs_tmux
def test_tags_are_edited_and_a_job_in_an_editor(
    shared: MasterUnderTest, show: Open, tmp_path: Path
) -> None:
    editor = tmp_path / "vi"  # is told where the job is in a file of many
    editor.write_text(
        f'#!/bin/sh\necho $1 >{tmp_path}/told\nsed -i "s/echo written/echo edited/" $2\n'
    )
    editor.chmod(0o755)
    line = shared.call("job.definition", job="editable")["line"]
    top = show(EDITOR=str(editor), VISUAL="")
    top.see("64 jobs")
    top.keys("/")
    top.type("name:editable")
    top.keys("Enter", "t")
    top.see("tags of editable:")
    top.type("nightly")
    top.keys("Enter")
    top.see("tag editable: editable in managed.toml")
    assert shared.job("editable")["tags"] == ["nightly"]

    top.keys("e")
    top.see("Enter goes back")
    top.keys("Enter")
    top.see("edit editable: done")
    assert "echo edited" in shared.call("job.definition", job="editable")["toml"]
    assert (tmp_path / "told").read_text() == f"+{line}\n"


@needs_tmux
def test_columns_are_chosen_and_remembered(show: Open) -> None:
    top = show()
    top.see("64 jobs")
    top.keys("C")
    top.see("[x] pid")
    top.keys("Down", "Down", "Space", "Enter")
    top.see_not(" PID ")
    top.keys("q")
    top.see("EXIT 0")

    again = show()
    again.see("64 jobs")
    assert not any(re.search(r"\bPID\b", line) for line in again.lines)


@needs_tmux
def test_without_colour_there_is_none(show: Open) -> None:
    top = show(NO_COLOR="1")
    top.see("64 jobs")

    raw = top._tmux("capture-pane", "-p", "-e")

    assert "\x1b[" in raw  # who is selected is seen all the same
    assert not re.search(r"\x1b\[[0-9;]*(?:3[0-7]|9[0-7]|38)[;m]", raw)
