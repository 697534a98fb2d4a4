"""Patterns of paths, as shells have them: ``/srv/in/*.csv``, ``/srv/**/*.csv``, ``/srv/in``.

A pattern is matched part by part: ``*``, ``?`` and ``[...]`` stand for characters of one name,
``**`` for any number of folders. Names that begin with a dot are matched only by a part that
does so, too. A path without any of these is a file, or a folder, for all files in it.
"""

import fnmatch
import os.path
from collections.abc import Sequence
from dataclasses import dataclass

_MAGIC = frozenset("*?[")
_ANY = "**"


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern.

    Attributes:
        text: As it was written, absolute.
        base: The folder, of those whose names are known, in which all that matches lies.
        ways: From there, the parts of what matches.
    """

    text: str
    base: str
    ways: tuple[tuple[str, ...], ...]

    def matches(self, path: str) -> bool:
        """Tell whether a file of that path is meant."""
        parts = self._parts(path)
        return parts is not None and any(_matches(way, parts) for way in self.ways)

    def leads(self, folder: str) -> bool:
        """Tell whether files that are meant can lie in a folder, or below it."""
        parts = self._parts(folder)
        return parts is not None and any(_leads(way, parts) for way in self.ways)

    def _parts(self, path: str) -> Sequence[str] | None:
        if path == self.base:
            return ()
        stem = self.base.rstrip("/") + "/"
        return path[len(stem) :].split("/") if path.startswith(stem) else None


def pattern_of(text: str, *, is_recursive: bool = False) -> Pattern:
    """Return a pattern.

    Args:
        text: Absolute.
        is_recursive: Files in folders below count, too.
    """
    parts = [part for part in text.split("/") if part]
    fixed = next((no for no, part in enumerate(parts) if _MAGIC & {*part}), len(parts))
    if fixed == len(parts):
        *above, name = parts or [""]
        inside = (name, _ANY, "*") if is_recursive else (name, "*")
        return Pattern(text, "/" + "/".join(above), ((name,), inside))
    way = parts[fixed:]
    if way[-1] == _ANY:
        way.append("*")
    if is_recursive and _ANY not in way:
        way[-1:] = [_ANY, way[-1]]
    return Pattern(text, "/" + "/".join(parts[:fixed]), (tuple(way),))


def problem(text: str) -> str | None:
    """Return what is wrong with the text of a pattern, or None."""
    if not text.strip():
        return "it is empty"
    parts = text.split("/")
    fixed = next((no for no, part in enumerate(parts) if _MAGIC & {*part}), len(parts))
    if ".." in parts[fixed:]:
        return "'..' behind a wildcard leads nowhere: write the folder itself"
    if any(_ANY in part and part != _ANY for part in parts):
        return "'**' stands for folders and has to be a part of its own, as in a/**/b"
    return None


def resolved(text: str, folder: str) -> str:
    """Return a pattern's text as an absolute one, without ``.`` and ``..``."""
    return "/" + os.path.normpath(os.path.join(folder, text)).lstrip("/")  # noqa: PTH118


def _is_meant(part: str, name: str) -> bool:
    if name.startswith(".") and not part.startswith("."):
        return False
    return fnmatch.fnmatchcase(name, part)


def _matches(way: Sequence[str], parts: Sequence[str]) -> bool:
    if not way or not parts:
        return not way and not parts
    if way[0] == _ANY:
        is_deeper = not parts[0].startswith(".") and _matches(way, parts[1:])
        return _matches(way[1:], parts) or is_deeper
    return _is_meant(way[0], parts[0]) and _matches(way[1:], parts[1:])


def _leads(way: Sequence[str], parts: Sequence[str]) -> bool:
    """Tell whether more parts can follow, so that the whole matches."""
    if not way:
        return False
    if not parts:
        return True
    if way[0] == _ANY:
        is_deeper = not parts[0].startswith(".") and _leads(way, parts[1:])
        return _leads(way[1:], parts) or is_deeper
    return _is_meant(way[0], parts[0]) and _leads(way[1:], parts[1:])
