"""What is read of processes and groups when no descriptor is left to read it by."""

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from claw.kernel import cgroup, pidfd, process
from claw.master.reaper import Reaper
from tests.kit.descriptors import free_descriptors


@pytest.mark.parametrize(
    "look",
    [
        process.children_of,
        process.descendants_of,
        process.is_zombie,
        lambda _pid: process.my_children(),
        lambda pid: process.living_among([pid]),
        lambda pid: pidfd.is_there(pid, 1),
        lambda pid: pidfd.is_alive(pid, 1),
    ],
)
def test_who_cannot_be_looked_at_for_want_of_descriptors_is_not_said_to_be_gone(
    look: Callable[[int], object],
) -> None:
    with free_descriptors(os.getpid(), 0), pytest.raises(OSError, match="Too many") as told:
        look(os.getpid())

    assert told.value.errno == errno.EMFILE


def test_a_group_that_cannot_be_read_is_not_said_to_be_empty(tmp_path: Path) -> None:
    (tmp_path / "cgroup.procs").write_text("")

    with free_descriptors(os.getpid(), 0), pytest.raises(OSError, match="Too many"):
        cgroup.members(str(tmp_path))

    assert cgroup.members(str(tmp_path)) == []
    assert cgroup.members(str(tmp_path / "gone")) == []


def test_a_process_that_has_gone_has_no_children_and_is_over() -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()

    assert process.children_of(gone.pid) == []
    assert process.is_zombie(gone.pid)
    assert not pidfd.is_there(gone.pid, 1)
    assert not pidfd.is_alive(gone.pid, 1)


def test_a_process_is_there_until_it_is_reaped_and_alive_until_it_has_ended() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        start = pidfd.start_ticks(child.pid)
        assert start is not None
        assert pidfd.is_there(child.pid, start)
        assert pidfd.is_alive(child.pid, start)
        assert not pidfd.is_there(child.pid, start + 1)

        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert pidfd.is_there(child.pid, start)
        assert not pidfd.is_alive(child.pid, start)


def test_an_own_child_that_cannot_be_looked_at_is_left_to_who_has_started_it() -> None:
    reaper = Reaper()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as first:
        with free_descriptors(os.getpid(), 0):
            reaper.own(first.pid)
        assert reaper._is_own(first.pid)
        first.kill()
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as second:
        reaper.own(second.pid)
        with free_descriptors(os.getpid(), 0):
            assert reaper._is_own(second.pid)
        second.kill()
