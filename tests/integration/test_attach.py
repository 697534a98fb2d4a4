"""``clawctl attach``: what is typed reaches the job, by a pipe or by a terminal."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.kit.clawctl import Shell, command_line
from tests.kit.master import PATIENCE_S, MasterUnderTest, master

JOBS = """
[jobs.cat]
type = "continuous"
stdin = "open"
command = "while read -r line; do echo got: $line; [ $line = leave ] && exit; done; echo end"
restart.delays = ["0s"]
[jobs.term]
type = "continuous"
tty = true
command = "tty; stty size; while read -r line; do echo got: $line; stty size; [ $line = leave ] && exit; done"
restart.delays = ["0s"]
[jobs.deaf]
type = "continuous"
command = "sleep 600"
"""  # noqa: E501


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MasterUnderTest]:
    with master(tmp_path_factory.mktemp("attach"), JOBS) as started:
        for job in ("cat", "term", "deaf"):
            started.wait_until(lambda job=job: started.job(job)["pid"], job)  # type: ignore[misc]
        yield started


class OnTerminal:
    """``clawctl attach`` on a terminal that a test types at."""

    def __init__(self, made: MasterUnderTest, job: str, rows: int, columns: int) -> None:
        self.ours, theirs = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.ours)
        self.said = b""
        self.process = subprocess.Popen(
            command_line(("attach", job)),
            env=Shell(made.environment).environ,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        self.theirs = theirs

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, data: bytes) -> None:
        os.write(self.ours, data)

    def wait_for(self, text: bytes) -> None:
        self._until(lambda: text in self.said, text)

    def _until(self, condition: Callable[[], bool], what: object) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, (what, self.said)
            if select.select([self.ours], [], [], 0.05)[0]:
                self.said += os.read(self.ours, 65536)

    def end(self) -> int:
        """Wait for the command's end; the terminal has to be as it was."""
        self._until(lambda: self.process.poll() is not None, "its end")
        assert termios.tcgetattr(self.ours) == self.before
        os.close(self.ours)
        os.close(self.theirs)
        return self.process.wait()


def output(made: MasterUnderTest, job: str) -> str:
    return (Path(made.folder) / f"log/{job}/out.log").read_text()


def test_lines_reach_an_open_standard_input(made: MasterUnderTest) -> None:
    clawctl = Shell(made.environment)
    for word in ("one", "two"):
        done = subprocess.run(
            command_line(("attach", "cat")),
            env=clawctl.environ,
            input=f"{word}\n".encode(),
            capture_output=True,
            timeout=PATIENCE_S,
            check=True,
        )
        assert done.stderr == b""
    made.wait_until(lambda: "got: two" in output(made, "cat"), "both lines")
    assert "end" not in output(made, "cat").split()


def test_what_a_child_has_not_read_is_not_for_the_next_one(made: MasterUnderTest) -> None:
    subprocess.run(
        command_line(("attach", "cat")),
        env=Shell(made.environment).environ,
        input=b"leave\nunread\n",
        capture_output=True,
        timeout=PATIENCE_S,
        check=True,
    )
    before = made.job("cat")["restarts"]
    made.wait_until(lambda: made.job("cat")["restarts"] > 0, "another child")
    made.wait_until(lambda: made.job("cat")["pid"], "its pid")

    assert "got: unread" not in output(made, "cat")
    assert made.job("cat")["restarts"] >= before


def test_a_terminal_is_handed_over_and_given_back(made: MasterUnderTest) -> None:
    before = made.job("term")["restarts"]
    there = OnTerminal(made, "term", 31, 97)
    there.wait_for(b"attached to term")

    there.type(b"hello\r")
    there.wait_for(b"got: hello")
    there.wait_for(b"31 97")
    there.resize(11, 42)
    os.killpg(there.process.pid, signal.SIGWINCH)
    other = OnTerminal(made, "term", 11, 42)
    other.wait_for(b"attached to term")
    other.type(b"again\r")
    there.wait_for(b"got: again")  # both see what either types
    other.wait_for(b"11 42")
    other.type(b"\x1d")
    there.type(b"\x1d")

    assert (there.end(), other.end()) == (0, 0)
    assert b"detached" in there.said
    assert output(made, "term").startswith("/dev/pts/")
    assert made.job("term")["restarts"] == before


def test_the_terminal_is_as_it_was_after_a_kill_too(made: MasterUnderTest) -> None:
    there = OnTerminal(made, "term", 24, 80)
    there.wait_for(b"attached to term")
    there.type(b"x\r")
    there.wait_for(b"got: x")

    there.process.terminate()

    assert there.end() == 128 + signal.SIGTERM


def test_a_key_of_the_terminal_reaches_the_job_and_the_next_child_has_one_too(
    made: MasterUnderTest,
) -> None:
    there = OnTerminal(made, "term", 24, 80)
    there.wait_for(b"attached to term")
    pid = made.job("term")["pid"]

    there.type(b"\x03")  # ^C: SIGINT by the terminal, to the job and not to clawctl

    made.wait_until(lambda: made.job("term")["pid"] not in {None, pid}, "another child")
    there.type(b"anew\r")
    there.wait_for(b"got: anew")
    there.type(b"\x1d")
    assert there.end() == 0


def test_what_cannot_be_typed_at_says_so(made: MasterUnderTest) -> None:
    clawctl = Shell(made.environment)

    assert "job 'deaf' reads nothing" in clawctl("attach", "deaf", status=1).fault
    assert clawctl("attach", "nobody", status=4).fault
    with pytest.raises(Exception, match="not attached"):
        made.call("job.type", run=made.job("cat")["run"], data="x")
