"""Everything that is wrong with a configuration, gathered before anything is refused."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

from claw.config.locate import Path
from claw.errors import ConfigError

_BARE = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_LONGEST_TEXT = 800
_LONGEST_KEY = 80
_MOST_STEPS = 10
_MOST_SHOWN = 1000


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One mistake.

    Attributes:
        file: The file as the user named it.
        line: From 1; 0 when it is about the file as a whole.
        path: The key, '' when it is about no key.
        text: What is wrong, and what to do about it.
    """

    file: str
    line: int
    path: Path
    text: str

    def as_line(self) -> str:
        """Return ``FILE:LINE: KEY.PATH: TEXT``, on one line."""
        text = self.text.replace("\n", " ")
        if len(text) > _LONGEST_TEXT:
            text = text[: _LONGEST_TEXT - 1] + "…"
        place = f"{printable(self.file)}:{self.line}" if self.line else printable(self.file)
        return ": ".join(part for part in (place, dotted(self.path), text) if part)


class Report:
    """The mistakes found so far; they come out in the order of files and lines."""

    __slots__ = ("_files", "_found")

    def __init__(self, files: list[str]) -> None:
        self._found: list[Diagnostic] = []
        self._files = {file: index for index, file in enumerate(files)}

    def add(self, diagnostic: Diagnostic) -> None:
        """Take in one mistake of one of the files."""
        self._found.append(diagnostic)

    def __len__(self) -> int:
        return len(self._found)

    def refuse(self) -> None:
        """Do nothing when all is well.

        Raises:
            ConfigError: With every mistake.
        """
        if not self._found:
            return
        order = sorted(self._found, key=lambda one: (self._files[one.file], one.line))
        raise error_of(order)


def error_of(found: Iterable[Diagnostic]) -> ConfigError:
    """Return the error that carries these mistakes."""
    lines = [one.as_line() for one in found]
    count = len(lines)
    message = lines[0] if count == 1 else f"{count} mistakes in the configuration"
    if count > _MOST_SHOWN:
        lines = [*lines[:_MOST_SHOWN], f"... and {count - _MOST_SHOWN} more"]
    return ConfigError(
        message, diagnostics=tuple(lines), hint="nothing was changed; correct it and try again"
    )


def dotted(path: Path) -> str:
    """Return a key path as TOML writes it, with indexes: ``jobs.web.schedule[1]``."""
    text = ""
    for step in path[:_MOST_STEPS]:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += ("." if text else "") + _key(step)
    return text if len(path) <= _MOST_STEPS else f"{text}.…"


def _key(key: str) -> str:
    if len(key) > _LONGEST_KEY:
        key = key[: _LONGEST_KEY - 1] + "…"
    if _BARE.fullmatch(key):
        return key
    return json.dumps(key, ensure_ascii=not key.isprintable())


def printable(text: str) -> str:
    """Return a file's name as it can be printed, whatever bytes it is made of."""
    clean = text.encode("utf-8", "backslashreplace").decode()
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in clean)
