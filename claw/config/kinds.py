"""Kinds of values: how TOML becomes a typed value, and what an editor is told of it.

A kind's ``parse`` takes what tomllib yields and returns the value, or raises ValueError
with a text that a stranger can act on. `MistakesError` carries several at once, each with the
way from the field to the item that is wrong.
"""

import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from enum import StrEnum
from typing import Generic, TypeVar, cast

from claw.model import units

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Step = str | int
"""One step of a key path: a key, or an index in a list."""

LONGEST_ARGUMENT_BYTES = 131_071
"""Linux takes no longer argument or environment entry (execve(2), MAX_ARG_STRLEN)."""

_LONGEST_LINE = 1_000
_SHOWN = 60
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:/@+-]{0,63}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_REAL_TIME_SIGNAL = re.compile(r"RTMIN(?:\+(\d{1,2}))?|RTMAX(?:-(\d{1,2}))?")


class MistakesError(ValueError):
    """Several things are wrong with one value; ``items`` are (way to it, text)."""

    def __init__(self, items: list[tuple[tuple[Step, ...], str]]) -> None:
        super().__init__("; ".join(text for _way, text in items))
        self.items = items


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """One kind of value.

    Attributes:
        label: What people call it, for documents and for errors: "a duration".
        parse: TOML value to typed value; raises ValueError.
        schema: JSON Schema of the TOML value.
        refers: Whether `claw.model.reference` may stand in it, or is the kind's to refuse;
            elsewhere it is a mistake.
    """

    label: str
    parse: Callable[[object], T]
    schema: Mapping[str, object]
    refers: bool = False


def show(value: object) -> str:
    """Return a value as an error quotes it: short, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, datetime | date | time):
        return f"the date or time {value.isoformat()}"
    try:
        text = repr(value) if isinstance(value, str) else str(value)
    except ValueError:  # an integer of more digits than Python prints
        return "a huge number"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def unlike(label: str, value: object) -> ValueError:
    """Return the error for a value of the wrong type."""
    return ValueError(f"{label} is expected, not {show(value)}")


def nearest(word: str, known: list[str]) -> str:
    """Return ``, did you mean "x"?`` for the nearest known word, or ''."""
    lower = {name.lower(): name for name in known}
    found = get_close_matches(word.lower()[:100], lower, n=1, cutoff=0.6)
    return f', did you mean "{lower[found[0]]}"?' if found else ""


def optional(kind: Kind[T]) -> Kind[T | None]:
    """Return the same kind for a field that may be left out."""
    return cast("Kind[T | None]", kind)


def plain(value: object) -> str:
    """Return a text without NUL bytes, which no program can be given."""
    if not isinstance(value, str):
        raise unlike("a text in quotes", value)
    if "\0" in value:
        raise ValueError("a NUL byte cannot be passed to a program")
    return value


def _prose(value: object) -> str:
    text = plain(value)
    found = _CONTROL.search(text)
    if found:
        raise ValueError(f"the control character {found[0]!r} would garble a terminal")
    return text


def _line(value: object) -> str:
    text = _prose(value)
    if "\n" in text:
        raise ValueError("one line is expected, not several")
    if len(text) > _LONGEST_LINE:
        raise ValueError(f"longer than {_LONGEST_LINE} characters")
    return text


def argument(value: object) -> str:
    """Return a text that a program can be given as one argument."""
    text = plain(value)
    if len(text.encode()) > LONGEST_ARGUMENT_BYTES:
        raise ValueError(
            f"longer than {LONGEST_ARGUMENT_BYTES} bytes, and the kernel takes no longer"
            " argument: put it into a file"
        )
    return text


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise unlike("true or false, without quotes,", value)
    return value


TEXT = Kind("text", _prose, {"type": "string"})
LINE = Kind("text", _line, {"type": "string"})
SWITCH = Kind("true or false", _switch, {"type": "boolean"})


def integer(low: int, high: int) -> Kind[int]:
    """Return the kind of whole numbers from ``low`` to ``high``."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise unlike(f"a whole number from {low} to {high}, without quotes,", value)
        if not low <= value <= high:
            raise ValueError(
                f"a whole number from {low} to {high} is expected, not {show(value)}"
            )
        return value

    return Kind("number", parse, {"type": "integer", "minimum": low, "maximum": high})


def one_of(*choices: str) -> Kind[str]:
    """Return the kind of these words."""

    def parse(value: object) -> str:
        return _choice(value, list(choices))

    return Kind(_or(choices), parse, {"enum": list(choices)})


def member_of(choices: type[E]) -> Kind[E]:
    """Return the kind of an enumeration's values."""

    def parse(value: object) -> E:
        return choices(_choice(value, [str(one) for one in choices]))

    words = [str(one) for one in choices]
    return Kind(_or(words), parse, {"enum": words})


def _choice(value: object, choices: list[str]) -> str:
    if not isinstance(value, str):
        raise unlike("one of " + ", ".join(f'"{one}"' for one in choices), value)
    if value not in choices:
        listed = ", ".join(choices)
        raise ValueError(f"{show(value)} is none of {listed}{nearest(value, choices)}")
    return value


