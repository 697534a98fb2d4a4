"""Reading output: its last lines, and what is added to it.

Plain blocking file access, run in threads by `claw.master.output.logs`. Files hold raw
bytes, written by supervisors; here they become text: UTF-8, with U+FFFD for what is none.
A file may be huge, end within a line, be cut to nothing or be replaced by another of its
name while it is read; what is rotated away goes on being read, in order.
"""

import os
from dataclasses import dataclass

from claw.master.output import parts
from claw.master.output.parts import Part
from claw.master.output.timeline import Timeline, Window

BLOCK_BYTES = 1 << 16
"""Read at once; also the longest line that is kept in one piece."""

IDLE_S = 0.3
"""The begun line of a file that has not grown for so long is passed on as it is."""

_ALL = Window()
_NEWEST = 1 << 60


def tail_start(part: Part, begin: int, end: int, lines: int) -> tuple[int, int]:
    """Return where the last lines of a range of a file begin.

    Args:
        part: The file.
        begin: Where the range begins.
        end: Where it ends.
        lines: How many; a begun line at the end counts as one.

    Returns:
        Where they begin, and how many more there would have to be.
    """
    if lines <= 0:
        return end, 0
    if part.is_compressed:
        return _tail_start_forwards(part, begin, end, lines)
    start, wanted = end, lines + 1
    while start > begin:
        at_least = max(begin, start - BLOCK_BYTES)
        block = part.read(at_least, start - at_least)
        if start == end and not block.endswith(b"\n"):
            wanted = lines
        at = len(block)
        while (at := block.rfind(b"\n", 0, at)) >= 0:
            wanted -= 1
            if wanted == 0:
                return at_least + at + 1, 0
        start = at_least
    return begin, wanted - 1 if begin < end else lines


def _tail_start_forwards(part: Part, begin: int, end: int, lines: int) -> tuple[int, int]:
    """Do as `tail_start` in a file that cannot be read backwards."""
    counts: list[tuple[int, int]] = []  # where a block begins, newlines before its end
    at, total, last = begin, 0, b"\n"
    while at < end:
        block = part.read(at, min(BLOCK_BYTES, end - at))
        if not block:
            break
        total += block.count(b"\n")
        counts.append((at, total))
        last = block[-1:]
        at += len(block)
    skipped = total + (last != b"\n") - lines
    if skipped <= 0:
        return begin, -skipped
    return _after_newline(part, counts, skipped), 0


def _after_newline(part: Part, counts: list[tuple[int, int]], wanted: int) -> int:
    """Return where the line begins that so many newlines precede."""
    before = 0
    for at, total in counts:
        if total >= wanted:
            block, found = part.read(at, BLOCK_BYTES), -1
            for _ in range(wanted - before):
                found = block.find(b"\n", found + 1)
            return at + found + 1
        before = total
    return counts[-1][0]


