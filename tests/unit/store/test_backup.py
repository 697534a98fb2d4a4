"""Copies of the database: whole, consistent, and the last ones only."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from claw.errors import StoreError
from claw.store import backup
from claw.store.database import Database

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_copy_holds_what_was_committed_while_the_store_is_open(tmp_path: Path) -> None:
    path = str(tmp_path / "claw.db")
    database = Database.inline(NOW, path)
    database.transact(lambda tx: tx.put_meta("colour", "blue"))

    copy = backup.make(path, str(tmp_path / "backup"), NOW, "1.2.3")

    database.transact(lambda tx: tx.put_meta("colour", "red"))
    database.close()
    assert Path(copy).name == "claw-20260102T030405000000Z-1.2.3.db"
    copied = Database(copy, inline=True)
    assert copied.view(lambda tx: tx.meta("colour")) == "blue"
    copied.close()


def test_only_the_last_copies_are_kept(tmp_path: Path) -> None:
    path = str(tmp_path / "claw.db")
    Database.inline(NOW, path).close()

    made = [
        backup.make(path, str(tmp_path / "backup"), NOW + timedelta(seconds=n), "1")
        for n in range(backup.KEPT + 2)
    ]

    assert backup.copies(str(tmp_path / "backup")) == made[2:]


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    path = str(tmp_path / "claw.db")
    Database.inline(NOW, path).close()
    (tmp_path / "file").write_text("")

    with pytest.raises(StoreError, match="cannot copy the database"):
        backup.make(path, str(tmp_path / "file" / "backup"), NOW, "1")
