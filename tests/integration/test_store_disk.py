"""The store on a disk that is really full."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.errors import StoreError
from claw.model.event import Event
from claw.store import damage
from claw.store.database import Database
from tests.kit.desk import T0

pytestmark = pytest.mark.root


@pytest.fixture(name="disk")
def _disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a small file system of its own."""
    words = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("cannot mount a file system here")
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


def _take_room(disk: Path, but: int) -> Path:
    """Take the room of a disk, but for some bytes, and return what takes it."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        file.write(bytes(max(free - but, 0)))
    return ballast


def _write_until_full(database: Database, event: Event) -> int:
    """Return how many writes were answered before the first one that was refused."""
    for count in range(500):
        try:
            database.transact(lambda tx: tx.append_event(event))
        except StoreError:
            return count
    raise AssertionError("the disk was never full")


def test_i7_a_full_disk_refuses_writes_and_loses_nothing_that_was_answered(
    disk: Path,
) -> None:
    told: list[int] = []
    path = str(disk / "claw.db")
    database = damage.open_or_rebuild(
        path, T0, on_events=lambda events: told.extend(event.cursor for event in events)
    ).database
    big = Event(at=T0, type="x", why="y" * 20_000)
    stored = 0
    for _ in range(3):
        ballast = _take_room(disk, but=300_000)
        stored += _write_until_full(database, big)
        assert database.view(lambda tx: tx.last_cursor()) == stored
        ballast.unlink()
        database.transact(lambda tx: tx.append_event(big))
        stored += 1
        assert not database.is_damaged
    database.close()
    opened = damage.open_or_rebuild(path, T0)
    assert opened.damage is None
    found = [event.cursor for event in opened.database.view(lambda tx: tx.events(limit=10_000))]
    assert len(found) == stored > 6
    assert told == found
    opened.database.close()


def test_a_start_on_a_full_disk_says_so_and_leaves_the_database(disk: Path) -> None:
    path = disk / "claw.db"
    damage.open_or_rebuild(str(path), T0).database.close()
    before = path.read_bytes()
    ballast = _take_room(disk, but=0)
    with pytest.raises(StoreError, match="cannot open the database"):
        damage.open_or_rebuild(str(path), T0)
    assert path.read_bytes() == before
    assert list(disk.glob("*damaged*")) == []
    ballast.unlink()
    opened = damage.open_or_rebuild(str(path), T0)
    assert opened.damage is None
    opened.database.close()
