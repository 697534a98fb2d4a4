"""Times of systemd's timers as cron expressions; see systemd.time(7), "Calendar Events"."""

import re
from dataclasses import dataclass

from claw.config.when import ZONE, schedule_problem

_SHORT = {
    "minutely": "*-*-* *:*:00",
    "hourly": "*-*-* *:00:00",
    "daily": "*-*-* 00:00:00",
    "weekly": "Mon *-*-* 00:00:00",
    "monthly": "*-*-01 00:00:00",
    "yearly": "*-01-01 00:00:00",
    "annually": "*-01-01 00:00:00",
    "quarterly": "*-01,04,07,10-01 00:00:00",
    "semiannually": "*-01,07-01 00:00:00",
}
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY = r"(?:sun|mon|tue|wed|thu|fri|sat)[a-z]*"
_WEEKDAYS = re.compile(rf"(?i){_DAY}(?:(?:\.\.|-|,){_DAY})*,?")
_DATE = re.compile(r"(?:(?P<year>[^-~]+)-)?(?P<month>[^-~]+)(?P<mark>[-~])(?P<day>[^-~]+)")
_WEEKS = {(1, 7): 1, (8, 14): 2, (15, 21): 3, (22, 28): 4}
_LAST_WEEK = 7
_OLD_CENTURY = 70
"""Years of two digits from this one on are of the last century."""


@dataclass(frozen=True, slots=True)
class Fires:
    """A time in claw's words: an expression, or one moment."""

    schedule: str = ""
    run_at: str = ""
    timezone: str = ""


def parse(text: str) -> Fires:
    """Return what an ``OnCalendar=`` means.

    Raises:
        ValueError: No cron expression fires so; tells why.
    """
    words, timezone = _without_zone(text.split())
    if len(words) == 1 and words[0].lower() in _SHORT:
        words = _SHORT[words[0].lower()].split()
    weekday = words.pop(0) if words and _WEEKDAYS.fullmatch(words[0]) else ""
    time = words.pop() if words and ":" in words[-1] else "00:00:00"
    date = words.pop() if words else "*-*-*"
    if words:
        raise ValueError(f"{text!r} is not understood")
    found = _DATE.fullmatch(date)
    if found is None:
        raise ValueError(f"{date!r} is no date")
    hour, minute, second = _clock(time)
    year = found["year"] or "*"
    if year != "*":
        moment = _moment(year, found, weekday, (hour, minute, second))
        return Fires(run_at=moment, timezone=timezone)
    day, weekdays = _day(found["day"], found["mark"] == "~"), _weekdays(weekday)
    if weekdays != "*" and day != "*":
        day, weekdays = _both(day, weekdays)
    month = _numbers(found["month"], 1, 12)
    times = [_numbers(minute, 0, 59), _numbers(hour, 0, 23), day, month, weekdays]
    if second not in {"0", "00"}:
        times.insert(0, _numbers(second, 0, 59))
    schedule = " ".join(times)
    problem = schedule_problem(schedule, "UTC")
    if problem:
        raise ValueError(problem)
    return Fires(schedule=schedule, timezone=timezone)


def _without_zone(words: list[str]) -> tuple[list[str], str]:
    last = words[-1] if len(words) > 1 else ""
    if not last[:1].isalpha() or last.lower() in _SHORT or _WEEKDAYS.fullmatch(last):
        return words, ""
    try:
        zone = ZONE.parse("UTC" if last.upper() == "UTC" else last)
    except ValueError:
        raise ValueError(f"{last!r} is no time zone") from None
    return words[:-1], zone


def _clock(text: str) -> tuple[str, str, str]:
    parts = text.split(":")
    if len(parts) not in (2, 3):
        raise ValueError(f"{text!r} is no time of day")
    hour, minute, second = [*parts, "0"][:3]
    if re.fullmatch(r"0+\.0+|00?", second):
        second = "0"
    if "." in second.replace("..", ""):
        raise ValueError(f"{text!r}: claw's times are whole seconds")
    return hour, minute, second


def _numbers(text: str, low: int, high: int) -> str:
    """Return a field of cron; where systemd repeats from a number on, that goes to the end."""
    parts: list[str] = []
    for part in text.split(","):
        body, slash, step = part.partition("/")
        first, dots, last = body.partition("..")
        for number in (first, last, step):
            if number and number != "*" and not number.isdigit():
                raise ValueError(f"{part!r} is not understood")
        if body == "*" or (slash and not dots and int(first) == low):
            parts.append("*" if not slash or step == "1" else f"*/{int(step)}")
        elif slash:
            parts.append(f"{int(first)}-{int(last or high)}/{int(step)}")
        else:
            parts.append(f"{int(first)}-{int(last)}" if dots else str(int(first)))
    return ",".join(parts)


def _day(text: str, from_end: bool) -> str:  # noqa: FBT001
    if not from_end:
        return _numbers(text, 1, 31)
    if text in {"1", "01"}:
        return "L"
    if re.fullmatch(r"0*7/1", text):
        return "L7"
    raise ValueError(f"~{text}: cron knows the last day of a month, and none counted from it")


def _weekdays(text: str) -> str:
    if not text:
        return "*"
    found: list[str] = []
    for part in text.lower().rstrip(",").split(","):
        first, dots, last = part.partition(".." if ".." in part else "-")
        names = [_DAYS[_day_no(first)].upper()]
        names += [_DAYS[_day_no(last)].upper()] if dots else []
        found.append("-".join(names))
    return ",".join(found)


def _day_no(text: str) -> int:
    for number, name in enumerate(_DAYS):
        if text.startswith(name):
            return number
    raise ValueError(f"{text!r} is no day of the week")


def _both(day: str, weekdays: str) -> tuple[str, str]:
    """Return what fires where both fit: cron takes either, unless one begins with a star.

    Raises:
        ValueError: It has no such expression.
    """
    if day.startswith("*"):
        return day, weekdays
    if day == "L7":
        if re.fullmatch(r"[A-Z]{3}", weekdays):
            return "*", f"{_DAYS.index(weekdays.lower())}L"
    elif re.fullmatch(r"\d+-\d+", day):
        first, last = map(int, day.split("-"))
        week = _WEEKS.get((first, last))
        if week and re.fullmatch(r"[A-Z]{3}(,[A-Z]{3})*", weekdays):
            return "*", ",".join(f"{one}#{week}" for one in weekdays.split(","))
    raise ValueError(
        "a day of the week and days of the month together, for which cron has no expression:"
        " it would take either"
    )


def _moment(year: str, found: re.Match[str], weekday: str, clock: tuple[str, str, str]) -> str:
    """Return the one moment that a date with a year means.

    Raises:
        ValueError: It means several.
    """
    parts = (year, found["month"], found["day"], *clock)
    if weekday or found["mark"] == "~" or not all(part.isdigit() for part in parts):
        raise ValueError("years: no cron expression knows them")
    numbers = [int(part) for part in parts]
    if len(year) <= 2:  # noqa: PLR2004 - as systemd has it, and strptime(3)
        numbers[0] += 2000 if numbers[0] < _OLD_CENTURY else 1900
    return "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*numbers)
