"""The daemon's own log is bounded, and follows its file when that is moved away."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from claw.master import daemonlog


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    daemonlog.begin(str(tmp_path / "clawd.log"), level="info", on_terminal=False)
    yield tmp_path / "clawd.log"
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = before
    root.setLevel(level)


def test_a_large_log_makes_way_for_another(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemonlog, "MAX_BYTES", 1000)
    for number in range(100):
        logging.getLogger("claw").info("message %d", number)

    old = log.with_name("clawd.log.1").read_text().splitlines()
    new = log.read_text().splitlines()
    numbers = [int(line.split()[-1]) for line in (*old, *new)]
    assert numbers == list(range(numbers[0], 100))
    assert max(log.stat().st_size, log.with_name("clawd.log.1").stat().st_size) < 1100


def test_a_log_that_is_moved_away_is_opened_anew(log: Path) -> None:
    logging.getLogger("claw").info("first")
    log.rename(log.with_name("away"))
    daemonlog.reopen()
    logging.getLogger("claw").info("second")

    assert log.with_name("away").read_text().endswith("first\n")
    assert log.read_text().endswith("second\n")
