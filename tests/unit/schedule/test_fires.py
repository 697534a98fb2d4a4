"""Due times: the rules for changes of the clock, and how the questions agree."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claw.schedule.fires import Schedule, parse
from tests.kit.chance import examples

ANCHOR = datetime(2025, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def fires(expressions: str, zone: str, start: str, count: int = 4) -> list[str]:
    """Return the next fires as the zone's clock shows them, with the offset."""
    schedule = parse(expressions.split(";"), zone)
    at = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone))
    shown = []
    for _ in range(count):
        found = schedule.next_after(at, ANCHOR)
        assert found is not None
        assert found.tzinfo is UTC
        shown.append(found.astimezone(ZoneInfo(zone)).strftime("%d %H:%M:%S%z"))
        at = found
    return shown


SPRING = "2026-03-28 12:00"  # Berlin: 02:00 becomes 03:00 on the 29th
AUTUMN = "2026-10-24 12:00"  # Berlin: 03:00 becomes 02:00 on the 25th


def test_a_fixed_job_in_the_skipped_hour_runs_once_right_after_the_jump() -> None:
    assert fires("30 2 * * *", "Europe/Berlin", SPRING, 2) == [
        "29 03:00:00+0200",
        "30 02:30:00+0200",
    ]


def test_several_fixed_times_in_the_skipped_hour_are_one_fire() -> None:
    assert fires("0,20,40 1-3 * * *", "Europe/Berlin", "2026-03-29 01:30", 4) == [
        "29 01:40:00+0100",
        "29 03:00:00+0200",
        "29 03:20:00+0200",
        "29 03:40:00+0200",
    ]


def test_two_expressions_that_meet_at_the_jump_are_one_fire() -> None:
    assert fires("30 2 * * *;0 3 * * *", "Europe/Berlin", SPRING, 2) == [
        "29 03:00:00+0200",
        "30 02:30:00+0200",
    ]


def test_a_fixed_job_in_the_repeated_hour_runs_once_the_first_time() -> None:
    assert fires("30 2 * * *", "Europe/Berlin", AUTUMN, 2) == [
        "25 02:30:00+0200",
        "26 02:30:00+0100",
    ]


def test_a_fixed_job_does_not_run_again_when_asked_from_within_the_repetition() -> None:
    within = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10, the second time

    found = parse(["30 2,3 * * *"], "Europe/Berlin").next_after(within, ANCHOR)

    assert found == datetime(2026, 10, 25, 2, 30, tzinfo=UTC)


def test_a_job_of_every_hour_goes_by_elapsed_time() -> None:
    assert fires("30 * * * *", "Europe/Berlin", "2026-03-29 00:45", 3) == [
        "29 01:30:00+0100",
        "29 03:30:00+0200",
        "29 04:30:00+0200",
    ]
    assert fires("30 * * * *", "Europe/Berlin", "2026-10-25 01:45", 3) == [
        "25 02:30:00+0200",
        "25 02:30:00+0100",
        "25 03:30:00+0100",
    ]


def test_a_job_of_every_half_hour_in_one_hour_follows_the_clock() -> None:
    assert fires("*/30 2 * * *", "Europe/Berlin", SPRING, 1) == ["30 02:00:00+0200"]
    assert fires("*/30 2 * * *", "Europe/Berlin", AUTUMN, 5) == [
        "25 02:00:00+0200",
        "25 02:30:00+0200",
        "25 02:00:00+0100",
        "25 02:30:00+0100",
        "26 02:00:00+0100",
    ]


def test_a_time_given_with_its_second_is_fixed_too() -> None:
    assert fires("15 30 2 * * *", "Europe/Berlin", SPRING, 1) == ["29 03:00:00+0200"]
    assert fires("15 30 2 * * *", "Europe/Berlin", AUTUMN, 2) == [
        "25 02:30:15+0200",
        "26 02:30:15+0100",
    ]


