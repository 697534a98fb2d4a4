"""Unit files of systemd: their syntax, see systemd.syntax(7) and systemd.service(5)."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

_SECTION = re.compile(r"\[(?P<name>[^]]+)\]\s*$")
_ESCAPES = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\",
    '"': '"', "'": "'", "s": " ", ";": ";",
}  # fmt: skip
_UNITS = {
    "us": 1e-6, "usec": 1e-6, "µs": 1e-6, "ms": 1e-3, "msec": 1e-3,
    "": 1, "s": 1, "sec": 1, "second": 1, "seconds": 1,
    "m": 60, "min": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hr": 3600, "hour": 3600, "hours": 3600,
    "d": 86400, "day": 86400, "days": 86400, "w": 604800, "week": 604800, "weeks": 604800,
    "M": 2629800, "month": 2629800, "months": 2629800,
    "y": 31557600, "year": 31557600, "years": 31557600,
}  # fmt: skip
_PLAIN = "\ue003"  # of the private use area, so used nowhere
_HEXADECIMAL = re.compile(r"x([0-9a-fA-F]{2})")
_OCTAL = re.compile(r"([0-3][0-7]{2})")
_SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-zµ]*)")


@dataclass(frozen=True, slots=True)
class Value:
    """One assignment."""

    file: str
    line: int
    text: str


@dataclass(slots=True)
class Unit:
    """A unit with its drop-ins.

    Attributes:
        name: Of its file, as ``web.service``.
        file: Its path as the user named it.
        folder: That it lies in.
        values: By section and key, in the order in which they count.
        unread: Lines that were not understood.
    """

    name: str
    file: str
    folder: str
    values: dict[tuple[str, str], list[Value]] = field(default_factory=dict)
    unread: list[tuple[str, int, str]] = field(default_factory=list)

    @property
    def stem(self) -> str:
        """Its name without the ending."""
        return self.name.rpartition(".")[0]

    @property
    def kind(self) -> str:
        """The ending: ``service``, ``timer``, ``socket``."""
        return self.name.removesuffix(".in").rpartition(".")[2]

    def all(self, section: str, key: str) -> list[Value]:
        """Return what a key that may be repeated says; an empty one takes back all before."""
        found: list[Value] = []
        for value in self.values.get((section, key), []):
            if value.text:
                found.append(value)
            else:
                found = []
        return found

    def one(self, section: str, key: str) -> Value | None:
        """Return what counts of a key: what is said last."""
        found = self.values.get((section, key))
        return found[-1] if found and found[-1].text else None

    def has(self, section: str) -> bool:
        """Tell whether there is such a section."""
        return any(name == section for name, _key in self.values)

    def take(self, file: str, text: str) -> None:
        """Take in the text of the file, or of a drop-in."""
        section, pending, start = "", list[str](), 0
        for number, raw in enumerate((*text.split("\n"), ""), start=1):
            bare = raw.strip()
            if (not pending and not bare) or bare.startswith(("#", ";")):
                continue  # a comment within a continued line is passed over as well
            start = start if pending else number
            if bare.endswith("\\") and not bare.endswith("\\\\"):
                pending.append(bare[:-1].strip())
                continue
            line, pending = " ".join((*pending, bare)).strip(), []
            head = _SECTION.match(line)
            if head:
                section = head["name"]
            else:
                self._assign(section, line, file, start)

    def _assign(self, section: str, line: str, file: str, number: int) -> None:
        key, equals, text = line.partition("=")
        if not equals or not section:
            self.unread.append((file, number, line))
            return
        self.values.setdefault((section, key.strip()), []).append(
            Value(file, number, text.strip())
        )


def words_of(text: str, expand: Callable[[str], str] = str) -> list[str]:
    r"""Return the words of a value, quoted as in C; ``\x20``, ``\040`` and the like too.

    Args:
        text: The value.
        expand: Fills in each word; what it puts there is split no more, as by systemd.

    Raises:
        ValueError: A quote is not closed.
    """
    return [expand(word) for word, _raw in pieces_of(text)]


def pieces_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield each word of a value, and how it is written: bare, in quotes or with backslashes.

    Raises:
        ValueError: A quote is not closed.
    """
    word: list[str] | None = None
    quote, at, start = "", 0, 0
    while at < len(text):
        before, (letter, at) = at, _letter(text, at)
        if not quote and letter.isspace():
            if word is not None:
                yield "".join(word), text[start:before]
            word = None
            continue
        if word is None:
            word, start = [], before
        after = _quote_after(quote, letter)
        if after == quote:
            word.append(letter.removeprefix(_PLAIN))
        quote = after
    if quote:
        raise ValueError("a quote is not closed")
    if word is not None:
        yield "".join(word), text[start:]


def _quote_after(quote: str, letter: str) -> str:
    """Return the quote that is open after a letter; '' for none."""
    if not quote:
        return letter if letter in {"'", '"'} else ""
    return "" if letter == quote else quote


def _letter(text: str, at: int) -> tuple[str, int]:
    """Return a letter, marked where a backslash makes it a plain one, and where to go on."""
    if text[at] != "\\" or at + 1 == len(text):
        return text[at], at + 1
    letter, after = _escape(text, at + 1)
    return f"{_PLAIN}{letter}", after


def _escape(text: str, at: int) -> tuple[str, int]:
    """Return what a backslash and what follows it mean, and where to go on."""
    hexadecimal, octal = _HEXADECIMAL.match(text, at), _OCTAL.match(text, at)
    if hexadecimal:
        return chr(int(hexadecimal[1], 16)), hexadecimal.end()
    if octal:
        return chr(int(octal[1], 8)), octal.end()
    return _ESCAPES.get(text[at], "\\" + text[at]), at + 1


def seconds(text: str) -> float | None:
    """Return a time span in seconds; None for ``infinity``, and for 0 where that means it.

    Raises:
        ValueError: It is no time span.
    """
    if text.lower() == "infinity":
        return None
    total, at, end = 0.0, 0, len(text.rstrip())
    while at < end:
        found = _SPAN.match(text, at)
        if found is None or found[2] not in _UNITS:
            raise ValueError(f"{text!r} is no time span")
        total += float(found[1]) * _UNITS[found[2]]
        at = found.end()
    if not text.strip():
        raise ValueError("empty: no time span")
    return total


def is_true(text: str) -> bool:
    """Return a switch: see systemd.syntax(7)."""
    return text.lower() in {"1", "yes", "true", "on", "y", "t"}
