"""``OnCalendar`` as cron has it; each was compared with ``systemd-analyze calendar``."""

import pytest

from claw.config.importers import calendar


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("minutely", "* * * * *"),
        ("hourly", "0 * * * *"),
        ("daily", "0 0 * * *"),
        ("weekly", "0 0 * * MON"),
        ("monthly", "0 0 1 * *"),
        ("quarterly", "0 0 1 1,4,7,10 *"),
        ("*-*-* 4:00", "0 4 * * *"),
        ("04:05", "5 4 * * *"),
        ("*:0/15", "*/15 * * * *"),
        ("*:5/15", "5-59/15 * * * *"),
        ("*-*-* 00/2:00:00", "0 */2 * * *"),
        ("Mon..Fri 9:00", "0 9 * * MON-FRI"),
        ("Sat,Sun 10:30:15", "15 30 10 * * SAT,SUN"),
        ("Mon *-*-1..7 03:00", "0 3 * * MON#1"),
        ("*-*~01 23:00", "0 23 L * *"),
        ("Fri *-*~07/1 18:00", "0 18 * * 5L"),
        ("*-01,07-01", "0 0 1 1,7 *"),
        ("*-*-* 8..18:00", "0 8-18 * * *"),
    ],
)
def test_it_fires_at_the_same_times(text: str, schedule: str) -> None:
    assert calendar.parse(text).schedule == schedule


def test_one_moment_is_no_schedule() -> None:
    found = calendar.parse("2030-12-24 09:00:00")

    assert (found.schedule, found.run_at) == ("", "2030-12-24T09:00:00")


def test_a_zone_may_follow() -> None:
    found = calendar.parse("*-*-* 06:00 Europe/Berlin")

    assert (found.schedule, found.timezone) == ("0 6 * * *", "Europe/Berlin")


@pytest.mark.parametrize(
    "text",
    [
        "Mon *-*-3..20 03:00",
        "2030..2040-*-* 00:00",
        "*-*~03",
        "*:*:00.5",
        "noon",
        "Mon *-13-01",
    ],
)
def test_what_cron_cannot_say_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        calendar.parse(text)


def test_days_written_together_are_refused_however_many() -> None:
    with pytest.raises(ValueError, match="is no date"):
        calendar.parse(f"{'mon' * 4000}!")


def test_a_year_of_two_digits_is_of_this_century_until_seventy() -> None:
    assert calendar.parse("26-01-01").run_at == "2026-01-01T00:00:00"
    assert calendar.parse("70-01-01").run_at == "1970-01-01T00:00:00"
