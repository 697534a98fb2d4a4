"""On which line of a TOML text each key path stands, which tomllib does not tell.

The text has been parsed before, so the scanner only follows what is there and checks
nothing; on a text that tomllib refused it finds what it can and never fails.
"""

import re
import tomllib
from contextlib import suppress

from claw.config.kinds import Step

Path = tuple[Step, ...]

# No group is repeated possessively: Python before 3.11.5 matches those wrongly (gh-106052).
_BLANK = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*")
_KEY = re.compile(
    r"""[ \t]*(?:([A-Za-z0-9_-]+)|'([^'\n]*)'|("(?:[^"\\\n]|\\.)*"))[ \t]*""", re.ASCII
)
_STRING = re.compile(
    r'"""(?:[^"\\]++|\\.|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']++|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]++|\\.)*"'
    r"|'[^'\n]*+'",
    re.DOTALL,
)
_OTHER = re.compile(r"[^,\]}\n#]*")
_REST_OF_LINE = re.compile(r"[^\n]*\n?")
_DEEPEST = 24
"""Parts of one key that are told apart; claw knows none of more than five."""


class Lines:
    """Key paths of one text, with the line on which each is first named."""

    __slots__ = ("_first", "_named")

    def __init__(self, first: dict[Path, int], named: list[tuple[Path, int]]) -> None:
        self._first = first
        self._named = named

    def of(self, path: Path) -> int:
        """Return the line of a path, or of the nearest thing around it; 1 if there is none."""
        while path:
            if path in self._first:
                return self._first[path]
            path = path[:-1]
        return 1

    def known(self, path: Path) -> int:
        """Return how many steps of a path the text names."""
        while path and path not in self._first:
            path = path[:-1]
        return len(path)

    def again(self, line: int) -> tuple[Path, int] | None:
        """Return what is named last up to a line, and the earlier line that names it too."""
        before = [entry for entry in self._named if entry[1] <= line]
        if not before:
            return None
        path, at = before[-1]
        first = self._first[path]
        named_before = [entry for entry in before[:-1] if entry[0] == path]
        return (path, first) if first < at or named_before else None

    def named_in(self, line: int) -> Path:
        """Return the key path that is named last in a line, () when it names none."""
        return next((path for path, at in reversed(self._named) if at == line), ())

    def paths(self) -> set[Path]:
        """Return every path, those of tables that are only implied included."""
        return set(self._first)


def locate(text: str) -> Lines:
    """Return the lines of all key paths of a text."""
    scanner = _Scanner(text)
    with suppress(RecursionError):  # what lies deeper than tomllib goes is not looked for
        scanner.scan()
    return Lines(scanner.first, scanner.named)


class _Scanner:
    """A cursor over the text; every method moves it forward."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.first: dict[Path, int] = {}
        self.named: list[tuple[Path, int]] = []
        self._at = 0
        self._line = 1
        self._counted = 0
        self._lengths: dict[Path, int] = {}  # of arrays of tables

    def scan(self) -> None:
        """Go over the whole text, line by line."""
        table: Path = ()
        while self._skip(_BLANK) or self._at < len(self.text):
            if self.text.startswith("[", self._at):
                table = self._header()
                self._skip(_REST_OF_LINE)
            elif self._at < len(self.text) and not self._pair(table):
                self._skip(_REST_OF_LINE)

    def _skip(self, pattern: re.Pattern[str]) -> bool:
        match = pattern.match(self.text, self._at)
        if match is None or match.end() == self._at:
            return False
        self._at = match.end()
        return True

    def _eat(self, mark: str) -> bool:
        if not self.text.startswith(mark, self._at):
            return False
        self._at += len(mark)
        return True

    def _note(self, path: Path, *, by_name: bool) -> None:
        self._line += self.text.count("\n", self._counted, self._at)
        self._counted = self._at
        self.first.setdefault(path, self._line)
        if by_name:
            self.named.append((path, self._line))

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while match := _KEY.match(self.text, self._at):
            bare, literal, basic = match.groups()
            self._at = match.end()
            if len(keys) < _DEEPEST:
                keys.append(_unquoted(basic) if basic else bare or literal or "")
            if not self._eat("."):
                break
        return keys

    def _header(self) -> Path:
        self._eat("[")
        is_array = self._eat("[")
        path: Path = ()
        keys = self._keys()
        for key in keys[:-1]:
            path = (*path, key)
            self._note(path, by_name=False)
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
        path = (*path, *keys[-1:])
        self._note(path, by_name=not is_array)
        if is_array:
            index = self._lengths.get(path, 0)
            self._lengths[path] = index + 1
            path = (*path, index)
            self._note(path, by_name=True)
        elif path in self._lengths:
            path = (*path, self._lengths[path] - 1)
        return path

    def _pair(self, table: Path) -> bool:
        keys = self._keys()
        path = table
        for key in keys:
            path = (*path, key)
            self._note(path, by_name=len(path) == len(table) + len(keys))
        if not keys or not self._eat("="):
            return False
        self._value(path)
        return True

    def _value(self, path: Path) -> None:
        self._skip(_BLANK)
        if self._eat("["):
            self._array(path)
        elif self._eat("{"):
            self._inline_table(path)
        elif not self._skip(_STRING):
            self._skip(_OTHER)

    def _array(self, path: Path) -> None:
        index = 0
        while True:
            self._skip(_BLANK)
            if self._eat("]") or self._at >= len(self.text):
                return
            start = self._at
            item = (*path, index)
            self._note(item, by_name=False)
            self._value(item)
            self._skip(_BLANK)
            if not self._eat(",") and self._at == start:
                return
            index += 1

    def _inline_table(self, path: Path) -> None:
        while True:
            self._skip(_BLANK)
            if self._eat("}") or not self._pair(path):
                return
            self._skip(_BLANK)
            self._eat(",")


def _unquoted(key: str) -> str:
    try:
        return str(tomllib.loads(f"key = {key}")["key"])
    except tomllib.TOMLDecodeError:
        return key[1:-1]
