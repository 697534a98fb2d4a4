"""Durations and sizes as people write them.

Durations are seconds (float), sizes are bytes (int).
"""

import math
import re

_DURATION_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)")
_SIZE_UNITS = {"": 1, "B": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([BKMGT]?)(?:i?B)?", re.IGNORECASE)
MAX_DURATION_S = 100 * 366 * 86400.0
"""A century: beyond it a number is a slip, and time arithmetic overflows."""


def parse_duration(value: object) -> float:
    """Return seconds for ``"90s"``, ``"1h30m"``, ``"2d"``, ``"500ms"`` or a number.

    Raises:
        ValueError: With a text that says what a duration looks like.
    """
    seconds = _duration_of(value)
    if not math.isfinite(seconds) or seconds < 0:
        raise ValueError("a duration cannot be negative or infinite")
    if seconds > MAX_DURATION_S:
        raise ValueError("a duration of more than a hundred years")
    return seconds


def _duration_of(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError('a duration is written like "90s", "5m", "1h30m" or as seconds')  # noqa: TRY004
    if isinstance(value, int | float):
        return float(value)
    text = value.strip()
    try:
        return float(text)
    except ValueError:
        pass
    parts = _DURATION_PART.findall(text)
    if not parts or _DURATION_PART.sub("", text).strip():
        raise ValueError(
            f'{value!r} is no duration: write "90s", "5m", "1h30m", "2d" or seconds'
        )
    return sum(float(number) * _DURATION_UNITS[unit] for number, unit in parts)


def format_duration(seconds: float) -> str:
    """Return a short text for people: ``"0s"``, ``"1.5s"``, ``"5m"``, ``"1h30m"``, ``"2d"``."""
    if seconds < 60:  # noqa: PLR2004
        return f"{seconds:.3g}s"
    whole = round(seconds)
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts[:2])


def format_size(size: int) -> str:
    """Return a short text for people: ``"512M"``, ``"1.5G"``, ``"100B"``."""
    for unit in "TGMK":
        if size >= _SIZE_UNITS[unit]:
            return f"{size / _SIZE_UNITS[unit]:.4g}{unit}"
    return f"{size}B"


def parse_size(value: object) -> int:
    """Return bytes for ``"64K"``, ``"50M"``, ``"2G"`` (powers of 1024) or a whole number.

    Raises:
        ValueError: With a text that says what a size looks like.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError('a size is written like "64K", "50M", "2G" or as bytes')  # noqa: TRY004
    if isinstance(value, int):
        if value < 0:
            raise ValueError("a size cannot be negative")
        return value
    match = _SIZE.fullmatch(value.strip())
    if match is None:
        raise ValueError(f'{value!r} is no size: write "64K", "50M", "2G" or bytes')
    return int(float(match[1]) * _SIZE_UNITS[match[2].upper()])
