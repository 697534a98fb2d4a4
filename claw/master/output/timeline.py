"""When the bytes of an output file were written, and by which run: its index, read.

`claw.kernel.history` has the lines. An index may be absent, or have gaps: then nothing is
known, and nothing is left out because of that.
"""

import os
from array import array
from bisect import bisect_right
from dataclasses import dataclass

from claw.kernel import history
from claw.master.output.parts import Part, open_plain

_BARE, _RUN_AT = 2, {b"begin": 4, b"start": 3}
"""Words of a line that says a time only; which word names the run that writes from there."""
_BLOCK_BYTES = 4096
_CHUNK_BYTES = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What of an output is wanted; times are seconds since the epoch.

    Attributes:
        since: Nothing written before, to the second; None: from the beginning.
        until: Nothing written after.
        runs: Only what these runs wrote to a file that they share with others.
    """

    since: float | None = None
    until: float | None = None
    runs: frozenset[str] = frozenset()


class Timeline:
    """The index of one file, which may grow."""

    def __init__(self, part: Part) -> None:
        self._part = part
        self._fd: int | None = None
        self._rest = b""
        self._read = 0
        self._times = array("d")  # an entry for each second in which something was written
        self._offsets = array("q")
        self._runs: list[tuple[int, str]] = []
        self.refresh()

    def refresh(self) -> None:
        """Read what has been added."""
        if self._fd is None:
            self._fd = self._open()
        if self._fd is None:
            return
        while data := os.pread(self._fd, _CHUNK_BYTES, self._read):
            self._read += len(data)
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._take(line.split())

    def _open(self) -> int | None:
        index = self._part.index
        if index.endswith(f".{self._part.number}.idx"):
            return open_plain(index)
        if history.number_in(index)[0] not in {0, self._part.number}:
            return None
        return open_plain(index)

    def _take(self, words: list[bytes]) -> None:
        try:
            at, offset = float(words[0]), int(words[1])
        except (ValueError, IndexError):
            return  # torn
        if self._offsets:
            if offset < self._offsets[-1]:
                return
            at = max(at, self._times[-1])
        self._times.append(at)
        self._offsets.append(offset)
        where = _RUN_AT.get(words[2], 0) if len(words) > _BARE else 0
        if 0 < where < len(words):
            self._runs.append((offset, words[where].decode(errors="replace")))

    def close(self) -> None:
        """Close the index."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def time_at(self, offset: int) -> float | None:
        """Return when the byte at an offset was written; None when nothing tells."""
        at = bisect_right(self._offsets, offset) - 1
        return self._times[at] if at >= 0 else None

    def next_time(self, offset: int) -> int | None:
        """Return where what was written at another time begins after an offset."""
        at = bisect_right(self._offsets, offset)
        return self._offsets[at] if at < len(self._offsets) else None

    def range_of(self, window: Window) -> tuple[int, int | None]:
        """Return which bytes are wanted; None: to the end. Lines are not cut by times."""
        begin, end = 0, None
        if window.runs:
            begin, end = self._by(window.runs)
        if window.since is not None:
            begin = max(begin, self._line_from(self._since(window.since)))
        if window.until is not None:
            until = self._until(window.until)
            if until is not None:
                until = self._line_from(until)
                end = until if end is None else min(end, until)
        return begin, end

    def _line_from(self, offset: int) -> int:
        """Return where the first line begins at or after an offset."""
        at = offset - 1
        while at >= 0:
            block = self._part.read(at, _BLOCK_BYTES)
            found = block.find(b"\n")
            if found >= 0 or not block:
                return at + found + 1
            at += len(block)
        return offset

    def _since(self, at: float) -> int:
        if not self._times:
            return self._part.size if self._part.written_at < at else 0
        place = bisect_right(self._times, at - history.INTERVAL_S)
        if place < len(self._offsets):
            return self._offsets[place]
        return self._part.size if self._part.written_at < at else self._offsets[-1]

    def _until(self, at: float) -> int | None:
        place = bisect_right(self._times, at)
        return self._offsets[place] if place < len(self._offsets) else None

    def _by(self, runs: frozenset[str]) -> tuple[int, int | None]:
        if not self._runs:
            return 0, None
        of_it = [offset for offset, run in self._runs if run in runs]
        if not of_it:
            return 0, 0
        last = len(self._runs) - 1
        while self._runs[last][1] not in runs:
            last -= 1
        after = [offset for offset, _run in self._runs[last + 1 :]]
        return of_it[0], min(after, default=None)
