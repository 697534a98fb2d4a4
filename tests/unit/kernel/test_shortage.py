"""What is read of processes and groups when no descriptor is left to read it by."""

import errno
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from claw.kernel import cgroup, process
from tests.kit.descriptors import free_descriptors


@pytest.mark.parametrize(
    "look",
    [
        process.children_of,
        process.descendants_of,
        process.is_zombie,
        lambda _pid: process.my_children(),
        lambda pid: process.living_among([pid]),
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
