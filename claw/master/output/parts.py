"""The files of one output, in order: rotated ones, compressed or not, then the present one.

Each has a number that no other ever has (`claw.kernel.history`), by which a reader finds
its way from one to the next while files are rotated, compressed and removed under it.
"""

import gzip
import os
import stat
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from claw.kernel import history

_OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_TRIES = 5
_TRAILER_BYTES = 4


def open_plain(path: str) -> int | None:
    """Open a file for reading; None when there is none, or it is no plain file."""
    try:
        fd = os.open(path, _OPEN_FLAGS)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        return None
    return fd


@dataclass(slots=True)
class Part:
    """One open file.

    Attributes:
        path: Of the present file, whatever this one is called.
        number: What it is called once another has taken its place.
        inode: Names it while it is not compressed; 0 afterwards.
        is_closed: It was rotated when it was opened: nothing is added to it.
    """

    path: str
    number: int
    inode: int
    is_closed: bool
    _fd: int
    _unpacked: gzip.GzipFile | None = None
    _packed: BinaryIO | None = None

    @property
    def is_compressed(self) -> bool:
        """Whether it can be read forwards only."""
        return self._unpacked is not None

    @property
    def size(self) -> int:
        """How many bytes of output it has."""
        if self._unpacked is None:
            return os.fstat(self._fd).st_size
        end = max(0, os.fstat(self._fd).st_size - _TRAILER_BYTES)  # damaged, if shorter
        return int.from_bytes(os.pread(self._fd, _TRAILER_BYTES, end), "little")  # RFC 1952

    @property
    def written_at(self) -> float:
        """When it was last written to, seconds since the epoch."""
        return os.fstat(self._fd).st_mtime

    @property
    def index(self) -> str:
        """Where its index lies now."""
        if self.is_closed or not self.is_present():
            return f"{self.path}.{self.number}.idx"
        return f"{self.path}.idx"

    def is_present(self) -> bool:
        """Tell whether it still is the file that is written to, as far as can be seen."""
        if self.is_closed:
            return False
        try:
            return os.stat(self.path, follow_symlinks=False).st_ino == self.inode  # noqa: PTH116
        except OSError:
            return True  # another is about to take its place

    def read(self, offset: int, count: int) -> bytes:
        """Return up to so many bytes from an offset on.

        Raises:
            OSError: EIO, ESTALE: the file cannot be read.
        """
        if self._unpacked is None:
            return os.pread(self._fd, count, offset)
        try:
            self._unpacked.seek(offset)
            return self._unpacked.read(count)
        except (OSError, EOFError, zlib.error):  # damaged: what can be read of it has been
            return b""

    def close(self) -> None:
        """Close it."""
        if self._packed is None:
            os.close(self._fd)
        else:
            self._packed.close()


def numbers_of(path: str) -> list[int]:
    """Return the numbers of the rotated files that there are, oldest first."""
    try:
        kept = history.rotated(path)
    except OSError:
        return []
    return sorted(
        number
        for number, names in kept.items()
        if {f"{path}.{number}", f"{path}.{number}.gz"} & set(names)
    )


def open_number(path: str, number: int) -> Part | None:
    """Open a rotated file, which may be compressed at this moment; None: it is gone."""
    for _ in range(2):
        fd = open_plain(f"{path}.{number}")
        if fd is not None:
            return Part(path, number, os.fstat(fd).st_ino, True, fd)
        fd = open_plain(f"{path}.{number}.gz")
        if fd is not None:
            packed = os.fdopen(fd, "rb")
            return Part(path, number, 0, True, fd, gzip.GzipFile(fileobj=packed), packed)
    return None


def open_present(path: str) -> Part | None:
    """Open the file that is written to; None when there is none."""
    for _ in range(_TRIES):
        fd = open_plain(path)
        if fd is None:
            return None
        part = Part(path, 0, os.fstat(fd).st_ino, False, fd)
        part.number = _number_of(path)
        if part.is_present():
            return part
        part.close()  # rotated just now: the number may be another's
    return None


def _number_of(path: str) -> int:
    try:
        return history.next_number(path, history.number_in(f"{path}.idx")[0])
    except OSError:
        return 1


def open_after(path: str, number: int) -> Part | None:
    """Open the file that follows one; None when that does not exist yet."""
    for _ in range(_TRIES):
        present = open_present(path)
        least = present.number if present is not None else number + (1 << 60)
        between = [one for one in numbers_of(path) if number < one < least]
        if not between:
            return present
        if present is not None:
            present.close()
        for one in between:
            part = open_number(path, one)
            if part is not None:
                return part
    return None


def open_first(path: str) -> Part | None:
    """Open the oldest file there is."""
    return open_after(path, 0)


def open_before(path: str, number: int) -> Part | None:
    """Open the newest file that is older than one."""
    for one in reversed(numbers_of(path)):
        if one < number:
            part = open_number(path, one)
            if part is not None:
                return part
    return None


def number_by_inode(path: str, inode: int) -> int | None:
    """Return the number of a rotated file that is not compressed yet."""
    for number in reversed(numbers_of(path)):
        try:
            found = os.stat(f"{path}.{number}", follow_symlinks=False)  # noqa: PTH116
        except OSError:
            continue
        if found.st_ino == inode:
            return number
    return None


def open_at(path: str, number: int, inode: int) -> tuple[Part | None, bool]:
    """Open the file that a reader was in, or the one after it.

    Returns:
        The file, and whether it is the same.
    """
    fd = open_plain(path)
    if fd is not None:
        is_named = number != 0 and history.number_in(f"{path}.idx")[0] == number
        if is_named and os.fstat(fd).st_ino == inode:  # an inode alone may be a later file's
            return Part(path, number, inode, False, fd), True
        os.close(fd)
    present = open_present(path)
    if present is not None and present.inode == inode and number in {0, present.number}:
        return present, True
    if number == 0:
        number = number_by_inode(path, inode) or 0
    if number and (present is None or number < present.number):
        part = open_number(path, number) or open_after(path, number)
        if present is not None:
            present.close()
        return part, part is not None and part.number == number
    return present, False
