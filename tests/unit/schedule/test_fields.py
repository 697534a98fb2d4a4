"""The grammar of cron expressions."""

from collections.abc import Sequence

import pytest

from claw.schedule.fields import LAST, parse_fields


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("*", range(60)),
        ("5", [5]),
        ("05", [5]),
        ("13-13", [13]),
        ("13-13/5", [13]),
        ("*/15", [0, 15, 30, 45]),
        ("*/90", [0]),
        ("10-20/5", [10, 15, 20]),
        ("50/4", [50, 54, 58]),
        ("59/15", [59]),
        ("3,1,2,1", [1, 2, 3]),
        ("0,30-32,*/30", [0, 30, 31, 32]),
        ("58-1", [0, 1, 58, 59]),
        ("58-4/2", [0, 2, 4, 58]),
    ],
)
def test_a_field_holds_exactly_the_numbers_that_it_names(
    text: str, minutes: Sequence[int]
) -> None:
    fields = parse_fields(f"{text} 0 * * *")

    assert fields.minutes == tuple(minutes)
    assert fields.seconds == (0,)


@pytest.mark.parametrize(
    ("text", "weekdays"),
    [
        ("0", [0]),
        ("7", [0]),
        ("SUN", [0]),
        ("sun", [0]),
        ("5-7", [0, 5, 6]),
        ("0-7", range(7)),
        ("FRI-MON", [0, 1, 5, 6]),
        ("SAT-SUN", [0, 6]),
        ("7-2", [0, 1, 2]),
        ("FRI-MON/2", [0, 5]),
        ("*/2", [0, 2, 4, 6]),
        ("1/3", [0, 1, 4]),
        ("MON,WED-THU", [1, 3, 4]),
    ],
)
def test_sunday_is_0_and_7_and_weekday_ranges_may_wrap(
    text: str, weekdays: Sequence[int]
) -> None:
    assert parse_fields(f"0 0 * * {text}").weekdays == tuple(weekdays)


@pytest.mark.parametrize(
    ("text", "months"),
    [
        ("JAN", [1]),
        ("oct-Feb", [1, 2, 10, 11, 12]),
        ("*/3", [1, 4, 7, 10]),
        ("APR-JAN/3", [1, 4, 7, 10]),
    ],
)
def test_months_may_be_named_and_may_wrap(text: str, months: Sequence[int]) -> None:
    assert parse_fields(f"0 0 1 {text} *").months == tuple(months)


@pytest.mark.parametrize(
    ("text", "plain", "nth"),
    [
        ("5L", (), ((5, LAST),)),
        ("L5", (), ((5, LAST),)),
        ("FRIL", (), ((5, LAST),)),
        ("5#2", (), ((5, 2),)),
        ("fri#2,MON", (1,), ((5, 2),)),
        ("MON-TUE#1", (), ((1, 1), (2, 1))),
        ("7#1", (), ((0, 1),)),
    ],
)
def test_weekdays_may_be_the_nth_or_last_of_the_month(
    text: str, plain: tuple[int, ...], nth: tuple[tuple[int, int], ...]
) -> None:
    fields = parse_fields(f"0 0 * * {text}")

    assert fields.weekdays == plain
    assert fields.nth_weekdays == nth


def test_the_last_day_of_the_month_stands_beside_others() -> None:
    fields = parse_fields("0 0 1,L * *")

    assert fields.days == (1,)
    assert fields.last_day


def test_of_six_fields_the_first_is_the_seconds() -> None:
    fields = parse_fields("*/20 5 4 3 2 1")

    assert fields.seconds == (0, 20, 40)
    assert (fields.minutes, fields.hours) == ((5,), (4,))
    assert (fields.days, fields.months, fields.weekdays) == ((3,), (2,), (1,))


