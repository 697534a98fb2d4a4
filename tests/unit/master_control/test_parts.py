"""I12: output is read once, whole and in order, while it is rotated and compressed."""

import gzip
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from claw.kernel import files, ticks
from claw.master.output import compress, logfiles, parts
from claw.master.output.logfiles import GrowingFile, Place, read_tail
from claw.master.output.timeline import Window
from claw.supervisor.loop import Loop
from claw.supervisor.outfile import OutputFile
from claw.supervisor.output import Stream
from claw.wire.supervision import Launch

LATER = 1e9


class Writer:
    """A supervisor's end of an output."""

    def __init__(self, path: Path, *, size: int = 0, keep: int = 1000, run: str = "r1") -> None:
        values: dict[str, object] = dict.fromkeys(Launch.__slots__)
        values |= {"run": run, "attempt": 1, "log_mode": 0o640, "log_age_s": 0.0}
        launch = Launch(**{**values, "log_size": size, "log_keep": keep, "log_on_full": "drop"})
        self.path = path
        self.stream = Stream(
            files.make_pipe(1 << 16), OutputFile(str(path), launch, lambda _path: None), Loop()
        )
        self.stream.open()

    def write(self, data: bytes) -> None:
        os.write(self.stream.writing, data)
        self.stream.drain(is_patient=False)

    def close(self) -> None:
        self.stream.file.close()
        os.close(self.stream.reading)
        os.close(self.stream.writing)

    def rotated(self) -> list[str]:
        return [
            f"{self.path}.{number}"
            for number in parts.numbers_of(str(self.path))
            if Path(f"{self.path}.{number}").exists()
        ]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Any]:
    made: list[Writer] = []

    def make_writer(**values: Any) -> Writer:
        made.append(Writer(tmp_path / "out.log", **values))
        return made[-1]

    yield make_writer
    for one in made:
        one.close()


def rest_of(file: GrowingFile, *, is_over: bool = True) -> bytes:
    found = b""
    while data := file.read(LATER, is_over=is_over):
        found += data
    return found


def cut(data: bytes, rng: random.Random) -> tuple[bytes, bytes]:
    at = rng.randrange(len(data))
    return data[:at], data[at:]


