"""The daemon's own log: bounded, opened anew when it is moved away, in the form asked for."""

import json
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


def test_a_log_of_json_has_an_object_on_each_line(log: Path) -> None:
    daemonlog.adjust("info", "json")
    error = ValueError("two\nlines")
    logging.getLogger("claw.x").error("it is \x1b[31m%s", "so\nand so", exc_info=error)
    daemonlog.adjust("warning", "json")
    logging.getLogger("claw.x").info("nobody hears this")
    daemonlog.adjust("info", "text")
    logging.getLogger("claw.x").info("plain")

    first, second = log.read_text().splitlines()
    said = json.loads(first)
    assert (said["level"], said["logger"]) == ("error", "claw.x")
    assert said["text"] == "it is \x1b[31mso\nand so"
    assert said["trace"].endswith("ValueError: two\nlines")
    assert second.endswith("info    claw.x: plain")


@pytest.mark.parametrize("form", ["text", "json"])
def test_each_line_for_the_journal_has_its_priority(
    form: str, tmp_path: Path, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "journal").open("w+") as journal:
        monkeypatch.setattr("sys.stderr", journal)
        monkeypatch.setattr(daemonlog, "_is_stderr", lambda _journal: True)
        daemonlog.begin(str(log), level="info", on_terminal=True, form=form)
        logging.getLogger("claw.x").warning("first\nand on")
        journal.seek(0)
        lines = journal.read().splitlines()

    if form == "text":
        assert lines == ["<4>claw.x: first", "<4>and on"]
    else:
        [line] = lines
        assert line.startswith("<4>{")
        assert json.loads(line[3:])["text"] == "first\nand on"
