"""The journal is appended to line by line, and survives being torn anywhere."""

import json
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.supervisor.spool import Spool
from claw.wire.supervision import Message

LINES: list[Message] = [
    {"ev": "launch", "run": "r1"},
    {"ev": "started", "pid": 7},
    {"ev": "ended", "x": "ü"},
]


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(str(tmp_path))
    made.open()
    yield made
    os.close(made.journal_fd)


def journal_of(spool: Spool) -> Path:
    return Path(spool.journal_path)


def test_what_is_appended_is_read_again(spool: Spool) -> None:
    for line in LINES:
        spool.append(line, durable=line["ev"] == "ended")

    assert list(spool.read()) == LINES
    assert spool.size == journal_of(spool).stat().st_size
    assert [json.loads(line) for line in journal_of(spool).read_bytes().splitlines()] == LINES


@given(st.data())
def test_a_journal_that_was_torn_anywhere_loses_the_torn_line_alone(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    spool = Spool(str(tmp_path_factory.mktemp("spool")))
    spool.open()
    for line in LINES:
        spool.append(line, durable=False)
    size = data.draw(st.integers(0, spool.size))
    whole = journal_of(spool).read_bytes()[:size].count(b"\n")

    os.truncate(spool.journal_path, size)
    os.close(spool.journal_fd)
    spool = Spool(spool.folder)
    spool.open()
    spool.append({"ev": "taken_over"}, durable=True)

    found = list(spool.read())
    os.close(spool.journal_fd)
    assert found[-1] == {"ev": "taken_over"}
    assert found[:whole] == LINES[:whole]
    assert len(found) - 1 - whole in {0, 1}  # a line that lacks its end alone is a line still
    assert journal_of(spool).read_bytes().endswith(b"\n")


def test_lines_that_are_no_objects_are_passed_over(spool: Spool) -> None:
    journal_of(spool).write_bytes(b'[1]\n"text"\n\xff\xfe\n{"ev":"a"}{"ev":"b"}\n\n{"ev":1}\n')

    assert list(spool.read()) == [{"ev": 1}]


def test_a_line_longer_than_a_chunk_is_read_whole(spool: Spool) -> None:
    long = {"ev": "launch", "text": "x" * 200_000}
    spool.append(long, durable=False)
    spool.append(LINES[0], durable=False)

    assert list(spool.read()) == [long, LINES[0]]


def test_what_is_owed_comes_first_and_once(spool: Spool) -> None:
    spool.owe(LINES[0])
    spool.owe(LINES[1])
    assert list(spool.read()) == []

    spool.append(LINES[2], durable=False)
    spool.mend()

    assert list(spool.read()) == LINES


def test_another_writers_growth_is_noticed(spool: Spool) -> None:
    spool.append(LINES[0], durable=False)
    os.write(spool.lend(), b'{"ev":"started"}\n')

    spool.note_growth()

    assert spool.size == journal_of(spool).stat().st_size


def test_lines_that_a_file_has_no_room_for_are_owed_and_not_lost(spool: Spool) -> None:
    spool.append(LINES[0], durable=False)
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (spool.size + 5, old[1]))
    try:
        spool.owe(LINES[1])
        with pytest.raises(OSError, match="too large"):
            spool.mend()
        with pytest.raises(OSError, match="too large"):
            spool.append(LINES[2], durable=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, handler)

    spool.append(LINES[2], durable=False)

    assert list(spool.read()) == LINES
