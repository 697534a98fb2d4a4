"""Whom a supervisor signals: what is found in the tree, and no stranger with a number of it."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.kernel import pidfd
from claw.supervisor.tree import Tree


class Found(Tree):
    """A tree in which a process is found as often as a test says."""

    __slots__ = ("left", "pid")

    def __init__(self, pid: int, times: int) -> None:
        super().__init__("r1", "tree", [])
        self.pid = pid
        self.left = times

    def rest(self, _children: list[int] | None = None) -> list[int]:
        self.left -= 1
        return [self.pid] if self.left >= 0 else []


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as made:
        yield made
        made.kill()


def test_what_is_found_once_may_be_a_stranger_by_now(
    sleeper: subprocess.Popen[bytes],
) -> None:
    Found(sleeper.pid, 1).kill()
    Found(sleeper.pid, 1).signal(signal.SIGTERM)

    os.kill(sleeper.pid, signal.SIGUSR1)  # the next one is the first that reaches it
    assert sleeper.wait(20) == -signal.SIGUSR1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_what_is_found_again_is_signalled(
    sleeper: subprocess.Popen[bytes], number: signal.Signals
) -> None:
    tree = Found(sleeper.pid, 2)

    if number == signal.SIGKILL:
        tree.kill()
    else:
        tree.signal(number)

    assert sleeper.wait(20) == -number


def test_a_number_with_another_start_time_is_not_signalled(
    sleeper: subprocess.Popen[bytes],
) -> None:
    start = pidfd.start_ticks(sleeper.pid) or 0

    assert not pidfd.signal_process(sleeper.pid, start - 1, signal.SIGKILL)
    assert pidfd.signal_process(sleeper.pid, start, signal.SIGTERM)
    assert sleeper.wait(20) == -signal.SIGTERM
    assert not pidfd.signal_process(sleeper.pid, start, signal.SIGTERM)


def test_who_was_in_the_group_counts_though_it_has_gone_since(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    (tmp_path / "cgroup.procs").write_text(f"{gone.pid}\n{os.getpid()}\n")

    for mode in ("tree", "group"):
        assert gone.pid in Tree("r1", mode, [str(tmp_path)]).rest_for_sure([])


def test_a_group_that_cannot_be_joined_is_not_shared(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    tree = Tree("r1", "tree", [str(tmp_path / "file/group")])

    tree.share()

    assert not tree.is_shared


def test_a_killer_steps_out_of_the_group_that_it_shares(tmp_path: Path) -> None:
    group = tmp_path / "claw/s1"
    group.mkdir(parents=True)
    for name in ("cgroup.procs", "claw/s1/cgroup.procs", "claw/s1/cgroup.kill"):
        (tmp_path / name).write_text("")
    tree = Tree("r1", "tree", [str(group)])
    tree.share()
    was_shared = tree.is_shared

    tree.kill()

    assert (was_shared, tree.is_shared) == (True, False)
    assert (tmp_path / "cgroup.procs").read_text() == "0"
    assert (group / "cgroup.kill").read_text() == "1"


def test_a_killer_that_cannot_step_out_does_not_kill_itself(tmp_path: Path) -> None:
    group = tmp_path / "claw/s1"
    group.mkdir(parents=True)
    for name in ("cgroup.procs", "cgroup.kill"):
        (group / name).write_text("")
    tree = Tree("r1", "tree", [str(group)])
    tree.share()

    tree.kill()

    assert tree.is_shared
    assert (group / "cgroup.kill").read_text() == ""


class Alone(Tree):
    """A tree that may not look through other processes' children."""

    def _fostered(self) -> list[int]:
        raise AssertionError("it looks through all of its ancestors' children")


def test_a_run_in_a_control_group_is_not_searched_for_after_a_takeover(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    (tmp_path / "cgroup.procs").write_text(f"{sleeper.pid}\n")
    tree = Alone("r1", "tree", [str(tmp_path)])
    tree.take_over(0, 0)
    assert sleeper.pid in tree.rest()

    (tmp_path / "cgroup.procs").write_text("")
    tree.rest()

    gone = Alone("r1", "tree", [str(tmp_path)])
    gone.take_over(0, 0)  # nobody has been in the group: perhaps nobody could join it
    with pytest.raises(AssertionError):
        gone.rest()
