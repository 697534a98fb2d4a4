"""Operating hours: when they begin and end, over midnight and over changes of the clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.model.timing import Hours
from claw.schedule.hours import is_open, opens_at

BERLIN = ZoneInfo("Europe/Berlin")
WORK = Hours(days="mon-fri", begin=(8, 0), end=(18, 0), timezone="Europe/Berlin")
NIGHT = Hours(days="fri", begin=(22, 0), end=(6, 0), timezone="Europe/Berlin")


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-03-02T08:00", "2026-03-02T08:00"),  # a Monday
        ("2026-03-02T07:59:59", "2026-03-02T08:00"),
        ("2026-03-02T17:59:59", "2026-03-02T17:59:59"),
        ("2026-03-02T18:00", "2026-03-03T08:00"),
        ("2026-03-06T18:00", "2026-03-09T08:00"),  # over a weekend
        ("2026-03-28T12:00", "2026-03-30T08:00"),  # and over a change of the clock
    ],
)
def test_hours_begin_and_end_on_the_clock_of_their_zone(at: str, opens: str) -> None:
    assert opens_at(WORK, _at(at)) == _at(opens)
    assert is_open(WORK, _at(at)) is (at == opens)


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-03-06T21:59", "2026-03-06T22:00"),
        ("2026-03-07T05:59", "2026-03-07T05:59"),
        ("2026-03-07T06:00", "2026-03-13T22:00"),
        ("2026-03-06T05:00", "2026-03-06T22:00"),  # the morning belongs to the day before
    ],
)
def test_hours_over_midnight_belong_to_the_day_they_begin_on(at: str, opens: str) -> None:
    assert opens_at(NIGHT, _at(at)) == _at(opens)


def test_hours_that_begin_in_a_skipped_hour_begin_right_after_the_jump() -> None:
    early = Hours(begin=(2, 30), end=(5, 0), timezone="Europe/Berlin")
    jump = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert opens_at(early, jump - timedelta(minutes=1)) == jump
    assert is_open(early, jump)


def test_hours_that_begin_in_a_repeated_hour_begin_once_and_last_through_it() -> None:
    early = Hours(begin=(2, 30), end=(5, 0), timezone="Europe/Berlin")
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30, and an hour later again
    assert not is_open(early, first - timedelta(seconds=1))
    assert all(is_open(early, first + timedelta(minutes=10 * n)) for n in range(21))


def test_whole_days_leave_no_gap_at_midnight() -> None:
    weekdays = Hours(days="mon-fri", timezone="Europe/Berlin")
    monday = _at("2026-03-02T00:00")
    assert all(is_open(weekdays, monday + timedelta(hours=n)) for n in range(120))
    assert not is_open(weekdays, monday + timedelta(hours=120))
    assert not is_open(weekdays, monday - timedelta(seconds=1))


minutes = st.tuples(st.integers(0, 23), st.integers(0, 59))


@given(
    minutes,
    minutes,
    st.sets(st.integers(0, 6), min_size=1),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    st.integers(0, 2 * 365 * 24 * 3600),
)
def test_what_opens_is_open_and_nothing_before_it_is(
    begin: tuple[int, int], end: tuple[int, int], days: set[int], zone: str, second: int
) -> None:
    if begin == end:
        end = (24, 0) if begin == (0, 0) else (0, 0)
    hours = Hours(days=",".join(map(str, sorted(days))), begin=begin, end=end, timezone=zone)
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    opens = opens_at(hours, at)
    assert opens is not None
    assert is_open(hours, opens)
    assert at <= opens <= at + timedelta(days=8)
    if opens > at:
        assert not is_open(hours, opens - timedelta(seconds=1))
