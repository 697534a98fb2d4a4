"""Cron expressions in naive local time; the only user of croniter.

A local time is a number of seconds since 1970-01-01 00:00 on the clock of some zone that
knows no daylight saving; `claw.schedule.zone` maps it to instants. The times of a day
are a product of seconds, minutes and hours, so that ranks and counts are arithmetic.
croniter finds the days: it is given day fields as plain lists of numbers, never a range,
and never both sides of an either-or, since it narrows ``13 * FRI#2`` to an intersection.
"""

import copy
import difflib
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from croniter import croniter

from claw.schedule.fields import LAST, Fields, parse_fields

DAY_S = 86400
SEARCH_YEARS = 50
"""How far a search for the next day looks; the rarest date (29 February on a given
weekday, across 2100) comes again after 40 years."""

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local time has no zone here
_PROBE_DAY = 10957  # 2000-01-01: the 28 years from there have every kind of year
_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TimesOfDay:
    """The times of one day, in order, as if they were listed; in seconds after midnight."""

    hours: tuple[int, ...]
    minutes: tuple[int, ...]
    seconds: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.hours) * len(self.minutes) * len(self.seconds)

    def __getitem__(self, index: int) -> int:
        rest, second = divmod(index, len(self.seconds))
        hour, minute = divmod(rest, len(self.minutes))
        return self.hours[hour] * 3600 + self.minutes[minute] * 60 + self.seconds[second]

    def rank(self, time_of_day: int) -> int:
        """Return how many of the times are earlier than this one."""
        if time_of_day >= DAY_S:
            return len(self)
        rest, second = divmod(max(time_of_day, 0), 60)
        hour, minute = divmod(rest, 60)
        index = bisect_left(self.hours, hour)
        if index == len(self.hours) or self.hours[index] != hour:
            return index * len(self.minutes) * len(self.seconds)
        index = index * len(self.minutes) + (place := bisect_left(self.minutes, minute))
        if place == len(self.minutes) or self.minutes[place] != minute:
            return index * len(self.seconds)
        return index * len(self.seconds) + bisect_left(self.seconds, second)


@dataclass(frozen=True, slots=True)
class Cron:
    """One expression, ready to be asked for local times.

    ``days`` are croniter expressions; a date that fits one of them fits. ``fixed`` tells
    the DST rule: see `claw.schedule.zone`.
    """

    text: str
    times: TimesOfDay
    days: tuple[str, ...]
    fixed: bool

    def first_from(self, local: int) -> int | None:
        """Return the first local time that fits, this one or later.

        None means: not within `SEARCH_YEARS`, which for an accepted expression happens
        only where the calendar ends.
        """
        today, time_of_day = divmod(local, DAY_S)
        day = next_day(self.days, today)
        if day == today:
            index = self.times.rank(time_of_day)
            if index < len(self.times):
                return day * DAY_S + self.times[index]
            day = next_day(self.days, today + 1)
        return None if day is None else day * DAY_S + self.times[0]

    def count(self, low: int, high: int) -> int:
        """Count the local times that fit, ``low`` included, ``high`` not; O(days)."""
        return sum(len(places) for _, places in self._days_between(low, high))

    def between(self, low: int, high: int) -> Iterator[int]:
        """Yield the local times that fit, ``low`` included, ``high`` not, in order."""
        for midnight, places in self._days_between(low, high):
            for place in places:
                yield midnight + self.times[place]

    def _days_between(self, low: int, high: int) -> Iterator[tuple[int, range]]:
        day = next_day(self.days, low // DAY_S)
        while day is not None and (midnight := day * DAY_S) < high:
            yield (
                midnight,
                range(self.times.rank(low - midnight), self.times.rank(high - midnight)),
            )
            day = next_day(self.days, day + 1)


def parse_cron(text: str) -> Cron:
    """Read one expression, five or six fields or one of `MACROS`.

    Raises:
        ValueError: If it is not understood or can never fire, in words to act on.
    """
    fields = parse_fields(_without_macro(text))
    searches = _searches(fields)
    days = tuple(s for s in searches if next_day((s,), _PROBE_DAY) is not None)
    if not days:
        raise ValueError(f"{text!r} can never fire: {_why_never(fields)}")
    times = TimesOfDay(fields.hours, fields.minutes, fields.seconds)
    return Cron(text, times, days, fields.fixed)


def _without_macro(text: str) -> str:
    word = text.strip().lower()
    if not word.startswith("@"):
        return text
    if word not in MACROS:
        known = [*MACROS, "@reboot", "@every"]
        near = difflib.get_close_matches(word.split()[0], known, n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise ValueError(f"{text!r} is not understood: {hint}known are {', '.join(known)}")
    return MACROS[word]


def _searches(fields: Fields) -> tuple[str, ...]:
    """Return croniter's day fields for each way in which a date may fit."""
    month = _list_or_star(fields.months, 12)
    day = _list_or_star(fields.days, 31, ["l"] if fields.last_day else [])
    weekdays = [_list_or_star(fields.weekdays, 7)] if fields.weekdays else []
    if fields.nth_weekdays and "*" not in weekdays:  # croniter cannot mix the two kinds
        weekdays.append(",".join(_nth_text(*pair) for pair in fields.nth_weekdays))
    if fields.either_day:
        pairs = [(day, "*"), *(("*", weekday) for weekday in weekdays)]
    else:
        pairs = [(day, weekday) for weekday in weekdays]
    return tuple(f"{day} {month} {weekday}" for day, weekday in pairs)


def _list_or_star(numbers: Sequence[int], whole: int, more: Sequence[str] = ()) -> str:
    return "*" if len(numbers) == whole else ",".join([*map(str, numbers), *more])


def _nth_text(weekday: int, nth: int) -> str:
    return f"l{weekday}" if nth == LAST else f"{weekday}#{nth}"


def _why_never(fields: Fields) -> str:
    if not fields.last_day and min(fields.days) > max(
        _MONTH_DAYS[no - 1] for no in fields.months
    ):
        months = ", ".join(_MONTH_NAMES[no - 1] for no in fields.months)
        return f"no day {min(fields.days)} in {months}"
    return "no date fits its day of month, month and day of week together"


@lru_cache(maxsize=8192)
def next_day(searches: tuple[str, ...], day: int) -> int | None:
    """Return the first day that fits one of the searches, this day or later.

    Days are counted from 1970-01-01; None when there is none within `SEARCH_YEARS`.
    """
    found = [hit for search in searches if (hit := _search(search, day)) is not None]
    return min(found, default=None)


def _search(search: str, day: int) -> int | None:
    # A croniter keeps its place in itself, so each question goes to a copy.
    finder = copy.copy(_finder(search))
    try:
        before = _EPOCH + timedelta(days=day, seconds=-1)
        found: datetime = finder.get_next(datetime, start_time=before)
    except (ValueError, OverflowError):  # nothing found, or the calendar's end
        return None
    return (found - _EPOCH).days


@lru_cache(maxsize=1024)
def _finder(search: str) -> croniter:
    return croniter(
        f"0 0 {search}", _EPOCH, day_or=False, max_years_between_matches=SEARCH_YEARS
    )
