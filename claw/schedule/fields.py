"""The grammar of cron expressions: text in, sets of numbers out.

Five fields, ``minute hour day-of-month month day-of-week``, or six with the seconds
first, as the corpus's crontabs, Quartz and `cronsim` have them. Where six make no sense so
and do with the seconds last, as croniter has them (``0 3 * * fri 30``), that is meant.
A field is a list of ``*``, ``a``, ``a-b``, each with an optional ``/step``; months and
weekdays may be named; a range may wrap (``FRI-MON``, ``22-2``). ``L`` is the last day of the
month, ``5L`` or ``L5`` its last Friday, ``5#2`` its second. croniter's own grammar is not
used: version 7.0.0 takes the range ``13-13`` for a wildcard.
"""

import contextlib
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

LAST = 0
"""In `Fields.nth_weekdays`: the last such weekday of the month."""

_MAX_NTH = 5
_MAX_DIGITS = 6
_WITHOUT_SECONDS = 5
_WITH_SECONDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """What an expression says; every tuple is sorted and has no duplicate.

    ``nth_weekdays`` holds (weekday, n) with n from 1 to 5 or `LAST`; Sunday is 0.
    ``either_day`` is Vixie cron's rule: a date that fits the day of month or the day of
    week will do. It holds when neither field begins with a star; ``*/2`` does, as in
    Debian's cron. ``fixed`` says that no field of the time of day begins with a star.
    """

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    last_day: bool
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    nth_weekdays: tuple[tuple[int, int], ...]
    either_day: bool
    fixed: bool


@dataclass(frozen=True, slots=True)
class _Field:
    label: str
    low: int
    high: int
    names: Mapping[str, int] = field(default_factory=dict)
    cycle_high: int | None = None  # where a wrapping range turns, when not at ``high``

    @property
    def form(self) -> str:
        """What may stand in the field, for people."""
        names = f" or {'|'.join(self.names)}" if self.names else ""
        return f"{self.low}-{self.high}{names}"


_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")

_SECOND = _Field("second", 0, 59)
_MINUTE = _Field("minute", 0, 59)
_HOUR = _Field("hour", 0, 23)
_DAY = _Field("day of month", 1, 31)
_MONTH = _Field("month", 1, 12, {name: no for no, name in enumerate(_MONTHS, start=1)})
_WEEKDAY = _Field("day of week", 0, 7, {name: no for no, name in enumerate(_WEEKDAYS)}, 6)


def parse_fields(expression: str) -> Fields:
    """Read the five or six fields of an expression.

    Raises:
        ValueError: With a text that names the field, what is wrong with it and what may
            stand there.
    """
    words = expression.split()
    if len(words) not in (_WITHOUT_SECONDS, _WITH_SECONDS):
        raise ValueError(_wrong_number(expression, len(words)))
    try:
        return _read(words)
    except ValueError as error:
        if len(words) == _WITH_SECONDS:
            with contextlib.suppress(ValueError):
                return _read([words[-1], *words[:-1]])
        raise ValueError(f"{expression!r}: {error}") from None


def _wrong_number(expression: str, count: int) -> str:
    counted = f"{count} field{'' if count == 1 else 's'}"
    return (
        f"{expression!r} has {counted}: write 5 (minute hour day-of-month month day-of-week), "
        "or 6 with the seconds first, or @daily and the like"
    )


def _read(words: Sequence[str]) -> Fields:
    times, (day, month, weekday) = words[:-3], words[-3:]
    minute, hour = times[-2:]
    days, last_day = _read_days(day)
    weekdays, nth_weekdays = _read_weekdays(weekday)
    return Fields(
        seconds=_numbers(_SECOND, times[0]) if len(words) == _WITH_SECONDS else (0,),
        minutes=_numbers(_MINUTE, minute),
        hours=_numbers(_HOUR, hour),
        days=days,
        last_day=last_day,
        months=_numbers(_MONTH, month),
        weekdays=weekdays,
        nth_weekdays=nth_weekdays,
        either_day=not day.startswith("*") and not weekday.startswith("*"),
        fixed=not any(word.startswith("*") for word in times),
    )


