"""Fire times against cronsim, which plays Debian's cron.

Fixed jobs must agree without exception. For jobs by elapsed time cronsim 2.8 has two
faults around a change of the clock: it steps by whole hours from the half hour after a
half-hour jump, and takes a midnight that was skipped for hour 0. There the first fire
that differs is put to the clock itself: what claw has first must fit the expression by
what the zone's clock shows then, what cronsim has first must not.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim, CronSimError

from claw.schedule.fires import Schedule, parse

SHORT, LONG = 2_500, 10_000
FIRES = 6
MAX_DOUBTFUL = 100
"""One of so many cases may be for the clock itself to decide."""
ZONES = (
    "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe",
    "Asia/Kolkata", "Africa/Casablanca", "UTC", "Pacific/Apia", "America/Havana",
    "Asia/Beirut", "Atlantic/Azores",
)  # fmt: skip
LIMITS = {
    "minute": (0, 59),
    "hour": (0, 23),
    "day": (1, 31),
    "month": (1, 12),
    "weekday": (0, 7),
}
NAMES = {
    "month": (
        "JAN",
        "FEB",
        "MAR",
        "APR",
        "MAY",
        "JUN",
        "JUL",
        "AUG",
        "SEP",
        "OCT",
        "NOV",
        "DEC",
    ),
    "weekday": ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"),
}
STARS = {"minute": 0.15, "hour": 0.3, "day": 0.6, "month": 0.7, "weekday": 0.6}
ANCHOR = datetime(2000, 1, 1, tzinfo=UTC)


def number(draw: random.Random, field: str) -> tuple[int, str]:
    low, high = LIMITS[field]
    if field == "hour" and draw.random() < 0.6:
        high = 4  # where the clock is changed
    value = draw.randint(low, high)
    names = NAMES.get(field, ())
    if value - low < len(names) and draw.random() < 0.3:
        return value, names[value - low]
    return value, str(value)


def span(draw: random.Random, field: str) -> str:
    (low, first), (high, last) = sorted((number(draw, field), number(draw, field)))
    # cronsim reads 5-5/2 as 5/2.
    step = f"/{draw.randint(1, LIMITS[field][1])}" if low < high and draw.random() < 0.4 else ""
    return f"{first}-{last}{step}"


ITEMS: tuple[Callable[[random.Random, str], str], ...] = (
    lambda draw, field: number(draw, field)[1],
    lambda draw, field: number(draw, field)[1],
    lambda draw, field: f"*/{draw.randint(1, LIMITS[field][1])}",
    lambda draw, field: f"{number(draw, field)[1]}/{draw.randint(1, LIMITS[field][1])}",
    span,
    span,
)


def field_text(draw: random.Random, field: str) -> str:
    if draw.random() < STARS[field]:
        return "*"
    if field == "day" and draw.random() < 0.1:
        return "L"
    if field == "weekday" and draw.random() < 0.15:
        return f"{draw.randint(0, 7)}{draw.choice(['L', '#1', '#2', '#3', '#4', '#5'])}"
    items = draw.choice((1, 1, 1, 2, 3))
    return ",".join(draw.choice(ITEMS)(draw, field) for _ in range(items))


def offset(zone: ZoneInfo, instant: datetime) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()


def days_of_change(zone: ZoneInfo) -> list[datetime]:
    days = [datetime(2008, 1, 1, tzinfo=UTC) + timedelta(days=no) for no in range(23 * 365)]
    changes = [
        day for day in days if offset(zone, day) != offset(zone, day + timedelta(days=1))
    ]
    return changes or [datetime(2026, 3, 29, tzinfo=UTC)]


def fires_of_cronsim(expression: str, start: datetime, zone: ZoneInfo) -> list[datetime] | None:
    """None: it refuses the expression."""
    try:
        fires = CronSim(expression, start.astimezone(zone))
        return [fire.astimezone(UTC) for fire in islice(fires, FIRES)]
    except CronSimError:
        return None


def fires_of_claw(schedule: Schedule, start: datetime) -> list[datetime]:
    fires: list[datetime] = []
    fire = schedule.next_after(start, ANCHOR)
    while fire is not None and len(fires) < FIRES:
        fires.append(fire)
        fire = schedule.next_after(fire, ANCHOR)
    return fires


def fits(expression: str, local: datetime) -> bool:
    sim = CronSim(expression, local)
    return (
        local.minute in sim.minutes
        and local.hour in sim.hours
        and local.month in sim.months
        and sim.match_day(local.date())
    )


def is_fixed(expression: str) -> bool:
    minute, hour = expression.split()[:2]
    return not minute.startswith("*") and not hour.startswith("*")


def check_by_the_clock(
    expression: str, zone: ZoneInfo, expected: list[datetime], found: list[datetime]
) -> None:
    theirs, ours = next(
        pair for pair in zip(expected, found, strict=True) if pair[0] != pair[1]
    )
    first = min(theirs, ours)
    fitting = fits(expression, first.astimezone(zone))
    assert fitting is (first == ours), f"cronsim {theirs}, claw {ours}"


@pytest.mark.parametrize("cases", [SHORT, pytest.param(LONG, marks=pytest.mark.slow)])
def test_thousands_of_expressions_fire_when_cronsim_says_so(cases: int, seed: int) -> None:
    draw = random.Random(seed)
    changes = {name: days_of_change(ZoneInfo(name)) for name in ZONES}
    doubtful = 0
    for case in range(cases):
        expression = " ".join(field_text(draw, field) for field in LIMITS)
        name = draw.choice(ZONES)
        zone = ZoneInfo(name)
        start = draw.choice(changes[name]) - timedelta(minutes=draw.randint(0, 2 * 24 * 60))
        where = f"CLAW_TEST_SEED={seed} case {case}: {expression!r} {name} from {start}"
        expected = fires_of_cronsim(expression, start, zone)
        if not expected:  # refused, or none found in 50 years
            with pytest.raises(ValueError, match="can never fire"):
                parse([expression], name)
            continue
        found = fires_of_claw(parse([expression], name), start)
        if found == expected:
            continue
        assert not is_fixed(expression), f"{where}\n{expected}\n{found}"
        doubtful += 1
        try:
            check_by_the_clock(expression, zone, expected, found)
        except AssertionError as error:
            raise AssertionError(f"{where}: {error}") from error
    assert doubtful <= cases // MAX_DOUBTFUL, f"CLAW_TEST_SEED={seed}"
