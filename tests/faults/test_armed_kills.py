"""Kill -9 of anybody between the arming of runs and their begin: each begins once, in time.

A job's program notes when it begins. Whether a kill finds runs armed, just begun or not claimed
yet is chance, on a busy machine more than elsewhere; what must not happen must not happen ever.
"""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from claw.kernel import process
from tests.kit.master import Json, MasterUnderTest, kill_process, master

JOBS = 6
SECOND = timedelta(seconds=1)
Kill = Callable[[MasterUnderTest], None]


@pytest.fixture
def claw(tmp_path: Path) -> Iterator[MasterUnderTest]:
    (tmp_path / "begun").mkdir()
    with master(tmp_path, "") as made:
        yield made


class Crowd:
    """Jobs that are due in the same second, each of which says when it begins."""

    def __init__(self, claw: MasterUnderTest, folder: Path) -> None:
        self.claw = claw
        self.begun = folder / "begun"
        self.due = datetime.now(UTC).replace(microsecond=0) + 4 * SECOND
        self.names = [f"j{number}" for number in range(JOBS)]
        at = f"'{self.due:%S %M %H * * *}'"
        text = "[daemon]\ntimezone = 'UTC'\n"
        for name in self.names:
            argv = f"['/bin/sh', '-c', 'date +%s.%N >> {self.begun}/{name}']"
            text += f"[jobs.{name}]\nargv = {argv}\nschedule = {at}\n"
        claw.configure(text)
        claw.call("config.reload")

    def wait_armed(self) -> None:
        """Wait until runs are launched, at their time at the latest."""
        launches = self.claw.folder / "state/launch"
        self.claw.wait_until(lambda: any(launches.iterdir()), "a launch")

    def rows(self) -> list[Json]:
        return [run for name in self.names for run in self.claw.runs(name)]

    def check(self, states: frozenset[str] = frozenset({"succeeded"})) -> None:
        """Check that each has one row, in one of these states, and began once if it did."""

        def all_have_ended() -> bool:
            with contextlib.suppress(Exception):  # the master may be on its way
                rows = self.rows()
                return len(rows) == JOBS and all(run["ended_at"] for run in rows)
            return False

        self.claw.wait_until(all_have_ended, "all have ended")
        assert {run["state"] for run in self.rows()} <= states
        for name in self.names:
            [run], path = self.claw.runs(name), self.begun / name
            begins = path.read_text().split() if path.exists() else []
            assert len(begins) == (run["state"] == "succeeded")
            assert all(float(text) >= self.due.timestamp() for text in begins)


def of_master(claw: MasterUnderTest) -> None:
    claw.kill()
    claw.start()


def fork_server(claw: MasterUnderTest) -> int:
    return int(claw.call("daemon.status")["fork_server_pid"])


def of_fork_server(claw: MasterUnderTest) -> None:
    kill_process(fork_server(claw))


def of_supervisors(claw: MasterUnderTest) -> None:
    for pid in process.children_of(fork_server(claw)):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def of_supervisors_and_master(claw: MasterUnderTest) -> None:
    of_supervisors(claw)
    of_master(claw)


KILLS = (of_master, of_fork_server, of_supervisors, of_supervisors_and_master)


@pytest.mark.parametrize("kill", KILLS)
def test_i3_i4_what_was_armed_begins_once_and_at_its_time(
    claw: MasterUnderTest, tmp_path: Path, kill: Kill
) -> None:
    crowd = Crowd(claw, tmp_path)
    crowd.wait_armed()

    kill(claw)

    crowd.check()


def test_i5_each_of_those_that_are_paused_is_skipped_or_has_begun(
    claw: MasterUnderTest, tmp_path: Path
) -> None:
    crowd = Crowd(claw, tmp_path)
    crowd.wait_armed()

    claw.call("job.pause", targets=crowd.names)

    crowd.check(frozenset({"skipped", "succeeded"}))


@pytest.mark.slow
@pytest.mark.parametrize("kill", KILLS)
@pytest.mark.parametrize("wait_s", [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5])
def test_i3_i4_whenever_somebody_is_killed(
    claw: MasterUnderTest, tmp_path: Path, kill: Kill, wait_s: float
) -> None:
    crowd = Crowd(claw, tmp_path)
    crowd.wait_armed()
    time.sleep(wait_s)

    kill(claw)

    crowd.check()
