"""How many columns of a terminal a text takes, and how it is made to take so many."""

from __future__ import annotations

import re
import unicodedata

from claw.cli.render.table import clean

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-_])")
_NONE = frozenset({"Mn", "Me", "Cf"})
_TAB = 8


def width(text: str) -> int:
    """Return how many columns a printable text takes."""
    return len(text) if text.isascii() else sum(map(_letter, text))


def _letter(letter: str) -> int:
    if letter.isascii():
        return 1
    if unicodedata.category(letter) in _NONE:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def cut(text: str, room: int) -> str:
    """Return a text that takes ``room`` columns at most; what was cut off ends in ``…``."""
    if width(text) <= room:
        return text
    kept, used = [], 0
    for letter in text:
        used += _letter(letter)
        if used > room - 1:
            break
        kept.append(letter)
    return "".join(kept) + ("…" if room > 0 else "")


def fit(text: str, room: int, *, is_right: bool = False) -> str:
    """Return a text that takes ``room`` columns, no more and no less."""
    text = cut(text, room)
    blank = " " * (room - width(text))
    return blank + text if is_right else text + blank


def skip(text: str, columns: int) -> str:
    """Return a text without its first columns, as one sees it that is moved to the left."""
    while columns > 0 and text:
        columns -= _letter(text[0])
        text = text[1:]
    return text


def one_line(text: str) -> str:
    """Return a line of output as it can be shown: no escape sequences, no tabs."""
    if text.isprintable():
        return text
    return clean(_ESCAPES.sub("", text).expandtabs(_TAB))


def pieces(text: str, room: int) -> list[str]:
    """Return a text in pieces that take ``room`` columns at most."""
    found = []
    while width(text) > room > 1:
        piece = cut(text, room + 1)[:-1]
        found.append(piece)
        text = text[len(piece) :]
    return [*found, text]
