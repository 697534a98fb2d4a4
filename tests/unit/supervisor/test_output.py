"""Output flows from pipe to file; full files are replaced; what finds no room is counted."""

import fcntl
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from claw.kernel import files, ticks
from claw.supervisor.loop import Loop
from claw.supervisor.outfile import LONGEST_LINE_BYTES, OutputFile
from claw.supervisor.output import BUSY_PIPE_BYTES, PIPE_BYTES, Stream
from claw.wire.supervision import Launch

Make = Callable[..., Stream]


def launch_of(**changes: Any) -> Launch:
    values: dict[str, object] = dict.fromkeys(Launch.__slots__)
    return Launch(**{**values, "run": "r1", "attempt": 1, "log_mode": 0o640, **changes})


LINE = b"a line of thirty-two characters\n"


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[Stream] = []

    def make_stream(
        path: Path, *, size: int = 0, age_s: float = 0.0, keep: int = 1000, waits: bool = False
    ) -> Stream:
        launch = launch_of(
            log_size=size,
            log_age_s=age_s,
            log_keep=keep,
            log_on_full="block" if waits else "drop",
        )
        file = OutputFile(str(path), launch, lambda _path: None)
        stream = Stream(files.make_pipe(PIPE_BYTES), file, Loop())
        made.append(stream)
        stream.open()
        return stream

    yield make_stream
    for stream in made:
        stream.file.close()
        os.close(stream.reading)
        os.close(stream.writing)


def pour(stream: Stream, data: bytes) -> None:
    """Write, and have it moved before the pipe is full."""
    for at in range(0, len(data), PIPE_BYTES):
        os.write(stream.writing, data[at : at + PIPE_BYTES])
        stream.drain(is_patient=False)


def parts_of(path: Path) -> list[Path]:
    """Return the files of a history, oldest first."""
    rotated = [one for one in path.parent.glob(f"{path.name}.*") if one.suffix[1:].isdigit()]
    return [*sorted(rotated, key=lambda one: int(one.suffix[1:])), path]


def numbers_of(path: Path) -> list[int]:
    return [int(one.suffix[1:]) for one in parts_of(path)[:-1]]


def test_output_goes_to_the_end_of_a_file_in_a_folder_made_for_it(
    make: Make, tmp_path: Path
) -> None:
    path = tmp_path / "new/folder/out"
    for word in (b"first\n", b"second\n"):
        stream = make(path)
        os.write(stream.writing, word)
        assert stream.pump()

    assert path.read_bytes() == b"first\nsecond\n"
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.parent.stat().st_mode & 0o777 == 0o750


def test_output_without_a_file_is_counted_until_there_is_one(
    make: Make, tmp_path: Path
) -> None:
    (tmp_path / "obstacle").touch()
    stream = make(tmp_path / "obstacle/out")
    pour(stream, b"lost")
    stream.file.tend()
    pour(stream, b"too")

    (tmp_path / "obstacle").unlink()
    stream.file.tend()
    pour(stream, b"kept")

    assert (tmp_path / "obstacle/out").read_bytes() == b"kept"
    assert stream.take_dropped() == len(b"losttoo")
    assert stream.take_dropped() == 0


@pytest.mark.root
def test_what_a_device_cannot_be_spliced_is_copied_or_counted(
    make: Make, tmp_path: Path
) -> None:
    full, null = (tmp_path / name for name in ("full", "null"))
    for path, minor in ((full, 7), (null, 3)):
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, minor))
    streams = [make(full), make(null)]
    for stream in streams:
        pour(stream, b"word")

    assert [stream.take_dropped() for stream in streams] == [4, 0]


def test_a_pipe_gets_more_room_once_it_is_found_full(make: Make, tmp_path: Path) -> None:
    stream = make(tmp_path / "out")
    os.write(stream.writing, b"little")
    stream.pump()
    before = fcntl.fcntl(stream.reading, fcntl.F_GETPIPE_SZ)

    os.write(stream.writing, b"x" * PIPE_BYTES)
    stream.pump()

    assert before == PIPE_BYTES
    assert fcntl.fcntl(stream.reading, fcntl.F_GETPIPE_SZ) == BUSY_PIPE_BYTES
    assert (tmp_path / "out").read_bytes() == b"little" + b"x" * PIPE_BYTES


# -- rotation ------------------------------------------------------------------------


def test_i12_every_file_has_whole_lines_and_together_they_have_all(
    make: Make, tmp_path: Path
) -> None:
    path, rng = tmp_path / "out.log", random.Random(5)
    stream = make(path, size=10_000)
    data = b"".join(b"%d %s\n" % (n, b"x" * rng.randrange(300)) for n in range(5_000))
    at = 0
    while at < len(data):
        step = rng.randrange(1, 9_000)
        pour(stream, data[at : at + step])
        at += step

    found = [one.read_bytes() for one in parts_of(path)]

    assert b"".join(found) == data
    assert len(found) > 50
    assert all(one.endswith(b"\n") for one in found)
    assert all(10_000 <= len(one) < 10_400 for one in found[:-1])
    assert numbers_of(path) == list(range(1, len(found)))


