"""Time zones: their names, the system's own, and what daylight saving does to schedules.

The rules are Debian's (cron(8), "Notes"; `claw.schedule.fires` has them in words). Both
come from one walk over the stretches of time in which a zone's offset stays the same: a
schedule by elapsed time looks at the local clock as it goes, jumps and all; a fixed
schedule keeps a mark of how far the clock has been, fires at the jump what the jump
passed over, and does not look again at what the clock repeats.
"""

import difflib
import os
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, available_timezones

# posix/ and right/ hold copies, the latter with leap seconds; localtime is any zone.
_NO_NAMES = {"", "posix", "right", "localtime", "posixrules"}
_DAY_S = 86400
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
LAST_S = int(datetime(9990, 1, 1, tzinfo=UTC).timestamp())
"""Instants from here on, in seconds since the epoch, are beyond all schedules."""


class Window(NamedTuple):
    """A stretch of local time that maps to instants by one offset.

    A local second t with ``low <= t < high`` is the instant ``t - offset``. Local times
    with ``skipped <= t < low`` were jumped over, and are due at ``low - offset``.
    """

    skipped: int
    low: int
    high: int
    offset: int


def load_zone(name: str) -> ZoneInfo:
    """Return the zone of that IANA name.

    Raises:
        ValueError: If there is no such zone; the text has the nearest name.
    """
    if name.partition("/")[0] not in _NO_NAMES:
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            pass
    near = _nearest_name(name)
    hint = f"did you mean {near!r}?" if near else "write an IANA name such as 'Europe/Berlin'"
    raise ValueError(f"no time zone {name!r}: {hint}")


def _nearest_name(name: str) -> str | None:
    wanted = name.strip().replace(" ", "_").lower()
    whole = {known.lower(): known for known in sorted(available_timezones())}
    city = {known.rpartition("/")[2]: whole[known] for known in whole}
    for names, text in ((whole, wanted), (city, wanted), (city, wanted.rpartition("/")[2])):
        if text in names:
            return names[text]
    near = difflib.get_close_matches(wanted, whole, n=1)
    if near:
        return whole[near[0]]
    near = difflib.get_close_matches(wanted.rpartition("/")[2], city, n=1)
    return city[near[0]] if near else None


def read_local_zone(env: Mapping[str, str], etc: str = "/etc") -> str:
    """Return the name of the system's own zone; reads a link and a file below ``etc``.

    Raises:
        ValueError: As `choose_local_zone`.
    """
    return choose_local_zone(
        env.get("TZ"), _target(Path(etc, "localtime")), _contents(Path(etc, "timezone"))
    )


def _target(link: Path) -> str | None:
    try:
        return os.fspath(link.readlink())
    except OSError:
        return os.fspath(link) if link.exists() else None


def _contents(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii", errors="replace")
    except OSError:
        return None


def choose_local_zone(tz: str | None, localtime: str | None, timezone: str | None) -> str:
    """Return the name of the zone that these mean; UTC when nothing is said.

    Args:
        tz: The environment's ``TZ``.
        localtime: What /etc/localtime points to; its own path if it is no link; None if
            it is not there.
        timezone: The contents of /etc/timezone.

    Raises:
        ValueError: If a zone is set, but in a form that has no IANA name.
    """
    if tz is not None:
        return _checked(_name_in(tz.removeprefix(":")) or "UTC", f"TZ={tz}")
    if localtime is not None and "zoneinfo/" in localtime:
        return _checked(_name_in(localtime), f"/etc/localtime -> {localtime}")
    if timezone is not None and timezone.strip():
        return _checked(_name_in(timezone.strip()), "/etc/timezone")
    if localtime is not None:
        raise ValueError(
            f"the system's time zone has no name, as {localtime} is no link into "
            "/usr/share/zoneinfo: set `timezone` to an IANA name such as 'Europe/Berlin'"
        )
    return "UTC"


def _name_in(text: str) -> str:
    name = text.rpartition("zoneinfo/")[2]
    return name.removeprefix("posix/").removeprefix("right/")


def _checked(name: str, source: str) -> str:
    try:
        load_zone(name)
    except ValueError as error:
        raise ValueError(
            f"the system's time zone ({source}) has no IANA name: {error}; "
            "or set `timezone` in the configuration"
        ) from None
    return name


def windows(zone: ZoneInfo, after: int, until: int, *, fixed: bool) -> Iterator[Window]:
    """Yield the windows of the instants after ``after`` up to and with ``until``, in order.

    Args:
        zone: The zone of the local clock.
        after: Seconds since the epoch.
        until: Seconds since the epoch; at most `LAST_S` is looked at.
        fixed: Whether hour and minute are given, see the module's docstring.
    """
    mark: int | None = None
    # A day back: where the mark stands depends on the clock having been set back lately.
    for start, end, offset in _stretches(zone, after - _DAY_S, min(until, LAST_S) + 1):
        begin, high = start + offset, end + offset
        if mark is None or not fixed:
            mark = begin
        skipped, low = mark, max(mark, begin)
        mark = max(mark, high)
        if start <= after:
            skipped = low = max(low, after + 1 + offset)
        if low < high:
            yield Window(skipped, low, high, offset)


def _stretches(zone: ZoneInfo, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield (start, end, offset) of the parts of [start, end) with one offset each."""
    offset = _offset_at(zone, start)
    for year in range(_year_of(start), _year_of(end) + 1):
        for change, following in _changes(zone, year):
            if start < change < end:
                yield start, change, offset
                start, offset = change, following
    yield start, end, offset


@lru_cache(maxsize=8192)
def _changes(zone: ZoneInfo, year: int) -> tuple[tuple[int, int], ...]:
    """Return the instants of a year at which the zone's offset changes, and the new one.

    zoneinfo does not tell them, so each day is probed; no zone has gone there and back
    within a day since 1970.
    """
    first, last = (_day_number(date(y, 1, 1)) * _DAY_S for y in (year, year + 1))
    found = []
    before = _offset_at(zone, first)
    for day in range(first, last, _DAY_S):
        after = _offset_at(zone, day + _DAY_S)
        if after != before:
            found.append((_change_between(zone, day, day + _DAY_S), after))
        before = after
    return tuple(found)


def _change_between(zone: ZoneInfo, low: int, high: int) -> int:
    old = _offset_at(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_at(zone, middle) == old:
            low = middle
        else:
            high = middle
    return high


def _offset_at(zone: ZoneInfo, instant: int) -> int:
    offset = datetime.fromtimestamp(instant, zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())


def _year_of(instant: int) -> int:
    return date.fromordinal(_EPOCH_ORDINAL + instant // _DAY_S).year


def _day_number(day: date) -> int:
    return day.toordinal() - _EPOCH_ORDINAL