@pytest.mark.parametrize("seed", range(4))
def test_i12_a_reader_gets_every_line_whatever_happens_to_the_files(
    make: Any, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Rotation, compression, slow reading, and readers that go on from a cursor."""
    monkeypatch.setattr(logfiles, "BLOCK_BYTES", 700)
    rng = random.Random(seed)
    writer = make(size=2000)
    path = str(writer.path)
    file, found, written, number = GrowingFile(path, keeps_open=True), [], b"", 0

    for _ in range(2000):
        match rng.randrange(10):
            case 0 | 1 | 2 | 3:
                lines = b"".join(b"%d\n" % (number + n) for n in range(rng.randrange(1, 60)))
                number += lines.count(b"\n")
                written += lines
                for piece in cut(lines, rng):
                    writer.write(piece)
            case 4 | 5 | 6:
                found += [file.read(0.0) for _ in range(rng.randrange(1, 8))]
            case 7 if writer.rotated():
                compress.compress(rng.choice(writer.rotated()))
            case 8:
                place = Place(
                    name="x", inode=file.inode, offset=file.offset, number=file.number
                )
                file.close()
                file = GrowingFile(path, keeps_open=True)
                if place.number:
                    file.start_at(Place.parse(str(place)))
            case _:
                file.close()
    found.append(rest_of(file))
    file.close()

    assert b"".join(found) == written
    assert all(not data or data.endswith(b"\n") for data in found)
    assert len(parts.numbers_of(path)) > 20
    assert file.missed == 0


def test_i12_files_that_are_gone_before_they_were_read_are_counted(make: Any) -> None:
    writer = make(size=10, keep=2)
    writer.write(b"0 begun..\n")
    file = GrowingFile(str(writer.path), keeps_open=True)
    assert file.read(0.0) == b"0 begun..\n"

    for number in range(1, 9):
        writer.write(b"%d a line.\n" % number)

    assert rest_of(file) == b"6 a line.\n7 a line.\n8 a line.\n"
    assert file.missed == 5
    file.close()


@pytest.mark.parametrize("lines", [0, 1, 2, 5, 9, 10, 11, 35, 100])
@pytest.mark.parametrize("packed", [False, True])
def test_the_last_lines_are_found_over_all_files(
    make: Any, *, lines: int, packed: bool
) -> None:
    writer = make(size=50)
    for number in range(40):
        writer.write(b"line number %d\n" % number)
    if packed:
        for path in writer.rotated():
            compress.compress(path)
    expected = "".join(f"line number {number}\n" for number in range(40)[-lines:]) * bool(lines)

    assert read_tail(str(writer.path), lines, 1 << 20) == expected
    assert read_tail(str(writer.path), 100, 40) is not None


def test_a_tail_is_found_in_a_long_compressed_file(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logfiles, "BLOCK_BYTES", 64)
    writer = make(size=4000)
    for number in range(1000):
        writer.write(b"line %d\n" % number)
    for path in writer.rotated():
        compress.compress(path)
    whole = "".join(f"line {number}\n" for number in range(1000))

    for lines in (1, 100, 399, 400, 500, 999, 1000, 2000):
        found = read_tail(str(writer.path), lines, 1 << 20)
        assert found == "".join(whole.splitlines(keepends=True)[-lines:])


def test_an_output_that_was_all_rotated_away_is_still_read(make: Any, tmp_path: Path) -> None:
    writer = make(size=10)
    writer.write(b"1 a line..\n2 a line..\n3\n")
    (tmp_path / "out.log").unlink()

    assert read_tail(str(writer.path), 5, 1000) == "1 a line..\n2 a line..\n"


# -- compression -----------------------------------------------------------------------


def test_a_compressed_file_has_the_same_bytes_time_and_mode(tmp_path: Path) -> None:
    path = tmp_path / "out.log.7"
    path.write_bytes(b"some\nlines\n" * 1000)
    path.chmod(0o604)
    os.utime(path, (1000.5, 2000.5))

    assert compress.rotated_in(str(tmp_path)) == [str(path)]
    compress.compress(str(path))

    packed = tmp_path / "out.log.7.gz"
    assert [one.name for one in tmp_path.iterdir()] == ["out.log.7.gz"]
    assert gzip.decompress(packed.read_bytes()) == b"some\nlines\n" * 1000
    assert packed.stat().st_mode & 0o777 == 0o604
    assert packed.stat().st_mtime == 2000.5
    assert compress.rotated_in(str(tmp_path)) == []


def test_compression_that_was_cut_short_is_taken_up(tmp_path: Path) -> None:
    for number in (7, 8):
        (tmp_path / f"out.log.{number}").write_bytes(b"whole\n")
    (tmp_path / "out.log.7.gz.tmp").write_bytes(b"half")
    (tmp_path / "out.log.8.gz").write_bytes(gzip.compress(b"whole\n"))
    (tmp_path / "out.log").touch()

    compress.clear_begun(str(tmp_path))
    for path in compress.rotated_in(str(tmp_path)):
        compress.compress(path)

    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "out.log", "out.log.7.gz", "out.log.8.gz",
    ]  # fmt: skip
    assert gzip.decompress((tmp_path / "out.log.7.gz").read_bytes()) == b"whole\n"


def test_a_file_that_is_removed_while_it_is_compressed_does_not_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.log.7"
    path.write_bytes(b"too many\n")
    rename = os.rename

    def prune_first(old: str, new: str) -> None:
        path.unlink()
        rename(old, new)

    monkeypatch.setattr(os, "rename", prune_first)
    compress.compress(str(path))

    assert list(tmp_path.iterdir()) == []


# -- times and runs -----------------------------------------------------------------------


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1_000_000.0]
    monkeypatch.setattr(ticks, "wall", lambda: now[0])
    monkeypatch.setattr(ticks, "monotonic", lambda: now[0])
    return now


def between(path: Path, since: float | None, until: float | None) -> list[bytes]:
    window = Window(since=since, until=until)
    file = GrowingFile(str(path), keeps_open=True, window=window)
    try:
        return rest_of(file).splitlines()
    finally:
        file.close()


@pytest.mark.parametrize("packed", [False, True])
def test_lines_of_some_time_are_found_over_all_files(
    make: Any, clock: list[float], *, packed: bool
) -> None:
    writer = make(size=100)
    for number in range(100):
        writer.write(b"line %d\n" % number)
        os.utime(writer.path, (clock[0], clock[0]))
        clock[0] += 10
    if packed:
        for path in writer.rotated():
            compress.compress(path)
    lines = [b"line %d" % number for number in range(100)]

    assert between(writer.path, 1_000_000 + 300, None) == lines[30:]
    assert between(writer.path, 1_000_000 + 295, None) == lines[30:]
    assert between(writer.path, None, 1_000_000 + 295) == lines[:30]
    assert between(writer.path, 1_000_000 + 300, 1_000_000 + 609) == lines[30:61]
    assert between(writer.path, 2_000_000, None) == []
    assert between(writer.path, None, 1_000) == []
    assert between(writer.path, 0, 2_000_000) == lines


def test_a_line_belongs_to_the_time_at_which_it_was_begun(
    make: Any, clock: list[float]
) -> None:
    writer = make()
    writer.write(b"one\nbegun ")
    clock[0] += 10
    writer.write(b"ended\nthree\n")

    assert between(writer.path, 1_000_005, None) == [b"three"]
    assert between(writer.path, None, 1_000_005) == [b"one", b"begun ended"]


def test_pieces_have_the_times_at_which_they_were_written(
    make: Any, clock: list[float]
) -> None:
    writer = make(size=60)
    for number in range(12):
        writer.write(b"first of %d\nsecond of %d\nbeg" % (number, number))
        clock[0] += 5
    file = GrowingFile(str(writer.path), keeps_open=True, wants_times=True)
    found = []
    while data := file.read(LATER, is_over=True):
        found.append((file.at, data.decode().splitlines()))
    file.close()

    times = {line: at for at, lines in found for line in lines}
    assert times["first of 0"] == 1_000_000
    assert times["second of 7"] == 1_000_000 + 35
    assert times["begfirst of 7"] == 1_000_000 + 30


@pytest.mark.parametrize("size", [0, 30])
def test_a_run_of_a_service_is_a_slice_of_its_file(
    tmp_path: Path, clock: list[float], size: int
) -> None:
    path = tmp_path / "out.log"
    for run in ("r1", "r2", "r3"):
        writer = Writer(path, run=run, size=size)
        for attempt in (1, 2):
            writer.stream.file.begin(attempt, at_once=True)
            for number in range(5):
                writer.write(b"%s %d %d\n" % (run.encode(), attempt, number))
            writer.write(b"no newline")
            writer.stream.file.end(77, 0)
            clock[0] += 1
        writer.close()

    for run in ("r1", "r2", "r3"):
        window = Window(runs=frozenset({run}))
        file = GrowingFile(str(path), keeps_open=True, window=window)
        found = rest_of(file).decode()
        file.close()
        attempts = (
            "".join(f"{run} {attempt} {number}\n" for number in range(5)) + "no newline"
            for attempt in (1, 2)
        )
        assert found == "".join(attempts)
        assert read_tail(str(path), 2, 1000, window) == f"{run} 2 4\nno newline"


def test_an_index_that_is_torn_or_missing_hides_nothing(make: Any) -> None:
    writer = make()
    writer.write(b"one\n")
    index = writer.path.with_name("out.log.idx")
    with index.open("ab") as file:
        file.write(b"100\nx y z\n1000.0 99 st\n\xff\n 1 2 start")
    writer.write(b"two\n")

    assert between(writer.path, 0, None) == [b"one", b"two"]
    index.unlink()
    assert between(writer.path, 0, 1) == [b"one", b"two"]


@pytest.mark.parametrize("damage", ["short", "twisted"])
def test_a_damaged_compressed_file_is_passed_over(tmp_path: Path, damage: str) -> None:
    whole = gzip.compress(os.urandom(5000))
    packed = tmp_path / "out.log.7.gz"
    packed.write_bytes(b"\x1f" if damage == "short" else whole[:10] + b"\xff" * 50 + whole[60:])
    (tmp_path / "out.log").write_text("present\n")

    file = GrowingFile(str(tmp_path / "out.log"), keeps_open=True)
    found = b""
    while block := file.read(LATER):
        found += block
    file.close()

    assert found.endswith(b"present\n")