def _read_days(text: str) -> tuple[tuple[int, ...], bool]:
    items = text.split(",")
    plain = [item for item in items if item.upper() != "L"]
    numbers = {number for item in plain for number in _item(_DAY, item)}
    return tuple(sorted(numbers)), len(plain) < len(items)


def _read_weekdays(text: str) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    plain: set[int] = set()
    nth: set[tuple[int, int]] = set()
    for item in text.split(","):
        if "#" in item:
            nth |= _nth(item)
        elif item.upper().startswith("L") or item.upper().endswith("L"):
            nth.add((_last(item), LAST))
        else:
            plain |= {number % 7 for number in _item(_WEEKDAY, item)}
    return tuple(sorted(plain)), tuple(sorted(nth))


def _nth(item: str) -> set[tuple[int, int]]:
    weekday, _, which = item.partition("#")
    if not _is_number(which) or not 1 <= int(which) <= _MAX_NTH:
        raise ValueError(
            f"day of week {item!r}: after # comes which one of the month, 1-5, "
            "as in FRI#2 for the second Friday"
        )
    return {(number % 7, int(which)) for number in _item(_WEEKDAY, weekday)}


def _last(item: str) -> int:
    weekday = item.upper().removesuffix("L").removeprefix("L")
    if not weekday:
        raise ValueError(
            f"day of week {item!r}: the last of which weekday? write 5L for the last Friday "
            "of the month, or put L into the day of month for its last day"
        )
    return _number(_WEEKDAY, weekday) % 7


def _numbers(spec: _Field, text: str) -> tuple[int, ...]:
    return tuple(sorted({number for item in text.split(",") for number in _item(spec, item)}))


def _item(spec: _Field, item: str) -> Sequence[int]:
    body, slash, step_text = item.partition("/")
    step = _step(spec, item, step_text) if slash else 1
    if body == "*":
        return range(spec.low, spec.high + 1, step)
    first, dash, last = body.partition("-")
    low = _number(spec, first)
    if dash:
        return _span(spec, low, _number(spec, last))[::step]
    return range(low, spec.high + 1, step) if slash else (low,)


def _span(spec: _Field, low: int, high: int) -> Sequence[int]:
    if low <= high:
        return range(low, high + 1)
    top = spec.high if spec.cycle_high is None else spec.cycle_high
    if low > top:  # Sunday as 7
        return range(spec.low, high + 1)
    return (*range(low, top + 1), *range(spec.low, high + 1))


def _step(spec: _Field, item: str, text: str) -> int:
    if not _is_number(text) or int(text) == 0:
        raise ValueError(
            f"{spec.label} {item!r}: after the slash comes a whole number from 1 on, as in */5"
        )
    return int(text)


def _number(spec: _Field, text: str) -> int:
    named = spec.names.get(text.upper())
    if named is not None:
        return named
    if not _is_number(text):
        raise ValueError(_not_understood(spec, text))
    if not spec.low <= int(text) <= spec.high:
        raise ValueError(f"{spec.label} {text} is out of range: write {spec.form}")
    return int(text)


def _not_understood(spec: _Field, text: str) -> str:
    if text == "?":
        return f"{spec.label} '?': write * for any"
    if spec is _DAY and text.upper().replace("L", "").strip("0123456789") == "W":
        return f"{spec.label} {text!r}: the nearest weekday (W) is not available"
    near = difflib.get_close_matches(text.upper()[:3], spec.names, n=1)
    hint = f", did you mean {near[0]}?" if near else ""
    return (
        f"{spec.label} {text!r} is not understood{hint or ':'} write {spec.form}, * for any, "
        "ranges 1-5, lists 1,3,5 or steps */5"
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS
