"""Values of files that are no TOML, in the words of claw."""

import re
from collections.abc import Mapping
from typing import cast

from claw.config.importers.quoting import literal
from claw.model.units import MAX_DURATION_S, format_duration

Table = Mapping[str, object]


def table(value: object) -> Table:
    """Return a value that should be a table; anything else is an empty one."""
    return cast("Table", value) if isinstance(value, dict) else {}


def items(value: object) -> list[object]:
    """Return a value that is a list, or stands for one of a single item."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def texts(value: object) -> list[str]:
    """Return a list's items as texts."""
    return [text(one) for one in items(value)]


def text(value: object) -> str:
    """Return a scalar as the text that a program would be given."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def is_true(value: object) -> bool:
    """Return a switch, also where it is written as a word."""
    return value is True or text(value).lower() in {"true", "yes", "on", "1"}


def number(value: object) -> int | None:
    """Return a whole number, also where it is written as a text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    found = re.fullmatch(r"\s*[+-]?\d{1,18}\s*", text(value))
    return int(found[0]) if found else None


def seconds(value: object) -> float | None:
    """Return an amount of seconds; None: it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        found = re.fullmatch(r"\d+(\.\d+)?", text(value))
        return float(found[0]) if found else None
    return float(value) if 0 <= value <= MAX_DURATION_S else None


def duration(amount: float) -> str:
    """Return seconds as a file has them, to the millisecond."""
    if 0 < amount < 1 or (amount < 60 and amount != int(amount)):  # noqa: PLR2004
        return f"{amount * 1000:g}ms"
    shown = format_duration(amount)
    whole = sum(
        int(count) * {"d": 86400, "h": 3600, "m": 60, "s": 1}[unit]
        for count, unit in re.findall(r"(\d+)([dhms])", shown)
    )
    return shown if whole == amount else f"{amount:g}s"


def environment(value: object) -> dict[str, str]:
    """Return variables of a table, or of a list of ``NAME=value``; names alone are left out."""
    if isinstance(value, dict):
        return {text(key): text(one) for key, one in value.items() if one is not None}
    pairs = (one.partition("=") for one in texts(value))
    return {name: rest for name, equals, rest in pairs if equals}


def put_env(job_env: dict[str, object], found: Mapping[str, str]) -> None:
    """Add variables that mean just what they say."""
    job_env |= {name: literal(one) for name, one in found.items()}
