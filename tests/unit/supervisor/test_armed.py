"""What a supervisor does with a launch that waits when the clock is set.

No test may set the clock of the machine: what the kernel would say of it is played.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.kernel import alarm
from claw.supervisor.armed import Armed
from claw.supervisor.case import Case
from tests.kit.cases import case_of, launch_in
from tests.kit.master import journal

SOON_S = 0.05


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    """A case that is to begin in a moment, with its launch file."""
    (tmp_path / "r.1").write_text("s")
    begin_at = time.time() + SOON_S
    launch = launch_in(
        tmp_path, run="r", origin="schedule", launch_dir=str(tmp_path), begin_at=begin_at
    )
    with case_of(launch) as made:
        yield made


def test_one_whose_time_comes_has_nothing_in_its_journal(case: Case, tmp_path: Path) -> None:
    assert Armed(case).wait()

    assert time.time() >= case.launch.begin_at
    assert journal(Path(case.spool.folder)) == []
    assert (tmp_path / "r.1").exists()


@pytest.mark.parametrize("is_forward", [True, False])
def test_one_that_waits_is_withdrawn_when_the_clock_is_set(
    case: Case,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_forward: bool,
) -> None:
    rings, set_alarm = alarm.take_ring, alarm.set_alarm

    def take_ring(fd: int) -> bool:
        """Say of a timer that has rung that it was the clock, as the kernel would."""
        rings(fd)
        return True

    case.launch.begin_at = time.time() + 3600
    monkeypatch.setattr(alarm, "set_alarm", lambda fd, _at: set_alarm(fd, 1.0))  # at once
    if is_forward:  # its time has come by that, before anybody has looked
        walls = iter([time.time()])
        monkeypatch.setattr(time, "time", lambda: next(walls, case.launch.begin_at + 1))
    monkeypatch.setattr(alarm, "take_ring", take_ring)

    assert not Armed(case).wait()

    [line] = journal(Path(case.spool.folder))
    assert (line["ev"], line["run"], line["attempt"]) == ("withdrawn", "r", 1)
    assert not (tmp_path / "r.1").exists()


@pytest.mark.parametrize("in_s", [-1.0, 3600.0], ids=["its time has passed", "it is early"])
@pytest.mark.parametrize("holder", [None, "another"])
def test_i4_one_whose_launch_file_is_gone_or_another_s_begins_nothing(
    case: Case, tmp_path: Path, holder: str | None, in_s: float
) -> None:
    case.launch.begin_at = time.time() + in_s
    path = tmp_path / "r.1"
    path.unlink()
    if holder is not None:
        path.write_text(holder)

    assert not Armed(case).wait()

    [line] = journal(Path(case.spool.folder))
    assert (line["ev"], line["run"], line["attempt"]) == ("withdrawn", "r", 1)
    assert (path.read_text() if path.exists() else None) == holder


def test_one_whose_time_has_long_passed_is_left_to_what_its_job_says_of_catching_up(
    case: Case, tmp_path: Path
) -> None:
    case.launch.begin_at = time.time() - 60

    assert not Armed(case).wait()

    assert [line["ev"] for line in journal(Path(case.spool.folder))] == ["withdrawn"]
    assert not (tmp_path / "r.1").exists()


def test_i7_one_that_is_withdrawn_on_a_full_disk_leaves_without_a_line(
    case: Case, tmp_path: Path
) -> None:
    with Path("/dev/full").open("wb") as full:
        os.dup2(full.fileno(), case.spool.journal_fd, inheritable=False)
    case.launch.begin_at = time.time() - 60

    assert not Armed(case).wait()

    assert not (tmp_path / "r.1").exists()
    assert case.withdraw("paused")  # again: it never begins


def test_one_whose_launch_file_cannot_be_read_begins_nothing(
    case: Case, tmp_path: Path
) -> None:
    (tmp_path / "r.1").unlink()
    (tmp_path / "r.1").mkdir()

    with pytest.raises(IsADirectoryError):
        Armed(case).wait()

    assert journal(Path(case.spool.folder)) == []


def test_one_that_is_not_armed_needs_no_launch_file_of_its_own(
    case: Case, tmp_path: Path
) -> None:
    case.launch.begin_at = 0.0
    (tmp_path / "r.1").unlink()

    assert Armed(case).wait()

    assert journal(Path(case.spool.folder)) == []
