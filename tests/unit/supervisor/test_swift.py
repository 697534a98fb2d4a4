"""Whose child it is, when its begin is on nobody's record: found by mark or environment."""

import resource
import subprocess
import time
from collections.abc import Iterator

import pytest

from claw.kernel import limits, pidfd, process
from claw.supervisor import swift
from claw.supervisor.machine import Supervision
from claw.supervisor.tree import Tree
from claw.wire.supervision import is_mark, mark_of

RUN = "r06h00bnoclru340s9dsve5oo64"
PATIENCE_S = 30.0


def begin(*, mark: bool = True, environment: bool = False) -> subprocess.Popen[bytes]:
    """Begin a process as a child of the run's first attempt would be, or what is left of it."""
    named = {"CLAW_RUN_ID": RUN, "CLAW_ATTEMPT": "1"} if environment else {}
    old = resource.getrlimit(10)
    try:
        if mark:
            limits.mark(mark_of(RUN, 1))
        return subprocess.Popen(["/bin/sleep", "600"], env=named, start_new_session=True)
    finally:
        resource.setrlimit(10, old)


@pytest.fixture
def both() -> Iterator[tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]]:
    with begin() as first:
        while (pidfd.start_ticks(first.pid) or 0) >= int(time.clock_gettime(7) * 100):
            time.sleep(0.002)
        with begin() as second:
            yield first, second
            second.kill()
        first.kill()


def name(child: subprocess.Popen[bytes]) -> tuple[int, int]:
    return child.pid, pidfd.start_ticks(child.pid) or 0


def test_it_is_the_oldest_that_carries_the_mark_but_for_its_supervisor(
    both: tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]],
) -> None:
    first, second = both
    first.kill()
    deadline = time.monotonic() + PATIENCE_S
    while not process.is_zombie(first.pid):
        assert time.monotonic() < deadline
    pids = [second.pid, first.pid]

    assert swift.find_among(pids, RUN, 1, []) == name(first)  # it may have ended
    assert swift.find_among(pids, RUN, 1, [name(first)]) == name(second)
    assert swift.find_among(pids, RUN, 2, []) is None


def test_it_is_found_by_its_environment_without_the_mark() -> None:
    with begin(mark=False, environment=True) as child:
        try:
            while process.command_of(child.pid) != "sleep":
                time.sleep(0.002)
            assert swift.find_among([child.pid], RUN, 1, []) == name(child)
            assert swift.find_among([child.pid], RUN, 2, []) is None
        finally:
            child.kill()


def test_a_limit_that_a_program_sets_for_itself_is_no_mark() -> None:
    assert is_mark(mark_of(RUN, 1))
    assert is_mark(mark_of(RUN, 255))
    assert not any(map(is_mark, (0, 77, 1 << 32, (1 << 64) - 1)))


def test_a_mark_that_nobody_can_see_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    old = resource.getrlimit(10)
    monkeypatch.setattr(limits, "_SHOWN", [])  # another test may have seen one
    monkeypatch.setattr(limits, "_MARK_IN_PROC", b"no such line")
    try:
        with pytest.raises(ValueError, match="cannot be seen"):
            limits.mark(mark_of(RUN, 1))
    finally:
        resource.setrlimit(10, old)


def test_a_child_that_nobody_knows_has_no_processes_of_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with subprocess.Popen(["/bin/sleep", "600"]) as stranger:
        try:
            tree = Tree(RUN, "tree", [])
            tree.take_over(0, 0)
            assert not tree._is_of_this_run(stranger.pid)
            monkeypatch.setattr(process, "session_of", lambda _pid: 0)  # of another namespace
            assert not tree._is_of_this_run(stranger.pid)
        finally:
            stranger.kill()


def test_who_has_supervised_a_run_is_known_from_its_journal() -> None:
    state = Supervision.__new__(Supervision)
    state.oom = 0
    state.apply({"ev": "launch", "attempt": 1, "b": 5.0, "pid": 10, "start": 3})
    state.apply({"ev": "taken_over", "pid": 11, "start": 4})

    assert (state.launched_b, state.supervisors) == (5.0, [(10, 3), (11, 4)])
    state.apply({"ev": "launch", "attempt": 1, "b": 6.0, "pid": 12, "start": 5})
    assert state.supervisors == [(12, 5)]
