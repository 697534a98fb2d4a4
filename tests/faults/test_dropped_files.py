"""Files are dropped while masters are killed: each is handled, and none twice.

The dropper goes on while no master lives. Kills come when so many files have been dropped;
what has been handled by then is up to chance.
"""

import sqlite3
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from tests.kit.master import MasterUnderTest

SHORT, LONG = (300, 3), (10_000, 8)
_AWAY = 20
"""So many files are dropped before there is a master again."""


class Dropper:
    """Drops files, every other one by a rename, no faster than it is told."""

    def __init__(self, folder: Path, count: int) -> None:
        self.folder = folder
        self.count = count
        self.dropped = 0
        self._thread = threading.Thread(target=self._drop)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the last file."""
        self._thread.join()

    def _drop(self) -> None:
        for no in range(self.count):
            path = self.folder / f"{no:05}"
            aside = self.folder / f".{no:05}" if no % 2 else path
            aside.write_text(str(no))
            if aside != path:
                aside.rename(path)
            self.dropped += 1


class Campaign:
    """A folder, a ledger of what was handled, and a master that is killed."""

    def __init__(self, tmp_path: Path, count: int) -> None:
        self.folder, self._ledger = tmp_path / "in", tmp_path / "ledger"
        self.folder.mkdir()
        self._ledger.touch()
        self.claw = MasterUnderTest(tmp_path / "home")
        self.claw.configure(
            f"""
[daemon]
max_queue = 100
[jobs.take]
command = 'echo "$CLAW_WATCH_PATH" >> {self._ledger}'
watch = {{ paths = ["{self.folder}/*"] }}
max_instances = 16
"""
        )
        self.dropper = Dropper(self.folder, count)

    def handled(self) -> list[str]:
        """Return the paths that were handled, in the order of their runs' ends."""
        return self._ledger.read_text().splitlines()

    def wait_for(self, *, dropped: int = 0, handled: int = 0) -> None:
        """Wait until so many files have been dropped, and so many handled."""
        dropped = min(dropped, self.dropper.count)
        self.claw.wait_until(lambda: self.dropper.dropped >= dropped, f"{dropped} files")
        while (so_far := len(self.handled())) < handled:
            self.claw.wait_until(lambda n=so_far: len(self.handled()) > n, "more runs")  # type: ignore[misc]

    def run(self, kills: int) -> None:
        """Drop files and kill masters, until all is handled and nothing is left to do."""
        self.claw.start()
        self.dropper.start()
        for no in range(kills):
            part = (no + 1) * self.dropper.count // (kills + 1)
            # As far behind as it may be, some of what was dropped has been handled.
            self.wait_for(dropped=part, handled=no * 10)
            self.claw.kill()
            self.wait_for(dropped=self.dropper.dropped + _AWAY)
            self.claw.start()
        self.dropper.join()
        self.wait_for(handled=self.dropper.count)
        self.claw.restart()
        last = self.folder / "last"
        last.write_text("when this is handled, the new master has looked at all others")
        self.claw.wait_until(lambda: str(last) in self.handled(), "the last run")
        self.claw.wait_until(lambda: self.claw.runs_open() == 0, "an end of all runs")


def drop_and_kill(tmp_path: Path, count: int, kills: int) -> None:
    """Drop files and kill masters, and see that all were handled once."""
    campaign = Campaign(tmp_path, count)
    try:
        campaign.run(kills)
    finally:
        campaign.dropper.join()
        campaign.claw.end()

    names = [*(f"{no:05}" for no in range(count)), "last"]
    found = Counter(campaign.handled())
    assert {path: times for path, times in found.items() if times != 1} == {}
    assert set(found) == {f"{campaign.folder}/{name}" for name in names}
    with closing(sqlite3.connect(campaign.claw.home.database)) as database:
        [row] = database.execute("SELECT count(*), count(waiting) FROM watched").fetchall()
    assert row == (count + 1, 0)


def test_three_hundred_files_are_each_handled_once_whoever_is_killed(tmp_path: Path) -> None:
    drop_and_kill(tmp_path, *SHORT)


@pytest.mark.slow
def test_ten_thousand_files_are_each_handled_once_whoever_is_killed(tmp_path: Path) -> None:
    drop_and_kill(tmp_path, *LONG)
