"""``clawd -d``: who starts it learns whether it serves, and why not."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.kernel import process
from tests.kit.clawctl import PATIENCE_S, ROOT, Said, Shell
from tests.kit.master import MasterUnderTest


@pytest.fixture(name="claw")
def _claw(tmp_path: Path) -> Iterator[MasterUnderTest]:
    """A home in which nothing runs, at the end neither."""
    claw = MasterUnderTest(tmp_path / "home")
    claw.configure("")
    yield claw
    Shell(claw.environment)("daemon", "stop", status=None)


def begin(claw: MasterUnderTest, words: str = "", before: str = "") -> Said:
    """Start a daemon in the background, from a shell."""
    clawd = f"{sys.executable} -m claw clawd --home {claw.folder} -d {words}"
    return Shell(claw.environment).sh(f"{before} {clawd}")


def test_the_daemon_answers_when_what_started_it_has_ended(claw: MasterUnderTest) -> None:
    said = begin(claw)

    assert (said.status, said.out, said.err) == (0, "", "")
    assert Shell(claw.environment)("daemon", "status").out.startswith("the daemon runs")


def test_a_daemon_that_fails_in_the_background_says_why_where_it_was_started(
    claw: MasterUnderTest,
) -> None:
    (claw.folder / "state" / "claw.db").mkdir(parents=True)

    said = begin(claw)
    assert said.status == 1
    assert said.err.startswith("clawd: cannot open the database"), said
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("before", "why"),
    [
        ("CLAW_PASSPHRASE_FD=77", "CLAW_PASSPHRASE_FD=77: Bad file descriptor"),
        ("exec 9</dev/null; CLAW_PASSPHRASE_FD=9", "CLAW_PASSPHRASE_FD=9: there is nothing"),
        ("CLAW_PASSPHRASE_FD=0", "CLAW_PASSPHRASE_FD=0: no descriptor"),
    ],
)
def test_a_passphrase_that_cannot_be_read_is_no_start_without_it(
    claw: MasterUnderTest, before: str, why: str
) -> None:
    said = begin(claw, before=before)

    assert (said.status, said.err.startswith(f"clawd: {why}")) == (1, True), said
    assert Shell(claw.environment)("daemon", "status", status=3).out


def detached(script: str) -> subprocess.CompletedProcess[str]:
    """Run some Python in the background of a process, and return how that one ended."""
    lines = f"import os\nfrom claw.master.init import background\n{script}"
    return subprocess.run(
        [sys.executable, "-c", lines],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def test_who_has_started_it_ends_as_it_does() -> None:
    done = detached("background.detach('LOG').fails('it is so')\nos._exit(3)")
    assert (done.returncode, done.stderr) == (3, "it is so\n")

    done = detached("starter = background.detach('LOG')\nos.kill(os.getpid(), 9)")
    assert done.returncode == 1
    assert done.stderr == "clawd: it has ended before it served: see LOG\n"


def test_nobody_waits_for_ever_for_a_daemon_that_does_not_answer() -> None:
    done = detached(
        "background.PATIENCE_S = 0.1\nstarter = background.detach('LOG')\n"
        "reading, writing = os.pipe()\nos.read(reading, 1)"
    )
    pid = int(done.stderr.partition("pid ")[2].split()[0])
    try:
        assert done.returncode == 1
        assert done.stderr == f"clawd: no answer in 0.1 s; pid {pid} goes on: see LOG\n"
        assert not process.is_zombie(pid)
    finally:
        os.kill(pid, signal.SIGKILL)
