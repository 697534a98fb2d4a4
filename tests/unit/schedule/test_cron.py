"""Cron expressions in naive local time."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claw.schedule.cron import DAY_S, MACROS, Cron, TimesOfDay, parse_cron
from tests.kit.chance import examples

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local time has no zone here


def local(text: str) -> int:
    return int((datetime.fromisoformat(text) - EPOCH).total_seconds())


def first_fires(expression: str, start: str, count: int = 3) -> list[str]:
    cron = parse_cron(expression)
    at = local(start)
    fires = []
    for _ in range(count):
        found = cron.first_from(at)
        assert found is not None
        fires.append((EPOCH + timedelta(seconds=found)).isoformat(" "))
        at = found + 1
    return fires


def days_in(expression: str, first: str, last: str) -> list[str]:
    cron = parse_cron(expression)
    found = cron.between(local(first), local(last) + DAY_S)
    return [date.fromordinal(EPOCH.toordinal() + at // DAY_S).isoformat() for at in found]


def test_a_range_of_one_value_is_that_value_and_no_wildcard() -> None:
    assert first_fires("0 13-13 * * *", "2026-01-01") == [
        "2026-01-01 13:00:00",
        "2026-01-02 13:00:00",
        "2026-01-03 13:00:00",
    ]


def test_a_time_that_fits_is_found_itself() -> None:
    assert first_fires("30 4 * * *", "2026-01-01 04:30:00", 1) == ["2026-01-01 04:30:00"]
    assert first_fires("30 4 * * *", "2026-01-01 04:30:01", 1) == ["2026-01-02 04:30:00"]


def test_the_seconds_of_a_real_crontab_come_first() -> None:
    assert first_fires("0,30 * * * * *", "2026-01-01 00:00:01") == [
        "2026-01-01 00:00:30",
        "2026-01-01 00:01:00",
        "2026-01-01 00:01:30",
    ]


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("0 0 13 2 FRI", ["2026-02-06", "2026-02-13", "2026-02-20", "2026-02-27"]),
        ("0 0 7 2 FRI", ["2026-02-06", "2026-02-07", "2026-02-13", "2026-02-20", "2026-02-27"]),
        ("0 0 */9 2 FRI", []),
        ("0 0 */5 2 FRI", ["2026-02-06"]),
        ("0 0 1-10 2 */5", ["2026-02-01", "2026-02-06", "2026-02-08"]),
        ("0 0 L 2 *", ["2026-02-28"]),
        ("0 0 L,1 2 *", ["2026-02-01", "2026-02-28"]),
        ("0 0 30,L 2 *", ["2026-02-28"]),
        ("0 0 * 2 FRI#2", ["2026-02-13"]),
        ("0 0 * 2 FRIL", ["2026-02-27"]),
        ("0 0 */2 2 L0,5", ["2026-02-13", "2026-02-27"]),
        ("0 0 */7 2 L0,5", ["2026-02-22"]),
        ("0 0 1 2 FRI#2", ["2026-02-01", "2026-02-13"]),
        ("0 0 31 2 FRI#2", ["2026-02-13"]),
        ("0 0 L 2 1,5#1", ["2026-02-02", "2026-02-06", "2026-02-09", "2026-02-16", "2026-02-23",
                           "2026-02-28"]),
        ("0 0 * 2 *#5", []),
        ("0 0 * 2 SAT-SUN#1", ["2026-02-01", "2026-02-07"]),
    ],
)  # fmt: skip
def test_day_of_month_and_day_of_week_choose_the_days(expression: str, days: list[str]) -> None:
    assert days_in(expression, "2026-02-01", "2026-02-28") == days


def test_the_29th_of_february_waits_for_a_leap_year_also_across_2100() -> None:
    assert first_fires("0 0 29 2 *", "2095-01-01", 2) == [
        "2096-02-29 00:00:00",
        "2104-02-29 00:00:00",
    ]


def test_the_rarest_date_is_found_40_years_later() -> None:
    sundays = first_fires("0 0 29 2 */7", "2088-02-01", 2)

    assert sundays == ["2088-02-29 00:00:00", "2128-02-29 00:00:00"]


@pytest.mark.parametrize(("macro", "fields"), MACROS.items())
def test_a_macro_fires_as_its_fields_do(macro: str, fields: str) -> None:
    assert first_fires(macro.upper(), "2026-01-01 00:00:01") == first_fires(
        fields, "2026-01-01 00:00:01"
    )


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("0 0 31 2 *", "'0 0 31 2 *' can never fire: no day 31 in February"),
        ("0 0 30 FEB *", "no day 30 in February"),
        ("0 0 31 4,6,9 *", "no day 31 in April, June, September"),
        ("0 0 31 2 */2", "can never fire"),
        ("0 0 */30 2 MON#5", "no date fits its day of month, month and day of week together"),
        ("@dayly", "did you mean @daily? known are @hourly"),
        ("@every5m", "did you mean @every?"),
        ("@", "is not understood"),
    ],
)
def test_what_can_never_fire_is_refused_with_the_reason(expression: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"^'") as caught:
        parse_cron(expression)

    assert says in str(caught.value)


def test_an_impossible_day_of_month_leaves_the_day_of_week() -> None:
    assert days_in("0 0 31 2 MON", "2026-02-01", "2026-02-28") == [
        "2026-02-02",
        "2026-02-09",
        "2026-02-16",
        "2026-02-23",
    ]


def test_the_end_of_the_calendar_is_the_end_of_the_fires() -> None:
    assert parse_cron("0 0 * * *").first_from(local("9999-12-31 12:00:00")) is None
    assert parse_cron("0 0 29 2 *").first_from(local("9999-01-01")) is None


numbers = st.sets(st.integers(0, 59), min_size=1, max_size=6).map(lambda s: tuple(sorted(s)))
hours = st.sets(st.integers(0, 23), min_size=1, max_size=6).map(lambda s: tuple(sorted(s)))


@settings(max_examples=examples(60))
@given(hours, numbers, numbers, st.integers(-1, DAY_S))
def test_times_of_day_are_as_if_listed(
    hours: tuple[int, ...], minutes: tuple[int, ...], seconds: tuple[int, ...], at: int
) -> None:
    times = TimesOfDay(hours, minutes, seconds)

    listed = [h * 3600 + m * 60 + s for h in hours for m in minutes for s in seconds]

    assert [times[index] for index in range(len(times))] == listed
    assert times.rank(at) == sum(time < at for time in listed)
    assert all(times.rank(time) == index for index, time in enumerate(listed))


expressions = st.sampled_from(
    [
        "* * * * *",
        "*/7 3-5 * * *",
        "0 0 13 * 5",
        "*/20 30 4 */3 * MON",
        "0 12 L * 5#2",
        "5 5 31 * *",
    ]
).map(parse_cron)
moments = st.integers(local("2023-12-20"), local("2024-03-20"))


@settings(max_examples=examples(60))
@given(expressions, moments, st.integers(0, 5 * DAY_S))
def test_counting_listing_and_searching_agree(cron: Cron, low: int, length: int) -> None:
    high = low + length
    searched = []
    at = cron.first_from(low)
    while at is not None and at < high:
        searched.append(at)
        at = cron.first_from(at + 1)

    assert list(cron.between(low, high)) == searched
    assert cron.count(low, high) == len(searched)