@pytest.mark.parametrize(
    ("text", "either"),
    [
        ("0 0 13 * 5", True),
        ("0 0 13 * *", False),
        ("0 0 * * 5", False),
        ("0 0 */2 * 5", False),
        ("0 0 13 * */2", False),
        ("0 0 1-31 * 5", True),
    ],
)
def test_days_are_either_or_unless_one_begins_with_a_star(text: str, either: bool) -> None:
    assert parse_fields(text).either_day is either


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("30 2 * * *", True),
        ("0-59 2 * * *", True),
        ("30 1,2,3 * * *", True),
        ("30 * * * *", False),
        ("30 */2 * * *", False),
        ("* 2 * * *", False),
        ("0 30 2 * * *", True),
        ("* 30 2 * * *", False),
    ],
)
def test_a_job_is_fixed_when_no_field_of_its_time_begins_with_a_star(
    text: str, fixed: bool
) -> None:
    assert parse_fields(text).fixed is fixed


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has 0 fields: write 5"),
        ("5", "has 1 field: write 5"),
        ("* * * *", "has 4 fields: write 5"),
        ("* * * * * * *", "has 7 fields"),
        ("0 3 * * * /usr/bin/backup --all", "has 7 fields"),
        ("61 * * * *", "minute 61 is out of range: write 0-59"),
        ("60 * * * * *", "second 60 is out of range: write 0-59"),
        ("* 24 * * *", "hour 24 is out of range: write 0-23"),
        ("* * 0 * *", "day of month 0 is out of range: write 1-31"),
        ("* * 32 * *", "day of month 32 is out of range"),
        ("* * * 13 *", "month 13 is out of range: write 1-12"),
        ("* * * * 8", "day of week 8 is out of range: write 0-7"),
        ("1-70 * * * *", "minute 70 is out of range"),
        ("*/0 * * * *", "minute '*/0': after the slash comes a whole number from 1 on"),
        ("*/ * * * *", "minute '*/': after the slash"),
        ("*/x * * * *", "minute '*/x': after the slash"),
        ("*/5/5 * * * *", "after the slash"),
        ("-5 * * * *", "minute '' is not understood"),
        ("5- * * * *", "minute '' is not understood"),
        ("1,,2 * * * *", "minute '' is not understood"),
        ("1.5 * * * *", "minute '1.5' is not understood"),
        ("**/5 * * * *", "minute '**' is not understood"),
        ("\u0665 * * * *", "is not understood"),  # a digit, but not an ASCII one
        ("99999999999999999999 * * * *", "is not understood"),
        ("* * * JANUARY *", "month 'JANUARY' is not understood, did you mean JAN?"),
        ("* * * * Tues", "day of week 'Tues' is not understood, did you mean TUE?"),
        ("* * * mon *", "month 'mon' is not understood"),
        ("* * ? * *", "day of month '?': write * for any"),
        ("* * 15W * *", "the nearest weekday (W) is not available"),
        ("* * LW * *", "the nearest weekday (W) is not available"),
        ("* * * * L", "the last of which weekday?"),
        ("* * * * 8L", "day of week 8 is out of range"),
        ("* * * * 5#6", "day of week '5#6': after # comes which one of the month, 1-5"),
        ("* * * * 5#", "after # comes which one"),
        ("* * * * #2", "day of week '' is not understood"),
        ("* L * * *", "hour 'L' is not understood"),
    ],
)
def test_what_is_wrong_is_refused_with_its_field_and_what_may_stand_there(
    text: str, says: str
) -> None:
    with pytest.raises(ValueError, match=r"^'") as caught:
        parse_fields(text)

    assert says in str(caught.value)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("0 3 * * fri 30", "30 0 3 * * fri"),
        ("0 3 L * * 59", "59 0 3 L * *"),
        ("15 22 1 jan * 0", "0 15 22 1 jan *"),
        ("*/5 9 * * mon-fri 0,30", "0,30 */5 9 * * mon-fri"),
    ],
)
def test_seconds_stand_last_where_they_cannot_stand_first(text: str, same: str) -> None:
    assert parse_fields(text) == parse_fields(same)


def test_seconds_stand_first_wherever_they_can() -> None:
    assert parse_fields("30 0 3 * * 5").seconds == (30,)
    assert parse_fields("0 12 * * 1 0").seconds == (0,)
