"""The search for a line in what one child has written since it was started.

Its journal tells where in the output files that begins. Files are followed by inode, so that
one that is put aside meanwhile (``out.log.7``) is read to its end before the next.
"""

import contextlib
import os
import re
from collections.abc import Iterator

import trio

from claw.kernel import files
from claw.master.checks.matcher import Matcher, TooSlowError
from claw.wire import supervision

_CHUNK = 1 << 18
_LONGEST_LINE = 1 << 16
_TAIL = 1 << 18
"""Bytes at the end of a journal among which the present child's start is."""


def beginnings(journal: str, attempt: int) -> list[tuple[str, int, int]]:
    """Return path, inode and offset where an attempt's output begins, as its journal tells.

    Raises:
        OSError: The journal cannot be read now.
    """
    try:
        size = os.path.getsize(journal)  # noqa: PTH202
    except FileNotFoundError:
        return []
    data = files.read_from(journal, max(0, size - _TAIL))
    found: list[tuple[str, int, int]] = []
    for line in data.split(b"\n"):
        message = supervision.decode(line) or {}
        if message.get("ev") == "started" and message.get("attempt") == attempt:
            found = [(str(path), inode, at) for path, inode, at in message.get("logs", ())]
    return found


class LogSearch:
    """Searches what comes, line by line; a line without its end is searched as it is."""

    def __init__(
        self, matcher: Matcher, pattern: str, places: list[tuple[str, int, int]]
    ) -> None:
        self._matcher = matcher
        self._pattern = pattern
        self._readers = [_Reader(*place) for place in places]
        self._refusal = "" if places else "its output is not known"

    async def look(self) -> str | None:
        """Search what is new; None once the line has come, else why it has not.

        Raises:
            OSError: What is new cannot be read or searched now: some of it is left out, so
                that the search is to be made anew from the beginning.
            trio.BrokenResourceError: The searching process ends again and again.
        """
        for reader in self._readers if not self._refusal else ():
            for text in reader.texts():
                if await self._is_in(text):
                    return None
                if self._refusal:
                    break
        return self._refusal or f"no line of its output matches {self._pattern!r} yet"

    async def _is_in(self, text: str) -> bool:
        """Search a text; one that takes too long once always will."""
        try:
            with contextlib.suppress(trio.BrokenResourceError):  # somebody killed it
                return await self._matcher.search(self._pattern, text)
            return await self._matcher.search(self._pattern, text)
        except TooSlowError as error:
            self._refusal = f"its output cannot be searched: {error}"
            return False


class _Reader:
    """One output file, and those that take its place."""

    def __init__(self, path: str, inode: int, offset: int) -> None:
        self._path = path
        self._inode = inode
        self._offset = offset
        self._rest = b""  # a line whose end has not come

    def texts(self) -> Iterator[str]:
        """Yield what is new, some of it at a time, lines whole as far as they are."""
        for path, inode in self._files():
            if inode != self._inode:
                self._inode, self._offset = inode, 0
            while data := _read(path, self._offset):
                self._offset += len(data)
                text = self._rest + data
                self._rest = text[text.rfind(b"\n") + 1 :][-_LONGEST_LINE:]
                yield text.decode("utf-8", "replace")

    def _files(self) -> list[tuple[str, int]]:
        """Return the file that is read, and those after it, in order."""
        folder, name = os.path.split(self._path)
        aside = re.compile(re.escape(name) + r"\.(\d+)")
        try:
            found = [aside.fullmatch(one) for one in os.listdir(folder)]  # noqa: PTH208
        except FileNotFoundError:
            return []
        numbers = sorted(int(one[1]) for one in found if one is not None)
        paths = [f"{self._path}.{number}" for number in numbers] + [self._path]
        known = [(path, place[0]) for path in paths if (place := files.place_of(path))]
        at = [index for index, (_path, inode) in enumerate(known) if inode == self._inode]
        return known[at[0] :] if at else known[-1:]


def _read(path: str, offset: int) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return b""
    try:
        return os.pread(fd, _CHUNK, offset)
    finally:
        os.close(fd)
