"""Times as people type them; pure, the present is an argument.

A time without an offset is local: in ``zone``, or where that is None in the zone of the
process (TZ, /etc/localtime). A local time that a clock change skips means the instant as
far past the jump; of one that comes twice the first is meant.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from claw.model.units import parse_duration

PAST_FORMS = '"2h" (ago), "yesterday 02:30", "2026-12-24T09:00", "now"'
FUTURE_FORMS = '"09:00", "tomorrow 09:00", "2026-12-24T09:00", "now"'

_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


def parse_past(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """Return the instant that a text means, looking back.

    Args:
        text: ISO 8601, ``now``, a duration (so long ago), ``HH:MM`` (the last time the
            clock said so), a day (``yesterday``, ``today``) with or without ``HH:MM``.
        now: The present, aware.
        zone: Where a time without offset is meant; None: the process's own.

    Raises:
        ValueError: With a text that shows what a time looks like.
    """
    found = _absolute(text, now, zone)
    if found is not None:
        return found
    moment = _clock_of(text.strip())
    if moment is not None:
        today = _local(now, zone).date()
        found = _aware(today, moment, zone)
        return found if found <= now else _aware(today - timedelta(days=1), moment, zone)
    try:
        return now - timedelta(seconds=parse_duration(text.strip().removesuffix("ago")))
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is no time: write {PAST_FORMS}") from None


def parse_future(text: str, now: datetime, zone: tzinfo | None = None) -> datetime:
    """Return the instant that a text means, looking ahead.

    Args:
        text: ISO 8601, ``now``, ``HH:MM`` (the next time the clock says so), a day
            (``today``, ``tomorrow``) with or without ``HH:MM``.
        now: The present, aware.
        zone: Where a time without offset is meant; None: the process's own.

    Raises:
        ValueError: With a text that shows what a time looks like.
    """
    found = _absolute(text, now, zone)
    if found is not None:
        return found
    moment = _clock_of(text.strip())
    if moment is None:
        raise ValueError(f"{text!r} is no time: write {FUTURE_FORMS}")
    today = _local(now, zone).date()
    found = _aware(today, moment, zone)
    return found if found > now else _aware(today + timedelta(days=1), moment, zone)


def _absolute(text: str, now: datetime, zone: tzinfo | None) -> datetime | None:
    """Return what is meant by an ISO time, ``now``, or a named day; None for the rest."""
    words = text.strip().lower().split()
    if words == ["now"]:
        return now
    if words and words[0] in _DAYS and len(words) <= _DAY_AND_CLOCK:
        moment = _clock_of(words[1]) if len(words) == _DAY_AND_CLOCK else time()
        if moment is None:
            return None
        day = _local(now, zone).date() + timedelta(days=_DAYS[words[0]])
        return _aware(day, moment, zone)
    return _iso(text.strip(), zone)


def _iso(text: str, zone: tzinfo | None) -> datetime | None:
    if len(text) < len("2026-12-24") or "-" not in text[1:]:
        return None  # 20261224 and 12 are numbers to people, and fromisoformat's to judge
    try:
        parsed = datetime.fromisoformat(text)
        if parsed.tzinfo is not None:
            return parsed.astimezone(UTC)
        return _aware(parsed.date(), parsed.time(), zone)
    except (ValueError, OverflowError):
        return None


def _clock_of(text: str) -> time | None:
    match = _CLOCK.fullmatch(text)
    if match is None:
        return None
    try:
        return time(int(match[1]), int(match[2]), int(match[3] or 0))
    except ValueError:
        return None


def _aware(day: date, moment: time, zone: tzinfo | None) -> datetime:
    naive = datetime.combine(day, moment)
    local = naive.astimezone() if zone is None else naive.replace(tzinfo=zone)
    return local.astimezone(UTC)


def _local(now: datetime, zone: tzinfo | None) -> datetime:
    return now.astimezone(zone)


_DAY_AND_CLOCK = 2
