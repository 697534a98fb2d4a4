"""JSON as RFC 8259 has it: Python's reader takes NaN, Infinity and 1e999 too, others do not."""

from __future__ import annotations

import json
import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def parse(text: str) -> Any:
    """Return the value of a text.

    Raises:
        ValueError: It is no JSON, or holds a number that JSON cannot name.
        RecursionError: It is nested too deeply.
    """
    return _parse(text)


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large a number")
    return number


_parse = json.JSONDecoder(parse_constant=_refuse, parse_float=_number).decode
