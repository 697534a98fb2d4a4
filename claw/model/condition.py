"""Conditions: what the end of a run has to be like for something to follow from it.

=================  ======================================================================
``contains:TEXT``  the text is in what its last attempt has printed, case and all
``regex:PATTERN``  Python's expression is found there; ``^`` and ``$`` are the ends of lines
``exit:N[,N..]``   with one of these its child has exited; of a signal: 128 and its number
``json:PATH=V``    at this way into its result is that value: ``json:report.status=done``
=================  ======================================================================

What is printed is looked at as it is, standard output and then standard error, of each the
first and the last `SEARCHED_BYTES`, before the end of the run is decided. A condition of
which nothing is known does not hold.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum

from claw.model import outcome

SEARCHED_BYTES = 1 << 20
"""So much of each stream is looked at, and of a longer one as much of its end."""

_LONGEST = 1000
_MOST_CODES = 256
_MOST_CODE = 255


class Kind(StrEnum):
    """What a condition is about; the word before its colon."""

    CONTAINS = "contains"
    REGEX = "regex"
    EXIT = "exit"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; two with the same text are one.

    Attributes:
        kind: What it is about.
        value: What follows the colon.
    """

    kind: Kind
    value: str

    @property
    def text(self) -> str:
        """As it is written, stored and said."""
        return f"{self.kind}:{self.value}"

    @property
    def is_of_output(self) -> bool:
        """Whether what was printed tells."""
        return self.kind in {Kind.CONTAINS, Kind.REGEX}

    @property
    def is_of_exit(self) -> bool:
        """Whether the exit status alone tells."""
        return self.kind is Kind.EXIT

    def is_met_by_exit(self, code: int | None, signal: int | None) -> bool:
        """Tell whether a child has ended so.

        Args:
            code: Its exit code; None: it had none.
            signal: The signal that ended it; None: none did.
        """
        return outcome.exit_word(code, signal) in self.value.split(",")

    def is_met_by_output(self, data: bytes) -> bool:
        """Tell whether the text of ``contains`` is in a stream."""
        return self.value.encode() in data

    def is_met_by_result(self, result: str | None) -> bool:
        """Tell whether what ``json`` asks for is in a result.

        Args:
            result: JSON text; None: there is none.
        """
        if result is None:
            return False
        path, _, wanted = self.value.partition("=")
        try:
            found = json.loads(result)
            for step in path.split("."):
                found = found[int(step)] if isinstance(found, list) else found[step]
        except (ValueError, LookupError, TypeError):
            return False
        return _is_same(found, wanted)


def _is_same(found: object, wanted: str) -> bool:
    """Tell whether a value of JSON is what was written; quotes may be left out."""
    if found == wanted:
        return True
    try:
        value: object = json.loads(wanted)
    except ValueError:
        return False
    # To Python 1 and true are the same; to JSON they are not.
    return json.dumps(found, sort_keys=True) == json.dumps(value, sort_keys=True) or (
        _is_number(found) and _is_number(value) and found == value
    )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def parse(text: str) -> Condition:
    """Return the condition of a text.

    Raises:
        ValueError: It is none; says what one looks like.
    """
    word, colon, value = text.partition(":")
    if not colon or word not in {*Kind}:
        raise ValueError(
            "a condition begins with contains:TEXT, regex:PATTERN, exit:CODE or"
            f" json:PATH=VALUE, not {_short(text)}"
        )
    if not value:
        raise ValueError(f"nothing follows {word}: write what is looked for")
    if len(text) > _LONGEST or "\0" in text:
        raise ValueError(f"1 to {_LONGEST} characters are expected, and no NUL")
    kind = Kind(word)
    if kind is Kind.REGEX:
        _check_expression(value)
    elif kind is Kind.EXIT:
        value = _codes(value)
    elif kind is Kind.JSON:
        _check_path(value)
    return Condition(kind, value)


def _check_expression(value: str) -> None:
    try:
        re.compile(value)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{_short(value)} is no regular expression: {error}") from None


def _codes(value: str) -> str:
    """Return exit codes in the one way in which they are kept."""
    words = [word.strip() for word in value.split(",")]
    are_codes = all(
        word.isascii() and word.isdecimal() and int(word) <= _MOST_CODE for word in words
    )
    if not are_codes or len(words) > _MOST_CODES:
        raise ValueError(
            f"{_short(value)} are no exit codes: write exit:3, or exit:3,4 (0 to {_MOST_CODE})"
        )
    return ",".join(str(int(word)) for word in words)


def _check_path(value: str) -> None:
    path, sign, _ = value.partition("=")
    if not sign or not all(path.split(".")):
        raise ValueError(
            f"{_short(value)} is no way into a result and its value: write"
            " json:report.status=done"
        )


def _short(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:59]!r}…"  # noqa: PLR2004
