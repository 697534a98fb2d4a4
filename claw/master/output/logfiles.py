"""Reading output files: their last lines, and what is added to them.

Plain blocking file access, run in threads by `claw.master.output.logs`. Files hold raw
bytes, written by supervisors; here they become text: UTF-8, with U+FFFD for what is none.
A file may be huge, end within a line, be cut to nothing or be replaced by another of its
name while it is read.
"""

import os
import stat
from dataclasses import dataclass

BLOCK_BYTES = 1 << 16
"""Read at once; also the longest line that is kept in one piece."""

IDLE_S = 0.3
"""The begun line of a file that has not grown for so long is passed on as it is."""

_OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def open_output(path: str) -> int | None:
    """Open an output file for reading; None when there is none, or it is no plain file."""
    try:
        fd = os.open(path, _OPEN_FLAGS)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        return None
    return fd


def tail_start(fd: int, end: int, lines: int, limit: int) -> int:
    """Return where the last lines of a file begin.

    Args:
        fd: The file.
        end: Where it is taken to end.
        lines: How many; a begun line at the end counts as one.
        limit: At most so many bytes; a longer tail begins within a line.
    """
    if lines <= 0:
        return end
    floor = max(0, end - limit)
    start, wanted = end, lines + 1
    while start > floor:
        begin = max(floor, start - BLOCK_BYTES)
        block = os.pread(fd, start - begin, begin)
        if start == end and not block.endswith(b"\n"):
            wanted = lines
        at = len(block)
        while (at := block.rfind(b"\n", 0, at)) >= 0:
            wanted -= 1
            if wanted == 0:
                return begin + at + 1
        start = begin
    return floor


def read_tail(path: str, lines: int, limit: int) -> str | None:
    """Return the last lines of a file as text; None when there is no such file."""
    fd = open_output(path)
    if fd is None:
        return None
    try:
        end = os.fstat(fd).st_size
        start = tail_start(fd, end, lines, limit)
        data = bytearray()
        while start + len(data) < end:
            block = os.pread(fd, end - start - len(data), start + len(data))
            if not block:
                break
            data += block
        return data.decode(errors="replace")
    finally:
        os.close(fd)


def whole_characters(data: bytes) -> int:
    """Return how many bytes of ``data`` do not end within a character of UTF-8."""
    for back in range(1, min(_LONGEST, len(data) + 1)):
        byte = data[-back]
        if byte < _CONTINUES:  # ASCII
            break
        if byte >= _TWO:  # the first byte of a character of two bytes or more
            length = 2 + (byte >= _THREE) + (byte >= _FOUR)
            return len(data) - back if length > back else len(data)
    return len(data)


_LONGEST = 4
_CONTINUES, _TWO, _THREE, _FOUR = 0x80, 0xC0, 0xE0, 0xF0
"""Least values of bytes that continue a character, or begin one of so many bytes (RFC 3629)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A position in one file, by which reading goes on in another subscription."""

    name: str
    inode: int
    offset: int

    def __str__(self) -> str:
        return f"{self.name}:{self.inode}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Return the place that a cursor names.

        Raises:
            ValueError: It is no cursor.
        """
        name, inode, offset = text.rsplit(":", 2)
        place = cls(name=name, inode=int(inode), offset=int(offset))
        if place.offset < 0:
            raise ValueError(text)
        return place


class GrowingFile:
    """One file that is read as it grows.

    ``offset`` only ever moves past what has been returned: a begun line stays in the file.
    A file that ``keeps_open`` is read to its end although another has taken its name; others
    are closed at their end, and opened again when they have grown.
    """

    __slots__ = ("_fd", "_grown_at", "_path", "_seen", "has_begun_line", "inode", "keeps_open",
                 "offset")  # fmt: skip

    def __init__(self, path: str, *, keeps_open: bool) -> None:
        self._path = path
        self._fd: int | None = None
        self._seen = -1
        self._grown_at = 0.0
        self.keeps_open = keeps_open
        self.has_begun_line = False
        self.inode = 0
        self.offset = 0

    def start_at_tail(self, lines: int, limit: int) -> None:
        """Begin with the last lines of what is there; at 0 when nothing is there yet."""
        if self._open():
            end = os.fstat(self._opened).st_size
            self.offset = tail_start(self._opened, end, lines, limit)

    def start_at(self, inode: int, offset: int) -> None:
        """Begin at a place; at the file's beginning when it is another file by now."""
        if self._open():
            self.offset = offset if self.inode == inode else 0

    def skip_to(self, inode: int, offset: int) -> None:
        """Begin at a place without opening the file before it changes."""
        self.inode, self.offset = inode, offset

    def read(self, now_s: float, *, is_over: bool = False) -> bytes:
        """Return what has been added, up to a block; b'' when there is nothing to pass on.

        Args:
            now_s: Monotonic time.
            is_over: Nothing will be added: a begun line at the end is passed on, too.
        """
        if self._fd is None and not self._open():
            return b""
        is_replaced = self._is_replaced()
        data = self._read_block(now_s, is_over=is_over or is_replaced)
        if not data and is_replaced:
            self.close()
            if self._open():
                data = self._read_block(now_s, is_over=is_over)
        if not data and not (self.keeps_open and self._is_in_its_folder()):
            self.close()
        return data

    def close(self) -> None:
        """Close the file; reading would open it again."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    @property
    def _opened(self) -> int:
        assert self._fd is not None  # noqa: S101
        return self._fd

    def _open(self) -> bool:
        self._fd = open_output(self._path)
        if self._fd is None:
            return False
        inode = os.fstat(self._fd).st_ino
        if inode != self.inode:
            self.inode, self.offset = inode, 0
        self._seen, self.has_begun_line = -1, False
        return True

    def _is_replaced(self) -> bool:
        """Tell whether another file has the name now; looked at before the last read."""
        try:
            return os.stat(self._path, follow_symlinks=False).st_ino != self.inode  # noqa: PTH116
        except OSError:
            return False

    def _is_in_its_folder(self) -> bool:
        """Tell whether its folder is there; a removed one goes only when no file is open."""
        return os.path.isdir(os.path.dirname(self._path))  # noqa: PTH112, PTH120

    def _read_block(self, now_s: float, *, is_over: bool) -> bytes:
        size = os.fstat(self._opened).st_size
        if size < self.offset:  # cut to nothing, and perhaps written to since
            self.offset = 0
        if size != self._seen:
            self._seen, self._grown_at = size, now_s
        block = os.pread(self._opened, BLOCK_BYTES, self.offset)
        is_idle = is_over or now_s - self._grown_at >= IDLE_S
        count = _passable(block, is_idle=is_idle, is_over=is_over)
        self.offset += count
        self.has_begun_line = count < len(block) < BLOCK_BYTES and not is_idle
        return block[:count]


def _passable(block: bytes, *, is_idle: bool, is_over: bool) -> int:
    """Return how much of a block is passed on: whole lines, or what there is of one."""
    end = block.rfind(b"\n") + 1
    if end and not (is_idle and len(block) < BLOCK_BYTES):
        return end
    if len(block) == BLOCK_BYTES or is_idle:
        return len(block) if is_over else whole_characters(block) or end
    return end
