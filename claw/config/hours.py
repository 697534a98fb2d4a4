"""The key ``hours``, and what the other keys about time have to do with each other."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from claw.config.kinds import Kind, MistakesError, Step, member_of, nearest, show, unlike
from claw.config.when import ZONE
from claw.model.timing import Hours, Outside

T = TypeVar("T")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})")
_DAY_MINUTES = 24 * 60
_KEYS = ("days", "from", "to", "timezone", "outside")
_LIKE = '{ days = "mon-fri", from = "08:00", to = "18:00" }'
_EXAMPLE = 'write days like "mon-fri" or "mon,wed,fri", or a list of them'
_OUTSIDE = member_of(Outside)


class Written(NamedTuple):
    """The value of ``hours`` as it is written: the zone may still be the job's own."""

    days: str
    begin: tuple[int, int]
    end: tuple[int, int]
    timezone: str
    outside: Outside

    def hours(self, timezone: str) -> Hours:
        """Return the hours, on the clock of a zone where none is written."""
        return Hours(
            days=self.days,
            begin=self.begin,
            end=self.end,
            timezone=self.timezone or timezone,
            outside=self.outside,
        )


def _hours(value: object) -> Written:
    if not isinstance(value, dict):
        raise unlike(f"a table like {_LIKE}", value)
    wrong: list[tuple[tuple[Step, ...], str]] = [
        ((key,), f"unknown key{nearest(str(key), list(_KEYS))}")
        for key in value
        if key not in _KEYS
    ]
    written = Written(
        days=_read(value, "days", _days, "*", wrong),
        begin=_read(value, "from", _clock, (0, 0), wrong),
        end=_read(value, "to", _clock, (24, 0), wrong),
        timezone=_read(value, "timezone", ZONE.parse, "", wrong),
        outside=_read(value, "outside", _OUTSIDE.parse, Outside.SKIP, wrong),
    )
    if wrong := wrong or list(_contradictions(value, written)):
        raise MistakesError(wrong)
    return written


def _read(
    table: Mapping[str, object],
    key: str,
    parse: Callable[[object], T],
    default: T,
    wrong: list[tuple[tuple[Step, ...], str]],
) -> T:
    try:
        return parse(table[key]) if key in table else default
    except ValueError as error:
        wrong.append(((key,), str(error)))
        return default


def _contradictions(
    value: Mapping[str, object], written: Written
) -> Iterator[tuple[tuple[Step, ...], str]]:
    if not value.keys() & {"days", "from", "to"}:
        yield (), f"neither days nor from and to: write them, like {_LIKE}"
    if written.begin == written.end:
        yield ("to",), 'the same as from: write "00:00" and "24:00" for the whole day'
    if written.begin == (24, 0):
        yield ("from",), 'write "00:00"'


def _days(value: object) -> str:
    items = value if isinstance(value, list) else [value]
    texts: list[str] = []
    for item in items:
        if not isinstance(item, str):
            raise unlike("days of the week in quotes", item)
        texts += [part.strip().lower() for part in item.split(",")]
    if texts == ["*"]:
        return "*"
    if texts == [""] or not texts:
        raise ValueError(f"no day: {_EXAMPLE}, or leave it out for every day")
    for text in texts:
        for day in text.split("-") if text.count("-") <= 1 else [text]:
            if day not in _DAYS:
                hint = nearest(day, list(_DAYS))
                raise ValueError(f"{show(text)} is no day of the week{hint}: {_EXAMPLE}")
    return ",".join(dict.fromkeys(texts))


def _clock(value: object) -> tuple[int, int]:
    if not isinstance(value, str):
        raise unlike('a time of day in quotes, like "08:00",', value)
    match = _CLOCK.fullmatch(value.strip())
    if match is None or not _is_of_a_day(at := (int(match[1]), int(match[2]))):
        raise ValueError(f'{show(value)} is no time of day: write one like "08:00"')
    return at


def _is_of_a_day(at: tuple[int, int]) -> bool:
    hour, minute = at
    return minute < 60 and hour * 60 + minute <= _DAY_MINUTES  # noqa: PLR2004


HOURS = Kind(
    "table",
    _hours,
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "days": {
                "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
            },
            "from": {"type": "string", "pattern": r"^\s*\d{1,2}:\d{2}\s*$"},
            "to": {"type": "string", "pattern": r"^\s*\d{1,2}:\d{2}\s*$"},
            "timezone": {"type": "string"},
            "outside": dict(_OUTSIDE.schema),
        },
    },
)
