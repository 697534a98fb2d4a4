"""What is kept of a run once it is over: how much of its output, and for how long."""

from dataclasses import dataclass
from enum import StrEnum

TRUNCATED = "...[truncated]"


class FileLogMode(StrEnum):
    """What becomes of the output of a run-to-completion run when it is over."""

    KEEP = "keep"
    DELETE = "delete"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How much of a run's output is kept where, in bytes of UTF-8, for each stream.

    Attributes:
        store: Output up to this size is kept whole in the database; 0: none is.
        excerpt: So much of its end is shown with a run that failed.
        summary: So much of its beginning is kept of any run.
    """

    store: int = 64 << 10
    excerpt: int = 2000
    summary: int = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the database has of an attempt's output to one stream.

    Attributes:
        run: Whose.
        attempt: Its number.
        stream: ``stdout`` or ``stderr``.
        size: Bytes of the whole output.
        begin: Where it begins in its file; below zero: in one that was put aside.
        data: All of it, when it is within the budget.
        excerpt: Its end otherwise.
        summary: Its beginning otherwise.
    """

    run: str
    attempt: int
    stream: str
    size: int
    begin: int
    data: bytes | None
    excerpt: str | None
    summary: str | None


def beginning(data: bytes, budget: int, size: int) -> str:
    """Return the beginning of output as text, within so many bytes of UTF-8.

    No character is cut in two. What is cut off is marked, where there is room for the mark.

    Args:
        data: The output, or its beginning.
        budget: The most bytes that the text has.
        size: Of the whole output.
    """
    is_whole = len(data) == size
    text = (data if is_whole else _without_begun(data)).decode(errors="replace").encode()
    if is_whole and len(text) <= budget:
        return text.decode()
    mark = f"\n{TRUNCATED}" if budget > _ROOM else ""
    return text[: budget - len(mark)].decode(errors="ignore") + mark


def ending(data: bytes, budget: int, size: int) -> str:
    """Return the end of output as text, within so many bytes of UTF-8; see `beginning`.

    Args:
        data: The output, or its end.
        budget: The most bytes that the text has.
        size: Of the whole output.
    """
    is_whole = len(data) == size
    text = (data if is_whole else _without_rest(data)).decode(errors="replace").encode()
    if is_whole and len(text) <= budget:
        return text.decode()
    mark = f"{TRUNCATED}\n" if budget > _ROOM else ""
    room = budget - len(mark)
    return mark + text[max(len(text) - room, 0) :].decode(errors="ignore")


_ROOM = 2 * len(TRUNCATED)
_LONGEST = 4
_TWO_BITS, _CONTINUES = 0xC0, 0x80
_FIRST_OF = ((0xF0, 4), (0xE0, 3), (0xC0, 2))
"""Least values of bytes that begin a character of so many bytes (RFC 3629)."""


def _without_begun(data: bytes) -> bytes:
    """Return bytes without a character that is begun at their end."""
    for back in range(1, min(_LONGEST, len(data) + 1)):
        byte = data[-back]
        if byte & _TWO_BITS != _CONTINUES:
            length = next((length for least, length in _FIRST_OF if byte >= least), 1)
            return data[:-back] if length > back else data
    return data


def _without_rest(data: bytes) -> bytes:
    """Return bytes without the rest of a character at their beginning."""
    begun = 0
    while begun < min(_LONGEST - 1, len(data)) and data[begun] & _TWO_BITS == _CONTINUES:
        begun += 1
    return data[begun:]
