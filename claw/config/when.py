"""Kinds of values about time and place: zones, schedules, moments, folders."""

from datetime import UTC, date, datetime
from functools import lru_cache

from claw.config.kinds import DURATION, Kind, argument, parse_items, show, unlike
from claw.schedule import fires, zone

_SHORTEST_HEARTBEAT_S = 1.0
_FIRST_YEAR = 1970
_LAST_YEAR = 9000
_LONGEST_EXPRESSION = 1000
_MOMENT_EXAMPLE = '"2026-12-24T09:00:00"'


def _zone(value: object) -> str:
    if not isinstance(value, str):
        raise unlike('the name of a time zone, like "Europe/Berlin",', value)
    if value:
        _known_zone(value)
    return value


@lru_cache(maxsize=256)
def _known_zone(name: str) -> None:
    zone.load_zone(name)


@lru_cache(maxsize=4096)
def schedule_problem(expression: str, timezone: str) -> str:
    """Return what is wrong with a schedule, '' when it is a good one."""
    try:
        fires.parse((expression,), timezone)
    except ValueError as error:
        return str(error)
    return ""


def instant(moment: datetime, timezone: str) -> datetime:
    """Return a moment as an instant in UTC; without an offset it is local in the zone.

    Raises:
        ValueError: The zone's clock never shows it, or it is beyond the calendar.
    """
    local = moment if moment.tzinfo else moment.replace(tzinfo=zone.load_zone(timezone))
    try:
        found = local.astimezone(UTC)
        shown = found.astimezone(local.tzinfo).replace(tzinfo=None)
    except OverflowError:
        found, shown = None, None
    if found is None or not _FIRST_YEAR <= found.year <= _LAST_YEAR:
        raise ValueError(f"{moment} is not within the years {_FIRST_YEAR} to {_LAST_YEAR}")
    if shown != moment.replace(tzinfo=None):
        raise ValueError(
            f"{moment} does not exist in {timezone}, whose clocks are put forward over it: "
            "write another time, or one with an offset"
        )
    return found


def _expression(value: object) -> str:
    if not isinstance(value, str):
        raise unlike('a schedule in quotes, like "0 3 * * *",', value)
    text = " ".join(value.split())
    if not text:
        raise ValueError('empty: write a schedule like "0 3 * * *" or "@every 90s"')
    if len(text) > _LONGEST_EXPRESSION:
        raise ValueError(f"{show(text)} is longer than {_LONGEST_EXPRESSION} characters")
    return text


_EXPRESSION = Kind("schedule", _expression, {"type": "string"})


def _schedule(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return parse_items(_EXPRESSION, value)
    return (_expression(value),)


def _moment(value: object) -> datetime:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        raise ValueError(f"a date with a time is expected, like {_MOMENT_EXAMPLE}")  # noqa: TRY004
    if not isinstance(value, str):
        raise unlike(f"a date with a time, like {_MOMENT_EXAMPLE},", value)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        why = "" if "Invalid isoformat" in str(error) else f" ({error})"
        raise ValueError(
            f"{show(value)} is no date with a time{why}: write one like {_MOMENT_EXAMPLE}"
        ) from None
    if _is_date(value):
        raise ValueError(f"{show(value)} has no time: write one like {_MOMENT_EXAMPLE}")
    return moment


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _folder(value: object) -> str:
    text = argument(value)
    if text.startswith("~"):
        raise ValueError(f'{show(text)}: write the whole path; "" means the home folder')
    return text


def _heartbeat(value: object) -> float:
    seconds = DURATION.parse(value)
    if seconds < _SHORTEST_HEARTBEAT_S:
        raise ValueError("at least one second is expected")
    return seconds


ZONE = Kind("time zone", _zone, {"type": "string"})
SCHEDULE = Kind(
    "schedule, or list of them",
    _schedule,
    {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
)
MOMENT = Kind("date and time", _moment, {"type": "string"})
FOLDER = Kind("path", _folder, {"type": "string"})
HEARTBEAT = Kind("duration", _heartbeat, {"type": ["string", "number"]})
