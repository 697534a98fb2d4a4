"""The files that are imported: found, read, decoded."""

import os.path
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import BinaryIO

from claw.errors import UsageError
from claw.kernel import files, reading

STDIN = "-"
_MOST_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Source:
    """One file.

    Attributes:
        file: Its path as the user named it; ``-`` is standard input.
        raw: Its bytes.
        folder: The absolute path of the folder that it lies in.
    """

    file: str
    raw: bytes
    folder: str

    @property
    def text(self) -> str:
        """What it says; bytes that are no UTF-8 are taken for Latin-1, which has them all."""
        raw = self.raw.removeprefix(b"\xef\xbb\xbf")
        try:
            found = raw.decode()
        except UnicodeDecodeError:
            found = raw.decode("latin-1")
        return found.replace("\r\n", "\n")

    @property
    def name(self) -> str:
        """The last part of its path."""
        return PurePath(self.file).name


def read(path: str, cwd: str) -> Source:
    """Return a file.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        raw, _facts = files.read_regular(os.path.join(cwd, path), _MOST_BYTES)  # noqa: PTH118
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    if len(raw) > _MOST_BYTES:
        raise UsageError(f"{path} is larger than {_MOST_BYTES >> 20} MiB")
    return Source(path, raw, folder_of(path, cwd))


def given(stream: BinaryIO, cwd: str) -> Source:
    """Return what standard input says.

    Raises:
        UsageError: It is too much.
    """
    raw = stream.read(_MOST_BYTES + 1)
    if len(raw) > _MOST_BYTES:
        raise UsageError(f"standard input is larger than {_MOST_BYTES >> 20} MiB")
    return Source(STDIN, raw, cwd)


def folder_of(path: str, cwd: str) -> str:
    """Return the absolute path of the folder that a file lies in."""
    return os.path.dirname(os.path.abspath(os.path.join(cwd, path)))  # noqa: PTH100, PTH118, PTH120


def peek(path: str) -> Source | None:
    """Return a file if it can be read."""
    try:
        raw, _facts = files.read_regular(path, _MOST_BYTES)
    except OSError:
        return None
    return Source(path, raw, os.path.dirname(os.path.abspath(path)))  # noqa: PTH100, PTH120


def names_in(folder: str) -> list[str]:
    """Return the names in a folder, sorted; none when it cannot be read."""
    try:
        return reading.names_in(folder)
    except OSError:
        return []


def within(path: str, cwd: str, endings: Sequence[str]) -> Iterator[str]:
    """Yield the files that a path means: itself, or what of a folder has one of the endings.

    Without an ending all plain names count, as those of /etc/cron.d do.
    """
    place = os.path.join(cwd, path)  # noqa: PTH118
    if not os.path.isdir(place):  # noqa: PTH112
        yield path
        return
    for name in names_in(place):
        fits = name.endswith(tuple(endings)) if endings else "." not in name
        if fits and os.path.isfile(os.path.join(place, name)):  # noqa: PTH113, PTH118
            yield os.path.join(path, name)  # noqa: PTH118
