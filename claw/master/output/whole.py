"""The whole output of one run, a piece at a time. Blocking: files are read."""

import os
from dataclasses import dataclass

from claw.master.output import parts
from claw.master.output.follow import Output, list_outputs
from claw.master.output.logfiles import GrowingFile, Place, whole_characters
from claw.master.output.timeline import Window
from claw.model.home import Home

PIECE_BYTES = 512 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of some output.

    Attributes:
        data: Its bytes; no character is cut in two but where the output itself does that.
        path: The file.
        next: Where the following piece begins; None: this is the last one.
    """

    data: bytes
    path: str
    next: str | None


def from_files(home: Home, label: str, run: str, stream: str, cursor: str) -> Piece | None:
    """Return a piece of what a run has written; None when no file of it is there.

    Args:
        home: The home.
        label: Under which name its output lies.
        run: The run.
        stream: Which of its outputs.
        cursor: Where the piece begins; empty: at the beginning.

    Raises:
        ValueError: The cursor is none.
    """
    folder = home.job_log(label)
    own = Output(run, stream)
    is_own = own in list_outputs(folder)
    window = Window() if is_own else Window(runs=frozenset({run}))
    path = f"{folder}/{(own if is_own else Output(None, stream)).name}"
    file = GrowingFile(path, keeps_open=True, window=window)
    try:
        if cursor:
            file.start_at(Place.parse(cursor))
        file.limit_to_present()
        data, is_more = _read(file)
        if file.inode == file.number == 0:
            return None
        count = whole_characters(data) if is_more else len(data)
        following = file.place(label, file.offset - (len(data) - count))
        return Piece(data=data[:count], path=path, next=str(following) if is_more else None)
    finally:
        file.close()


def _read(file: GrowingFile) -> tuple[bytes, bool]:
    data = bytearray()
    while block := file.read(0.0, is_over=True):
        data += block
        if len(data) >= PIECE_BYTES:
            return bytes(data), True
    return bytes(data), False


def from_range(path: str, begin: int, end: int, cursor: str) -> Piece | None:
    """Return a piece of a stretch of a file; None when the file is gone.

    Args:
        path: The file.
        begin: Where the stretch begins.
        end: Where it ends.
        cursor: Where in the file the piece begins; empty: where the stretch does.

    Raises:
        ValueError: The cursor is none.
    """
    at = max(int(cursor), begin) if cursor else begin
    fd = parts.open_plain(path)
    if fd is None:
        return None
    try:
        data = os.pread(fd, max(min(PIECE_BYTES, end - at), 0), at)
    finally:
        os.close(fd)
    is_more = bool(data) and at + len(data) < end
    count = whole_characters(data) if is_more else len(data)
    return Piece(data=data[:count], path=path, next=str(at + count) if is_more else None)