def test_lord_howe_changes_its_clock_by_half_an_hour() -> None:
    assert fires("15 2 * * *", "Australia/Lord_Howe", "2026-10-03 12:00", 2) == [
        "04 02:30:00+1100",
        "05 02:15:00+1100",
    ]
    assert fires("*/15 * * * *", "Australia/Lord_Howe", "2026-10-04 01:40", 3) == [
        "04 01:45:00+1030",
        "04 02:30:00+1100",
        "04 02:45:00+1100",
    ]
    assert fires("45 * * * *", "Australia/Lord_Howe", "2026-04-05 01:00", 3) == [
        "05 01:45:00+1100",
        "05 01:45:00+1030",
        "05 02:45:00+1030",
    ]


def test_the_hour_after_midnight_may_be_the_skipped_one() -> None:
    assert fires("0 0 * * *", "America/Sao_Paulo", "2018-11-03 12:00", 2) == [
        "04 01:00:00-0200",
        "05 00:00:00-0200",
    ]
    assert fires("*/20 0,1 * * *", "America/Sao_Paulo", "2018-11-03 12:00", 1) == [
        "04 01:00:00-0200"
    ]


def test_the_clock_may_go_back_to_the_day_before() -> None:
    """Newfoundland went from 00:01 back to 23:01."""
    assert fires("30 23 * * *", "America/St_Johns", "2010-11-06 12:00", 2) == [
        "06 23:30:00-0230",
        "07 23:30:00-0330",
    ]
    assert fires("*/30 * * * *", "America/St_Johns", "2010-11-06 23:15", 4) == [
        "06 23:30:00-0230",
        "07 00:00:00-0230",
        "06 23:30:00-0330",
        "07 00:00:00-0330",
    ]


def test_a_day_that_a_zone_skips_is_made_up_for_once() -> None:
    """Samoa crossed the date line and had no 30 December 2011."""
    assert fires("0 6,18 * * *", "Pacific/Apia", "2011-12-29 12:00", 3) == [
        "29 18:00:00-1000",
        "31 00:00:00+1400",
        "31 06:00:00+1400",
    ]


def test_an_interval_takes_no_notice_of_the_zone() -> None:
    schedule = parse(["@every 90m"], "Europe/Berlin")
    after = datetime(2026, 3, 29, 0, 30, tzinfo=UTC)

    assert list(schedule.between(after, after + timedelta(hours=3), ANCHOR)) == [
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 3, 0, tzinfo=UTC),
    ]


def test_equal_instants_of_several_expressions_are_one_slot() -> None:
    schedule = parse(["*/10 * * * *", "*/15 * * * *", "@every 30m"], "UTC")
    until = ANCHOR + timedelta(hours=1)

    minutes = [slot.minute for slot in schedule.between(ANCHOR, until, ANCHOR)]

    assert minutes == [10, 15, 20, 30, 40, 45, 50, 0]
    assert schedule.count(ANCHOR, until, ANCHOR) == len(minutes)


def test_reboot_has_no_time() -> None:
    schedule = parse(["@Reboot"], "UTC")

    assert schedule.at_reboot
    assert schedule.next_after(ANCHOR, ANCHOR) is None
    assert schedule.newest(ANCHOR, ANCHOR + timedelta(days=9), ANCHOR) is None
    assert schedule.count(ANCHOR, ANCHOR + timedelta(days=9), ANCHOR) == 0


def test_reboot_stands_beside_times() -> None:
    schedule = parse(["@reboot", "@daily"], "UTC")

    assert schedule.at_reboot
    assert schedule.next_after(ANCHOR, ANCHOR) == ANCHOR + timedelta(days=1)
    assert not parse(["@daily"], "UTC").at_reboot


