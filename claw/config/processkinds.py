"""Kinds of values that are about a process: accounts, limits, amounts."""

import math
import re
import resource

from claw.config.kinds import Kind, MistakesError, Step, nearest, plain, show, unlike
from claw.model import units

Limit = tuple[str, int, int]
"""A name of getrlimit(2), its soft and its hard limit; -1 for none."""

_UNLIMITED = -1
_LIMIT_NAMES = [
    "as", "core", "cpu", "data", "fsize", "memlock", "msgqueue", "nice", "nofile", "nproc",
    "rss", "rtprio", "rttime", "sigpending", "stack",
]  # fmt: skip
_LEAST_MEMORY_BYTES = 1 << 20
_LIMIT_EXAMPLE = 'a number, "64M", "unlimited" or "SOFT:HARD"'
_MOST_ID = 2**32 - 2
"""The largest number of a user or group: the one above it stands for none (chown(2))."""
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\$?")


def _account(value: object) -> str:
    is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    text = str(value) if is_number else plain(value)
    if text.isdecimal() and int(text[:20]) > _MOST_ID:
        raise ValueError(f"{show(text)} is no number of a user or group: {_MOST_ID} at most")
    if text and not _ACCOUNT.fullmatch(text):
        raise ValueError(f"{show(text)} is no name of a user or group")
    return text


ACCOUNT = Kind("name or number", _account, {"type": ["string", "integer"], "minimum": 0})


def _limits(value: object) -> tuple[Limit, ...]:
    if not isinstance(value, dict):
        raise unlike("a table of limits, like { nofile = 65536 },", value)
    parsed: list[Limit] = []
    wrong: list[tuple[tuple[Step, ...], str]] = []
    for name, amount in value.items():
        try:
            parsed.append((_limit_name(name), *_limit(amount)))
        except ValueError as error:
            wrong.append(((name,), str(error)))
    if wrong:
        raise MistakesError(wrong)
    return tuple(sorted(parsed))


def _limit_name(name: str) -> str:
    if name not in _LIMIT_NAMES or not hasattr(resource, f"RLIMIT_{name.upper()}"):
        near = nearest(name.lower().removeprefix("rlimit_"), _LIMIT_NAMES)
        raise ValueError(
            f"there is no such limit{near or '; known are ' + ', '.join(_LIMIT_NAMES)}"
        )
    return name


def _limit(value: object) -> tuple[int, int]:
    if isinstance(value, str) and ":" in value:
        soft, _, hard = value.partition(":")
        found = _amount(soft), _amount(hard)
    else:
        found = _amount(value), _amount(value)
    if found[1] != _UNLIMITED and not 0 <= found[0] <= found[1]:
        raise ValueError(f"{show(value)}: the soft limit is beyond the hard one")
    return found


def _amount(value: object) -> int:
    if isinstance(value, str) and value.strip().lower() in {"unlimited", "infinity"}:
        return _UNLIMITED
    try:
        amount = units.parse_size(value)
    except ValueError:
        raise unlike(_LIMIT_EXAMPLE, value) from None
    if amount >= 1 << 63:
        raise ValueError(f'{show(value)} is more than can be counted: write "unlimited"')
    return amount


LIMITS = Kind(
    "table of limits",
    _limits,
    {
        "type": "object",
        "properties": {
            name: {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}]}
            for name in _LIMIT_NAMES
        },
        "additionalProperties": False,
    },
)


def _memory(value: object) -> int:
    size = units.parse_size(value)
    if size < _LEAST_MEMORY_BYTES:
        raise ValueError(f"{show(value)}: less than 1M, and no program fits into that")
    return size


MEMORY = Kind(
    "size",
    _memory,
    {
        "anyOf": [
            {"type": "integer", "minimum": _LEAST_MEMORY_BYTES},
            {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*([BbKkMmGgTt])?([iI]?[bB])?\s*$"},
        ]
    },
)


def _cpu(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise unlike("a number of processors, like 1.5,", value)
    if not math.isfinite(value) or not 0.01 <= value <= 10_000:  # noqa: PLR2004
        raise ValueError(f"{show(value)} is no number of processors from 0.01 to 10000")
    return float(value)


CPU = Kind("number", _cpu, {"type": "number", "minimum": 0.01, "maximum": 10_000})
