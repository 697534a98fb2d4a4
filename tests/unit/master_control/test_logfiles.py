"""Reading output files: tails, growth, replacement; whole lines and whole characters."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.master.output import logfiles
from claw.master.output.logfiles import GrowingFile, Place, read_tail, whole_characters

LIMIT = 1 << 20
LATER = 1e6
"""A time at which whatever was begun has been idle for long."""


def expected_tail(text: str, lines: int) -> str:
    return "".join(text.splitlines(keepends=True)[-lines:] if lines else [])


@given(
    text=st.text(st.sampled_from("ab\n"), max_size=300),
    lines=st.integers(min_value=0, max_value=20),
    block=st.integers(min_value=1, max_value=40),
)
def test_the_tail_is_what_the_last_lines_are(
    tmp_path_factory: pytest.TempPathFactory, text: str, lines: int, block: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "tail"
    path.write_text(text)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logfiles, "BLOCK_BYTES", block)
        found = read_tail(str(path), lines, LIMIT)

    assert found == expected_tail(text, lines)


def test_only_the_end_of_a_huge_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "out.log"
    with path.open("wb") as file:
        file.seek(1 << 40)
        file.write(b"\nthe end\n")

    assert read_tail(str(path), 1, LIMIT) == "the end\n"


def test_a_tail_is_bounded_in_bytes(tmp_path: Path) -> None:
    path = tmp_path / "out.log"
    path.write_bytes(b"x" * 1000)

    assert read_tail(str(path), 5, 100) == "x" * 100


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "link"])
def test_what_is_no_plain_file_is_not_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "out.log"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "link":
        path.symlink_to("/etc/passwd")

    assert read_tail(str(path), 5, 100) is None
    assert GrowingFile(str(path), keeps_open=True).read(0.0) == b""


@given(text=st.text(max_size=20), cut=st.integers(min_value=0, max_value=4))
def test_characters_are_not_cut(text: str, cut: int) -> None:
    data = text.encode()
    data = data[: len(data) - cut]

    count = whole_characters(data)

    assert len(data) - count <= 3
    assert data[:count].decode() == text[: len(data[:count].decode())]


@given(data=st.binary(max_size=20))
def test_bytes_that_are_no_characters_are_not_held_back_for_good(data: bytes) -> None:
    assert len(data) - whole_characters(data) <= 3


@given(
    pieces=st.lists(st.binary(max_size=30) | st.sampled_from([b"\n", b"a\n", "ä".encode()])),
    block=st.integers(min_value=4, max_value=40),
)
def test_every_byte_is_read_once_whatever_the_pieces(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], block: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "grows"
    path.write_bytes(b"")
    file, found = GrowingFile(str(path), keeps_open=False), b""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logfiles, "BLOCK_BYTES", block)
        for piece in pieces:
            with path.open("ab") as writer:
                writer.write(piece)
            while data := file.read(0.0):
                found += data
        while data := file.read(LATER, is_over=True):
            found += data

    assert found == b"".join(pieces)


def test_a_begun_line_waits_for_its_end_or_for_idleness(tmp_path: Path) -> None:
    path = tmp_path / "out.log"
    file = GrowingFile(str(path), keeps_open=True)

    path.write_bytes(b"one\ntw")
    assert (file.read(0.0), file.read(0.0), file.has_begun_line) == (b"one\n", b"", True)
    assert file.read(logfiles.IDLE_S) == b"tw"
    assert not file.has_begun_line
    file.close()


def test_a_line_longer_than_a_block_comes_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "out.log"
    data = "ä".encode() * logfiles.BLOCK_BYTES
    path.write_bytes(data)
    file, pieces = GrowingFile(str(path), keeps_open=False), []

    while piece := file.read(LATER, is_over=True):
        pieces.append(piece)

    assert b"".join(pieces) == data
    assert all(piece.decode() for piece in pieces)


def test_a_replaced_file_is_read_to_its_end_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "out.log"
    path.write_bytes(b"one\n")
    file = GrowingFile(str(path), keeps_open=True)
    assert file.read(0.0) == b"one\n"

    with path.open("ab") as writer:
        path.rename(tmp_path / "out.log.1")
        writer.write(b"two\nbegun")
    assert file.read(0.0) == b"two\n"
    path.write_bytes(b"three\n")

    assert [file.read(0.0) for _ in range(3)] == [b"begun", b"three\n", b""]
    file.close()


def test_a_file_that_is_cut_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "out.log"
    path.write_bytes(b"a long first line\n")
    file = GrowingFile(str(path), keeps_open=True)
    file.read(0.0)

    os.truncate(path, 0)
    path.write_bytes(b"new\n")

    assert file.read(0.0) == b"new\n"
    file.close()


def test_a_place_is_read_from_its_cursor() -> None:
    place = Place(name="web/out.log", inode=12, offset=345)

    assert Place.parse(str(place)) == place
    for text in ("", "x", "web/out.log:1", "web/out.log:a:1", "web/out.log:1:-1"):
        with pytest.raises(ValueError, match=r"not|invalid|:-1"):
            Place.parse(text)