@pytest.mark.parametrize(
    ("expressions", "zone", "says"),
    [
        ([], "UTC", "no schedule: write at least one expression"),
        (["@daily"], "Europe/Belrin", "did you mean 'Europe/Berlin'?"),
        (["@daily", "61 * * * *"], "UTC", "'61 * * * *': minute 61 is out of range"),
        (["@every 0s"], "UTC", "the shortest interval is 1s"),
        (["@every5m"], "UTC", "did you mean @every?"),
        ([""], "UTC", "'' has 0 fields"),
    ],
)
def test_a_schedule_that_is_none_is_refused_in_words(
    expressions: list[str], zone: str, says: str
) -> None:
    with pytest.raises(ValueError, match=r"\S") as caught:
        parse(expressions, zone)

    assert says in str(caught.value)


def test_a_month_of_seconds_is_counted_and_its_end_found_without_a_walk() -> None:
    schedule = parse(["* * * * * *"], "Europe/Berlin")
    until = ANCHOR + timedelta(days=3650)

    assert schedule.count(ANCHOR, until, ANCHOR) == 3650 * 86400
    assert schedule.newest(ANCHOR, until, ANCHOR) == until


def test_where_the_calendar_ends_there_is_no_next_slot() -> None:
    late = datetime(9989, 12, 31, 12, tzinfo=UTC)

    assert parse(["0 6 29 2 *"], "Europe/Berlin").next_after(late, ANCHOR) is None
    assert parse(["@daily"], "UTC").count(late, late + timedelta(days=999), ANCHOR) == 1


def test_many_threads_may_ask_one_schedule() -> None:
    schedule = parse(["0 0 13 * 5", "5 4 29 2 *"], "Europe/Berlin")
    starts = [ANCHOR + timedelta(days=day) for day in range(400)]
    alone = [
        parse(["0 0 13 * 5", "5 4 29 2 *"], "Europe/Berlin").next_after(s, ANCHOR)
        for s in starts
    ]

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda start: schedule.next_after(start, ANCHOR), starts))

    assert together == alone


ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Australia/Lord_Howe",
    "Africa/Casablanca", "America/St_Johns", "Pacific/Apia", "America/Havana",
]  # fmt: skip
CHANGES = [
    datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 11, 1, 5, tzinfo=UTC), datetime(2018, 11, 4, 3, tzinfo=UTC),
    datetime(2018, 2, 18, 2, tzinfo=UTC), datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2026, 10, 3, 15, tzinfo=UTC), datetime(2010, 11, 7, 2, 31, tzinfo=UTC),
    datetime(2011, 12, 30, 10, tzinfo=UTC), datetime(2026, 2, 15, 2, tzinfo=UTC),
    datetime(2026, 3, 8, 5, tzinfo=UTC),
]  # fmt: skip
EXPRESSIONS = [
    "* * * * *", "*/7 * * * *", "30 2 * * *", "15,45 0-4 * * *", "0 0 * * *", "*/20 1-3 * * *",
    "5 */3 * * *", "0 12 13 * 5", "0 4 L * *", "0 10 2 * * *", "@every 37m", "@hourly",
    "0 30 23 * * 6#1",
]  # fmt: skip
schedules = st.builds(
    parse,
    st.lists(st.sampled_from(EXPRESSIONS), min_size=1, max_size=3),
    st.sampled_from(ZONES),
)
moments = st.builds(
    lambda change, shift: change + timedelta(seconds=shift),
    st.sampled_from(CHANGES),
    st.integers(-2 * 86400, 86400),
)