def read_tail(path: str, lines: int, limit: int, window: Window = _ALL) -> str | None:
    """Return the last lines of an output as text; None when there is no such file."""
    file = GrowingFile(path, keeps_open=True, window=window)
    try:
        file.start_at_tail(lines, limit)
        if file.inode == file.number == 0:
            return None
        file.limit_to_present()
        data = bytearray()
        while len(data) < limit and (block := file.read(0.0, is_over=True)):
            data += block
        return data[:limit].decode(errors="replace")
    finally:
        file.close()


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
    """A position in one file, by which reading goes on in another subscription.

    Attributes:
        name: Of job and output.
        inode: Names the file while it is not compressed.
        offset: Bytes of it that have been read.
        number: What it is called once it is rotated; 0: not known.
    """

    name: str
    inode: int
    offset: int
    number: int = 0

    def __str__(self) -> str:
        number = f".{self.number}" if self.number else ""
        return f"{self.name}:{self.inode}{number}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Return the place that a cursor names.

        Raises:
            ValueError: It is no cursor.
        """
        name, file, offset = text.rsplit(":", 2)
        inode, _, number = file.partition(".")
        place = cls(name=name, inode=int(inode), offset=int(offset), number=int(number or 0))
        if min(place.offset, place.number) < 0:
            raise ValueError(text)
        return place


class GrowingFile:
    """One output that is read as it grows, from file to file.

    ``offset`` only ever moves past what has been returned: a begun line stays in the file.
    A file that ``keeps_open`` is read to its end although another has taken its name; others
    are closed at their end, and opened again when they have grown.

    Attributes:
        number: Of the file that is read now, and ``inode`` its inode; 0: none yet.
        offset: Bytes of it that have been read.
        at: When what was returned last was written; None: not known, or not wanted.
        missed: Files that were removed before they could be read.
    """

    __slots__ = (
        "_grown_at", "_part", "_path", "_seen", "_stop", "_timeline", "_wants_times", "_window",
        "at", "has_begun_line", "inode", "keeps_open", "missed", "number", "offset",
    )  # fmt: skip

    def __init__(
        self, path: str, *, keeps_open: bool, window: Window = _ALL, wants_times: bool = False
    ) -> None:
        self._path = path
        self._window = window
        self._wants_times = wants_times
        self._part: Part | None = None
        self._timeline: Timeline | None = None
        self._stop: tuple[int, int] | None = None
        self._seen = -1
        self._grown_at = 0.0
        self.keeps_open = keeps_open
        self.has_begun_line = False
        self.inode = 0
        self.number = 0
        self.offset = 0
        self.at: float | None = None
        self.missed = 0

    # -- where to begin --------------------------------------------------------------

    def start_at_tail(self, lines: int, limit: int) -> None:
        """Begin with the last lines of what is there; at 0 when nothing is there yet."""
        part = parts.open_present(self._path) or parts.open_before(self._path, _NEWEST)
        while part is not None:
            self._enter(part)
            begin, end = self._range()
            end = part.size if end is None else end
            first = max(begin, end - limit)
            self.offset, lines = tail_start(part, first, end, lines)
            limit -= end - self.offset
            if lines <= 0 or limit <= 0:
                return
            part = parts.open_before(self._path, part.number)

    def start_at(self, place: Place) -> None:
        """Begin at a place; at the file's beginning when it is another file by now."""
        self.inode, self.number, self.offset = place.inode, place.number, place.offset
        if not self._open():
            self.inode = self.number = self.offset = 0

    def skip_to(self, inode: int, offset: int) -> None:
        """Begin at a place without opening the file before it changes."""
        self.inode, self.offset = inode, offset

    def limit_to_present(self) -> None:
        """Read no further than what is there now."""
        part = parts.open_present(self._path)
        self._stop = (_NEWEST, 0) if part is None else (part.number, part.size)
        if part is not None:
            part.close()

    def place(self, name: str, offset: int) -> Place:
        """Return a place in the file that is read now."""
        return Place(name=name, inode=self.inode, offset=offset, number=self.number)

    def take_missed(self) -> int:
        """Return how many files were missed since the last call."""
        missed, self.missed = self.missed, 0
        return missed

    # -- reading ---------------------------------------------------------------------

    def read(self, now_s: float, *, is_over: bool = False) -> bytes:
        """Return what has been added, up to a block; b'' when there is nothing to pass on.

        Args:
            now_s: Monotonic time.
            is_over: Nothing will be added: a begun line at the end is passed on, too.
        """
        if self._part is None and not self._open():
            return b""
        while True:
            is_final = not self._opened.is_present()  # looked at before the last read
            data = self._read_block(now_s, is_over=is_over or is_final)
            if data or not is_final or not self._advance():
                break
        if not data and not (self.keeps_open and self._is_in_its_folder()):
            self.close()
        return data

    def close(self) -> None:
        """Close the file; reading would open it again."""
        if self._part is not None:
            self._part.close()
            self._part = None
        if self._timeline is not None:
            self._timeline.close()
            self._timeline = None

    @property
    def _opened(self) -> Part:
        assert self._part is not None  # noqa: S101
        return self._part

    def _open(self) -> bool:
        if self.inode or self.number:
            part, is_same = parts.open_at(self._path, self.number, self.inode)
        else:
            part, is_same = parts.open_first(self._path), False
        if part is None:
            return False
        if not is_same:
            self._count_missed(part)
            self.offset = 0
        self._enter(part, is_same=is_same)
        return True

    def _enter(self, part: Part, *, is_same: bool = False) -> None:
        """Read this file from now on, or the same once more."""
        self.close()
        self._part = part
        self.inode, self.number = part.inode, part.number
        self.has_begun_line = False
        if not is_same:
            self._seen = -1
        if self._wants_times or self._window != _ALL:
            self._timeline = Timeline(part)

    def _advance(self) -> bool:
        """Go on with the file that follows; False when there is none yet."""
        part = self._opened
        if not part.is_closed:
            number = parts.number_by_inode(self._path, part.inode)
            self.number = part.number if number is None else number
        following = parts.open_after(self._path, self.number)
        if following is None or (following.inode == part.inode and part.inode):
            if following is not None:
                following.close()
            return False
        self._count_missed(following)
        self._enter(following)
        self.offset = 0
        return True

    def _count_missed(self, part: Part) -> None:
        if self.number:
            self.missed += max(0, part.number - self.number - 1)

    def _is_in_its_folder(self) -> bool:
        """Tell whether its folder is there; a removed one goes only when no file is open."""
        return os.path.isdir(os.path.dirname(self._path))  # noqa: PTH112, PTH120

    def _read_block(self, now_s: float, *, is_over: bool) -> bytes:
        part = self._opened
        size = part.size
        if not part.is_closed and size < self.offset:  # cut, and perhaps written to since
            self.offset = 0
        if size != self._seen:
            self._seen, self._grown_at = size, now_s
        begin, end = self._range()
        self.offset = max(self.offset, begin)
        most = BLOCK_BYTES if end is None else max(0, min(BLOCK_BYTES, end - self.offset))
        block = part.read(self.offset, most) if most else b""
        is_over = is_over or (end is not None and self.offset + len(block) >= end)
        is_idle = is_over or now_s - self._grown_at >= IDLE_S
        count = _passable(block, is_idle=is_idle, is_over=is_over)
        count = self._of_one_time(block, count)
        self.offset += count
        self.has_begun_line = count < len(block) < BLOCK_BYTES and not is_idle
        return block[:count]

    def _of_one_time(self, block: bytes, count: int) -> int:
        """Return how much of a block was begun at the time at which its beginning was."""
        if self._timeline is None or not self._wants_times:
            return count
        self.at = self._timeline.time_at(self.offset)
        following = self._timeline.next_time(self.offset)
        if following is None or following >= self.offset + count:
            return count
        return block.find(b"\n", following - self.offset - 1, count) + 1 or count

    def _range(self) -> tuple[int, int | None]:
        """Return which bytes of the file are wanted; None: to its end."""
        begin, end = 0, None
        if self._timeline is not None:
            if not self._opened.is_closed:
                self._timeline.refresh()
            begin, end = self._timeline.range_of(self._window)
        if self._stop is not None and self.number >= self._stop[0]:
            stop = self._stop[1] if self.number == self._stop[0] else 0
            end = stop if end is None else min(end, stop)
        return begin, end


def _passable(block: bytes, *, is_idle: bool, is_over: bool) -> int:
    """Return how much of a block is passed on: whole lines, or what there is of one."""
    end = block.rfind(b"\n") + 1
    if end and not (is_idle and len(block) < BLOCK_BYTES):
        return end
    if len(block) == BLOCK_BYTES or is_idle:
        return len(block) if is_over else whole_characters(block) or end
    return end