def test_a_full_file_is_not_replaced_before_something_follows(
    make: Make, tmp_path: Path
) -> None:
    path = tmp_path / "out.log"
    stream = make(path, size=len(LINE) * 2)

    pour(stream, LINE * 2)
    assert numbers_of(path) == []
    pour(stream, b"more")

    assert [one.read_bytes() for one in parts_of(path)] == [LINE * 2, b"more"]


def test_a_line_without_an_end_is_cut_when_it_is_very_long(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "out.log"
    stream = make(path, size=4096)
    data = b"x" * (LONGEST_LINE_BYTES * 3)

    pour(stream, data)

    found = [one.read_bytes() for one in parts_of(path)]
    assert b"".join(found) == data
    assert len(found) == 3
    assert max(map(len, found)) <= 4096 + LONGEST_LINE_BYTES + PIPE_BYTES


def test_so_many_files_are_kept_and_numbers_go_on_growing(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "out.log"
    pour(make(path, size=len(LINE), keep=3), LINE * 10)
    (tmp_path / "out.log.7.gz").touch()
    (tmp_path / "out.log.7.gz.tmp").touch()
    (tmp_path / "out.log.7x").touch()
    pour(make(path, size=len(LINE), keep=2), LINE * 2)

    assert numbers_of(path) == [10, 11]
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "out.log", "out.log.10", "out.log.10.idx", "out.log.11", "out.log.11.idx",
        "out.log.7x", "out.log.idx",
    ]  # fmt: skip


def test_numbers_go_on_when_all_rotated_files_were_removed(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "out.log"
    pour(make(path, size=len(LINE)), LINE * 5)
    for one in parts_of(path)[:-1]:
        one.unlink()

    pour(make(path, size=len(LINE)), LINE)

    assert numbers_of(path) == [5]


@pytest.mark.parametrize("step", range(6))
def test_a_rotation_that_was_cut_short_is_finished(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Whatever the supervisor was about to do when it was killed."""
    path = tmp_path / "out.log"
    stream = make(path, size=len(LINE) * 2)
    pour(stream, LINE * 3)
    count = 0

    class KilledError(BaseException):
        pass

    def deadly(act: Callable[..., Any]) -> Callable[..., Any]:
        def wrapper(*args: Any) -> Any:
            nonlocal count
            count += 1
            if count > step:
                raise KilledError
            return act(*args)

        return wrapper

    with monkeypatch.context() as patch:
        for name in ("move", "open_append", "open_output", "remove"):
            patch.setattr(files, name, deadly(getattr(files, name)))
        stream.file.due = ticks.monotonic() + 1e9
        os.write(stream.writing, LINE * 2)
        try:
            stream.pump()
        except KilledError:
            assert step < 4
    again = make(path, size=len(LINE) * 2)
    again.reading, stream.reading = stream.reading, again.reading
    again.writing, stream.writing = stream.writing, again.writing
    pour(again, LINE * 2)

    found = parts_of(path)
    assert b"".join(one.read_bytes() for one in found) == LINE * 7
    assert numbers_of(path) == [1, 2, 3]
    for one in found[:-1]:
        words = (tmp_path / f"{one.name}.idx").read_text().split("\n")[0].split()
        assert words[2:4] == ["begin", one.suffix[1:]]
    assert (tmp_path / "out.log.idx").read_text().split()[3] == "4"


def test_a_file_is_replaced_by_its_age_at_the_end_of_a_line(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, now = tmp_path / "out.log", 1_000_000.0
    monkeypatch.setattr(ticks, "wall", lambda: now)
    stream = make(path, age_s=60)
    pour(stream, LINE + b"begun ")
    now += 61
    stream.file.tend()
    assert numbers_of(path) == []

    pour(stream, b"ended\nnext\n")
    assert [one.read_bytes() for one in parts_of(path)] == [LINE + b"begun ended\n", b"next\n"]
    now += 61
    stream = make(path, age_s=60)
    stream.file.tend()

    assert numbers_of(path) == [1, 2]
    stream.file.tend()
    assert path.read_bytes() == b""


def test_a_file_that_cannot_be_replaced_goes_on(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.log"
    stream = make(path, size=len(LINE))

    def refuse(_old: str, _new: str) -> None:
        raise PermissionError(1, "no")

    with monkeypatch.context() as patch:
        patch.setattr(files, "move", refuse)
        pour(stream, LINE * 5)
    assert path.read_bytes() == LINE * 5
    pour(stream, LINE * 2)

    assert b"".join(one.read_bytes() for one in parts_of(path)) == LINE * 7
    assert stream.dropped == 0


def test_a_file_that_is_moved_or_cut_by_others_is_begun_anew(
    make: Make, tmp_path: Path
) -> None:
    path = tmp_path / "out.log"
    stream = make(path)
    pour(stream, LINE)
    path.rename(tmp_path / "away")
    stream.file.tend()
    pour(stream, b"new\n")
    os.truncate(path, 0)
    stream.file.tend()
    pour(stream, b"cut\n")

    assert ((tmp_path / "away").read_bytes(), path.read_bytes()) == (LINE, b"cut\n")


# -- the index -----------------------------------------------------------------------


def index_of(path: Path) -> list[list[str]]:
    text = path.with_name(f"{path.name}.idx").read_text()
    return [line.split() for line in text.splitlines()]


def test_the_index_has_times_and_marks_beside_the_bytes(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, now = tmp_path / "out.log", 1_000_000.0
    monkeypatch.setattr(ticks, "wall", lambda: now)
    monkeypatch.setattr(ticks, "monotonic", lambda: now)
    stream = make(path)
    stream.file.begin(1, at_once=True)
    for _ in range(10):
        pour(stream, LINE)
        now += 0.3
    stream.file.end(77, 3)

    assert index_of(path) == [
        ["1000000.000", "0", "begin", "1", "r1", "1"],
        ["1000000.000", "0", "start", "r1", "1"],
        ["1000001.200", "128"],
        ["1000002.400", "256"],
        ["1000003.000", "320", "exit", "r1", "1", "77", "3"],
    ]  # fmt: skip
    assert path.read_bytes() == LINE * 10


def test_a_run_that_writes_nothing_gets_no_file_and_no_index(
    make: Make, tmp_path: Path
) -> None:
    stream = make(tmp_path / "r1.out")
    stream.file.base = stream.file.size
    stream.file.begin(1, at_once=False)
    stream.file.tend()
    stream.drain(is_patient=True)
    stream.file.end(77, 0)
    assert [*tmp_path.iterdir()] == []
    assert stream.file.extent == [0, 0]

    stream.file.base = stream.file.size
    stream.file.begin(2, at_once=False)
    pour(stream, LINE)
    stream.file.end(78, 0)
    assert [words[2:] for words in index_of(tmp_path / "r1.out")] == [
        ["begin", "1", "r1", "2"],
        ["start", "r1", "2"],
        ["exit", "r1", "2", "78", "0"],
    ]


def test_a_service_has_its_file_before_it_writes_anything(tmp_path: Path) -> None:
    service = launch_of(restart=object(), log_size=0)
    file = OutputFile(str(tmp_path / "out.log"), service, lambda _path: None)
    file.resume()
    file.close()
    assert [one.name for one in tmp_path.iterdir()] == ["out.log"]


# -- waiting for room ------------------------------------------------------------------


def test_output_that_waits_for_room_stays_in_its_pipe(make: Make, tmp_path: Path) -> None:
    (tmp_path / "obstacle").touch()
    stream = make(tmp_path / "obstacle/out", waits=True)
    os.write(stream.writing, LINE)
    stream.pump()
    assert stream.retry_b is not None
    with pytest.raises(OSError, match="No space"):
        stream.drain(is_patient=True)

    (tmp_path / "obstacle").unlink()
    stream.file.tend()
    stream.retry(stream.retry_b)
    stream.drain(is_patient=True)

    assert (tmp_path / "obstacle/out").read_bytes() == LINE
    assert stream.dropped == 0
    assert stream.retry_b is None


def test_output_that_waits_is_dropped_when_the_job_is_stopped(
    make: Make, tmp_path: Path
) -> None:
    (tmp_path / "obstacle").touch()
    stream = make(tmp_path / "obstacle/out", waits=True)
    os.write(stream.writing, LINE)

    stream.drain(is_patient=False)

    assert stream.dropped == len(LINE)


def test_the_extent_of_an_attempts_output_is_known_over_rotation(
    make: Make, tmp_path: Path
) -> None:
    path = tmp_path / "o"
    path.write_bytes(b"of before\n")
    stream = make(path, size=100)
    assert [stream.file.extent] == [None]
    stream.file.base = stream.file.size
    pour(stream, LINE)
    assert stream.file.extent == [10, 10 + len(LINE)]
    pour(stream, LINE * 3)
    pour(stream, LINE)
    begin, end = stream.file.extent or []
    assert end == path.stat().st_size
    assert end - begin == 5 * len(LINE)
    assert begin < 0


def test_the_extent_has_nothing_of_before_if_there_was_no_file_at_first(
    make: Make, tmp_path: Path
) -> None:
    path = tmp_path / "folder" / "o"
    path.parent.touch()
    stream = make(path)
    stream.file.begin(1, at_once=False)
    stream.file.base = stream.file.size
    pour(stream, b"lost")
    assert stream.file.extent == [0, 0]

    path.parent.unlink()
    path.parent.mkdir()
    path.write_bytes(b"of before\n")
    stream.file.due = 0.0
    pour(stream, LINE)

    assert stream.file.extent == [10, 10 + len(LINE)]
    assert Path(f"{path}.idx").read_text().splitlines()[-1].endswith(" 10 start r1 1")