def walk(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    slot = schedule.next_after(after, ANCHOR)
    while slot is not None and slot <= until:
        yield slot
        slot = schedule.next_after(slot, ANCHOR)


@settings(max_examples=examples(80))
@given(schedules, moments, st.integers(0, 30 * 3600))
def test_between_count_and_newest_agree_with_asking_for_the_next(
    schedule: Schedule, after: datetime, length: int
) -> None:
    until = after + timedelta(seconds=length)
    slots = list(walk(schedule, after, until))

    assert list(schedule.between(after, until, ANCHOR)) == slots
    assert list(schedule.between(after, until, ANCHOR, 3)) == slots[:3]
    assert schedule.count(after, until, ANCHOR) == len(slots)
    assert schedule.newest(after, until, ANCHOR) == (slots[-1] if slots else None)
    assert all(after < slot <= until for slot in slots)
    assert all(one < two for one, two in pairwise(slots))


@settings(max_examples=examples(80))
@given(schedules, moments, st.integers(0, 86400), st.integers(0, 86400))
def test_a_later_question_never_has_an_earlier_answer(
    schedule: Schedule, after: datetime, one: int, two: int
) -> None:
    early, late = (after + timedelta(seconds=shift) for shift in sorted((one, two)))
    first, second = schedule.next_after(early, ANCHOR), schedule.next_after(late, ANCHOR)

    assert first is not None
    assert second is not None
    assert first <= second
    assert first > early
    assert second == first or late >= first


clock_times = st.sets(
    st.tuples(st.integers(0, 4) | st.just(23), st.integers(0, 59)), min_size=1, max_size=1
) | st.just({(hour, minute) for hour in (0, 1, 2, 3, 23) for minute in (0, 20, 59)})


def as_fields(times: set[tuple[int, int]]) -> str:
    hours = ",".join(str(hour) for hour in sorted({hour for hour, _ in times}))
    minutes = ",".join(str(minute) for minute in sorted({minute for _, minute in times}))
    return f"{minutes} {hours}"


@settings(max_examples=examples(30))
@given(clock_times, st.sampled_from(ZONES), st.sampled_from(CHANGES))
def test_fixed_jobs_fire_when_the_clock_first_reaches_or_passes_their_time(
    times: set[tuple[int, int]], zone: str, change: datetime
) -> None:
    """The rule in one sentence, played minute by minute."""
    begin, until = change - timedelta(days=1), change + timedelta(days=1)
    expected: list[datetime] = []
    at, reached = begin, begin.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    while at < until:
        at += MINUTE
        shown = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
        passed = reached
        while passed < shown:
            passed += MINUTE
            if (passed.hour, passed.minute) in times and expected[-1:] != [at]:
                expected.append(at)
        reached = max(reached, shown)

    schedule = parse([f"{as_fields(times)} * * *"], zone)

    assert list(schedule.between(begin, until, ANCHOR)) == expected


@settings(max_examples=examples(30))
@given(clock_times, st.sampled_from(ZONES), st.sampled_from(CHANGES))
def test_other_jobs_fire_whenever_the_clock_shows_their_time(
    times: set[tuple[int, int]], zone: str, change: datetime
) -> None:
    """`*/60` is minute 0, and makes the field begin with a star."""
    begin, until = change - timedelta(days=1), change + timedelta(days=1)
    fitting = times | {(hour, 0) for hour, _ in times}
    instants = [begin + MINUTE * (no + 1) for no in range(2 * 24 * 60)]
    shown = [(at, at.astimezone(ZoneInfo(zone))) for at in instants]
    expected = [at for at, local in shown if (local.hour, local.minute) in fitting]

    schedule = parse([f"*/60,{as_fields(times)} * * *"], zone)

    assert list(schedule.between(begin, until, ANCHOR)) == expected


@given(
    st.sampled_from([("*/7 * * * *",), ("0 3 * * *", "@every 90s"), ("30 2 * * 0",)]),
    st.lists(st.tuples(st.integers(0, 9 * 86400), st.integers(0, 100)), min_size=2),
)
def test_what_was_asked_before_changes_no_answer(
    expressions: tuple[str, ...], asked: list[tuple[int, int]]
) -> None:
    begin = datetime(2026, 3, 25, tzinfo=UTC)  # the clock is set forward in it
    shared = parse(expressions, "Europe/Berlin")

    for seconds, anchored in asked:
        after, anchor = begin + timedelta(seconds=seconds), begin + timedelta(seconds=anchored)
        alone = parse(expressions, "Europe/Berlin")
        for each in (after, shared.next_after(after, anchor) or after):
            assert shared.next_after(each, anchor) == alone.next_after(each, anchor)
            anchored_one = shared.anchored(anchor)
            assert anchored_one.next_after(each) == alone.next_after(each, anchor)
