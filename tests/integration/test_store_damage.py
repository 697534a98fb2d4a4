"""Damaged database files, really damaged: set aside, made anew, and said."""

import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from claw.errors import StoreError, StoreTooNewError
from claw.model import ids
from claw.model.event import Event
from claw.store import damage
from claw.store.connect import connect
from claw.store.records import Tx
from tests.kit.desk import T0, a_run


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    """Return a database with some thousand rows, closed."""
    path = tmp_path / "claw.db"
    database = damage.open_or_rebuild(str(path), T0).database

    def fill(tx: Tx) -> None:
        for number in range(2000):
            run = replace(a_run(), id=ids.run_id(number, bytes(10)), origin_key=str(number))
            tx.insert_run(run)

    database.transact(fill)
    database.close()
    return path


def _overwrite(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)


def _middle(path: Path) -> None:
    size = path.stat().st_size
    for offset in range(4096, size, 4096):
        _overwrite(path, offset, os.urandom(512))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no header": lambda path: _overwrite(path, 0, b"garbage!" * 64),
    "random pages": _middle,
    "half of it": lambda path: os.truncate(path, path.stat().st_size // 2 // 4096 * 4096),
    "an odd end": lambda path: os.truncate(path, path.stat().st_size - 3000),
    "nothing": lambda path: os.truncate(path, 0),
    "a text": lambda path: path.write_text("not a database, just words" * 1000),
    "zeros": lambda path: path.write_bytes(bytes(path.stat().st_size)),
}


@pytest.mark.parametrize("harm", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_file_is_set_aside_and_never_silently_empty(
    path: Path, harm: Callable[[Path], object]
) -> None:
    harm(path)
    harmed = path.read_bytes()
    opened = damage.open_or_rebuild(str(path), T0)
    assert opened.is_new
    assert opened.damage is not None
    assert opened.damage.why
    assert Path(opened.damage.set_aside).name == "claw.db.damaged-20260302T120000Z"
    assert Path(opened.damage.set_aside).read_bytes() == harmed
    assert opened.database.view(lambda tx: tx.count_open()) == 0
    opened.database.close()
    again = damage.open_or_rebuild(str(path), T0)
    assert (again.is_new, again.damage) == (False, None)
    again.database.close()


def test_a_sound_file_is_used_as_it_is(path: Path) -> None:
    opened = damage.open_or_rebuild(str(path), T0)
    assert (opened.is_new, opened.damage) == (False, None)
    assert opened.database.view(lambda tx: tx.count_open()) == 2000
    opened.database.close()


def test_a_missing_file_with_its_log_is_damage_and_the_log_is_not_played(path: Path) -> None:
    live = damage.open_or_rebuild(str(path), T0).database
    live.transact(lambda tx: tx.append_event(Event(at=T0, type="x")))
    log = Path(f"{path}-wal").read_bytes()
    live.close()
    path.unlink()
    Path(f"{path}-wal").write_bytes(log)
    opened = damage.open_or_rebuild(str(path), T0)
    assert opened.damage is not None
    assert Path(opened.damage.set_aside + "-wal").read_bytes() == log
    assert opened.database.view(lambda tx: tx.last_cursor()) == 0
    opened.database.close()


def test_a_database_without_its_tables_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "claw.db"
    connection = connect(str(path))
    connection.execute("CREATE TABLE other (x)")
    connection.close()
    opened = damage.open_or_rebuild(str(path), T0)
    assert opened.damage is not None
    assert opened.damage.why == "its tables are gone"
    opened.database.close()


def test_two_damages_within_a_second_keep_both_files(path: Path) -> None:
    found = []
    for _ in range(3):
        path.write_bytes(b"junk" * 2000)
        opened = damage.open_or_rebuild(str(path), T0)
        assert opened.damage is not None
        found.append(opened.damage.set_aside)
        opened.database.close()
    assert len(set(found)) == 3
    assert all(map(os.path.exists, found))


def test_a_newer_database_is_refused_and_not_touched(path: Path) -> None:
    connection = connect(str(path))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreTooNewError):
        damage.open_or_rebuild(str(path), T0)
    assert path.read_bytes() == before
    assert list(path.parent.glob("*damaged*")) == []


def test_a_folder_that_is_not_there_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot open the database"):
        damage.open_or_rebuild(str(tmp_path / "gone" / "claw.db"), T0)


def test_a_folder_in_place_of_the_file_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "claw.db").mkdir()
    with pytest.raises(StoreError, match="cannot open the database"):
        damage.open_or_rebuild(str(tmp_path / "claw.db"), T0)
    assert list(tmp_path.glob("*damaged*")) == []


def test_a_draft_of_a_start_that_was_killed_is_made_anew(tmp_path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        (tmp_path / f"claw.db.new{suffix}").write_bytes(b"half a draft")
    opened = damage.open_or_rebuild(str(tmp_path / "claw.db"), T0)
    assert (opened.is_new, opened.damage) == (True, None)
    opened.database.close()
    assert [file.name for file in tmp_path.iterdir()] == ["claw.db"]


def test_files_of_the_store_are_the_owners_alone(path: Path) -> None:
    opened = damage.open_or_rebuild(str(path), T0)
    opened.database.transact(lambda tx: tx.put_meta("a", "b"))
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    opened.database.close()


def test_damage_met_while_running_is_noticed_and_found_at_the_next_start(path: Path) -> None:
    database = damage.open_or_rebuild(str(path), T0).database
    _middle(path)
    with pytest.raises(StoreError):
        database.view(lambda tx: tx.runs_page(limit=2000))
    assert database.is_damaged
    database.close()
    opened = damage.open_or_rebuild(str(path), T0)
    assert opened.damage is not None
    opened.database.close()


def test_a_large_file_is_checked_after_an_unclean_stop_only(path: Path) -> None:
    statements: list[str] = []
    connection = connect(str(path), tracer=statements.append)

    def is_checked(size: int) -> bool:
        statements.clear()
        assert damage._what_a_look_shows(connection, size) is None
        return any("quick_check" in statement for statement in statements)

    large = damage.CHECK_ALWAYS_BYTES + 1
    assert (is_checked(large - 1), is_checked(large)) == (True, False)
    Tx(connection).put_meta("clean_stop", None)
    assert is_checked(large)
    connection.close()


def test_the_clean_stop_is_noted_by_close_and_taken_back_by_the_next_start(
    path: Path,
) -> None:
    def noted() -> bool:
        connection = sqlite3.connect(path)
        row = connection.execute("SELECT 1 FROM meta WHERE key = 'clean_stop'").fetchone()
        connection.close()
        return row is not None

    assert noted()
    database = damage.open_or_rebuild(str(path), T0).database
    assert not noted()
    database.close()
    assert noted()
