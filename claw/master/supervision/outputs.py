"""What an attempt has printed, read from its finished output file.

Plain blocking file access. The supervisor says in the attempt's last line where in the file
its output begins and ends; of one that stood in for a killed one, the index tells instead.
"""

import math
import os
from dataclasses import dataclass

from claw.master.output import parts
from claw.model.evidence import TAIL_BYTES, Printed

_INDEX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Extent:
    """Which bytes of an output file an attempt has written.

    Attributes:
        begin: Below zero: so many lie in files that have been replaced. None: not known.
        end: None: to the file's end.
    """

    begin: int | None = None
    end: int | None = None

    @property
    def size(self) -> float:
        """How many bytes that is; endless where it is not known."""
        return math.inf if self.begin is None or self.end is None else self.end - self.begin

    @property
    def is_empty(self) -> bool:
        """Whether it is known that nothing was written."""
        return self.size == 0


def read(path: str, stream: str, extent: Extent, run: str, attempt: int, most: int) -> Printed:
    """Return what an attempt has printed to one file; nothing where that is gone.

    Args:
        path: The file.
        stream: What it is of.
        extent: Where to look.
        run: Whose.
        attempt: Which of its attempts.
        most: So much is wanted whole, and of anything longer its beginning.
    """
    nothing = Printed(stream=stream, size=0, head=b"", tail=b"")
    fd = parts.open_plain(path)
    if fd is None:
        return nothing
    try:
        there = os.fstat(fd).st_size
        end = there if extent.end is None else min(extent.end, there)
        begin = _begin(path, run, attempt) if extent.begin is None else extent.begin
        size, first = end - begin, max(begin, 0)
        if size <= 0:
            return nothing
        # Of output whose beginning was put aside, the end is all that is looked for.
        head = os.pread(fd, min(most, end - first), first) if begin >= 0 else b""
        if len(head) == size:
            return Printed(stream=stream, size=size, head=head, tail=head, begin=begin)
        at = max(first, end - max(TAIL_BYTES, most))
        tail = os.pread(fd, end - at, at)
        return Printed(stream=stream, size=size, head=head, tail=tail, begin=begin)
    except OSError:
        return nothing
    finally:
        os.close(fd)


def _begin(path: str, run: str, attempt: int) -> int:
    """Return where the index has an attempt begin, else the beginning."""
    mark = f" start {run} {attempt}".encode()
    fd = parts.open_plain(f"{path}.idx")
    if fd is None:
        return 0
    try:
        data = os.pread(fd, _INDEX_BYTES, 0)
    finally:
        os.close(fd)
    for line in data.split(b"\n"):
        words = line.split()
        if line.endswith(mark) and words[1].isdigit():
            return int(words[1])
    return 0
