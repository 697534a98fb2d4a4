"""Happenings: events that come in from outside, and which jobs they start.

An event has a name, like ``orders.new``, and data, any JSON. A job names those that start it
by patterns as the shell has them: ``orders.*``.
"""

import fnmatch
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MAX_DATA = 256 << 10
"""So many bytes the data of one event may have, as JSON without spaces."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_PATTERN = re.compile(r"[A-Za-z0-9_*?\[!][A-Za-z0-9._*?\[\]!-]{0,127}")


class Source(StrEnum):
    """How an event came."""

    EMIT = "emit"
    CHILD = "child"
    TOKEN = "token"  # noqa: S105  by whoever has a token for it
    SPOOL = "spool"
    WATCH = "watch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One event; a row of the store."""

    id: str
    name: str
    data: str  # JSON
    at: datetime
    by: str
    source: Source
    run: str | None = None  # whose child has told of it

    @property
    def document(self) -> bytes:
        """What a job that it starts is given to read."""
        facts = {
            "id": self.id,
            "name": self.name,
            "at": self.at.isoformat(),
            "by": self.by,
            "source": self.source,
            "run": self.run,
            "data": json.loads(self.data),
        }
        return json.dumps(facts, ensure_ascii=False).encode() + b"\n"


def name_problem(name: str) -> str | None:
    """Return what is wrong with the name of an event, or None."""
    if _NAME.fullmatch(name):
        return None
    return "letters, digits, '_', '.', '-' only, not starting with '.' or '-', at most 128"


def pattern_problem(pattern: str) -> str | None:
    """Return what is wrong with a pattern for names of events, or None."""
    if _PATTERN.fullmatch(pattern):
        return None
    return "the name of an event, or a pattern like orders.*: letters, digits, _.-*?[]!"


def matches(patterns: Iterable[str], name: str) -> bool:
    """Tell whether one of some patterns means an event."""
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def text_of(data: object) -> str:
    """Return data as it is stored.

    Raises:
        ValueError: It is too large.
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    size = len(text.encode())
    if size > MAX_DATA:
        raise ValueError(f"{size} bytes of data are more than the {MAX_DATA} an event may have")
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Bridge:
    """A token by which whoever has it may tell of some events; a row of the store."""

    id: str
    patterns: tuple[str, ...]
    by: str
    at: datetime
    expires_at: datetime