def _or(words: list[str] | tuple[str, ...]) -> str:
    return " | ".join(f"`{word}`" for word in words)


_DURATION_SCHEMA: dict[str, object] = {
    "anyOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": r"^\s*(\d+(\.\d+)?\s*(ms|s|m|h|d|w)?\s*)+$"},
    ]
}


def _duration(value: object) -> float:
    if isinstance(value, str) and len(value) > _SHOWN:
        raise ValueError(f"{show(value)} is no duration")
    try:
        return units.parse_duration(value)
    except OverflowError:
        raise ValueError("a duration of more than a hundred years") from None


DURATION = Kind("duration", _duration, _DURATION_SCHEMA)


def _duration_or_empty(value: object) -> float | None:
    return None if value == "" else _duration(value)


DURATION_OR_EMPTY = Kind(
    "duration",
    _duration_or_empty,
    {"anyOf": [*_DURATION_SCHEMA["anyOf"], {"const": ""}]},  # type: ignore[misc]
)


def size(*, least: int = 0) -> Kind[int]:
    """Return the kind of sizes in bytes: 0, or from ``least`` on."""

    def parse(value: object) -> int:
        if isinstance(value, str) and len(value) > _SHOWN:
            raise ValueError(f"{show(value)} is no size")
        try:
            parsed = units.parse_size(value)
        except OverflowError:
            raise ValueError(f"{show(value)} is no size") from None
        if 0 < parsed < least:
            raise ValueError(f"at least {least} bytes, or 0 for no limit, not {show(value)}")
        if parsed > _LARGEST_BYTES:
            raise ValueError("a size of more than an exbibyte")
        return parsed

    return Kind("size", parse, _SIZE_SCHEMA)


_LARGEST_BYTES = 1 << 60
_SIZE_SCHEMA: Mapping[str, object] = {
    "anyOf": [
        {"type": "integer", "minimum": 0},
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*[BbKkMmGgTt]?(i?[Bb])?\s*$"},
    ]
}


def octal(*, needed: int = 0, needed_why: str = "") -> Kind[int]:
    """Return the kind of file modes and masks; ``needed`` are bits that must be set."""

    def parse(value: object) -> int:
        if not isinstance(value, str) or not re.fullmatch(r"0?[0-7]{3}", value):
            raise unlike('three octal digits in quotes, like "022",', value)
        mode = int(value, 8)
        if mode & needed != needed:
            raise ValueError(f"{show(value)} lacks {needed:#o}: {needed_why}")
        return mode

    return Kind("octal", parse, {"type": "string", "pattern": "^0?[0-7]{3}$"})


def list_of(item: Kind[T], *, least: int = 0, most: int = 1000) -> Kind[tuple[T, ...]]:
    """Return the kind of lists; every item that is wrong is reported."""

    def parse(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise unlike(f"a list in brackets ({item.label})", value)
        if len(value) < least:
            raise ValueError(f"the list is empty: write at least {least} {item.label}")
        if len(value) > most:
            raise ValueError(f"at most {most} are possible, not {len(value)}")
        return parse_items(item, value)

    schema = {"type": "array", "items": dict(item.schema), "minItems": least}
    return Kind(f"list of {item.label}", parse, schema)


def parse_items(item: Kind[T], values: list[object]) -> tuple[T, ...]:
    """Return every item parsed.

    Raises:
        MistakesError: With the index of every item that is wrong.
    """
    parsed: list[T] = []
    wrong: list[tuple[tuple[Step, ...], str]] = []
    for index, value in enumerate(values):
        try:
            parsed.append(item.parse(value))
        except MistakesError as mistakes:
            wrong += [((index, *way), text) for way, text in mistakes.items]
        except ValueError as error:
            wrong.append(((index,), str(error)))
    if wrong:
        raise MistakesError(wrong)
    return tuple(parsed)


def _tag(value: object) -> str:
    text = plain(value)
    if not _TAG.fullmatch(text):
        raise ValueError(
            f"{show(text)} is no tag: letters, digits and . _ : / @ + - only, at most 64"
        )
    return text


TAG = Kind("tag", _tag, {"type": "string"})


def _signal(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        if value in signal.valid_signals():
            return int(value)
        raise ValueError(f'{show(value)} is no signal of this system: write a name like "TERM"')
    if not isinstance(value, str):
        raise unlike('the name of a signal, like "TERM",', value)
    name = value.upper().removeprefix("SIG")
    number = _real_time_signal(name) or signal.Signals.__members__.get(f"SIG{name}")
    if number is None:
        known = [one.removeprefix("SIG") for one in signal.Signals.__members__]
        raise ValueError(f"{show(value)} is no signal{nearest(name, known)}")
    return int(number)


def _real_time_signal(name: str) -> int | None:
    match = _REAL_TIME_SIGNAL.fullmatch(name)
    if match is None:
        return None
    if name.startswith("RTMIN"):
        number = int(signal.SIGRTMIN) + int(match[1] or 0)
    else:
        number = int(signal.SIGRTMAX) - int(match[2] or 0)
    return number if signal.SIGRTMIN <= number <= signal.SIGRTMAX else None


SIGNAL = Kind("signal", _signal, {"type": ["string", "integer"]})
