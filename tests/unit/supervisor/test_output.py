"""Output flows from pipe to file, and what finds no room is counted."""

import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from claw.kernel import files
from claw.supervisor.output import BUSY_PIPE_BYTES, PIPE_BYTES, Stream

Make = Callable[[str], Stream]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Stream] = []

    def make_stream(path: str) -> Stream:
        made.append(Stream(*files.make_pipe(PIPE_BYTES), path, 0o640))
        made[-1].open()
        return made[-1]

    yield make_stream
    for stream in made:
        stream.close()
        os.close(stream.reading)
        os.close(stream.writing)


def test_output_goes_to_the_end_of_a_file_in_a_folder_made_for_it(
    make: Make, tmp_path: Path
) -> None:
    path = tmp_path / "new/folder/out"
    for word in (b"first\n", b"second\n"):
        stream = make(str(path))
        os.write(stream.writing, word)
        assert stream.pump()

    assert path.read_bytes() == b"first\nsecond\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.parent.stat().st_mode & 0o777 == 0o750


def test_output_without_a_file_is_counted_until_there_is_one(
    make: Make, tmp_path: Path
) -> None:
    (tmp_path / "obstacle").touch()
    stream = make(str(tmp_path / "obstacle/out"))
    os.write(stream.writing, b"lost")
    stream.drain()
    stream.reopen()
    os.write(stream.writing, b"too")
    stream.drain()

    (tmp_path / "obstacle").unlink()
    stream.reopen()
    os.write(stream.writing, b"kept")
    stream.drain()

    assert (tmp_path / "obstacle/out").read_bytes() == b"kept"
    assert stream.take_dropped() == len(b"losttoo")
    assert stream.take_dropped() == 0


def test_what_a_device_cannot_be_spliced_is_copied_or_counted(make: Make) -> None:
    full, null = make("/dev/full"), make("/dev/null")
    for stream in (full, null):
        os.write(stream.writing, b"word")
        stream.drain()

    assert (full.take_dropped(), null.take_dropped()) == (4, 0)


def test_a_pipe_gets_more_room_once_it_is_found_full(make: Make, tmp_path: Path) -> None:
    stream = make(str(tmp_path / "out"))
    os.write(stream.writing, b"little")
    stream.pump()
    before = fcntl.fcntl(stream.reading, fcntl.F_GETPIPE_SZ)

    os.write(stream.writing, b"x" * PIPE_BYTES)
    stream.pump()

    assert before == PIPE_BYTES
    assert fcntl.fcntl(stream.reading, fcntl.F_GETPIPE_SZ) == BUSY_PIPE_BYTES
    assert (tmp_path / "out").read_bytes() == b"little" + b"x" * PIPE_BYTES
