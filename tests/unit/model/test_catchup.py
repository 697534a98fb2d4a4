"""What becomes of slots that passed."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from claw.model.catchup import CatchUpPlan, CatchUpRule, Missed, plan_catch_up
from claw.model.job import CatchUp
from claw.schedule.fires import parse

START = datetime(2026, 1, 1, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


class Listed:
    """Slots that are written down."""

    def __init__(self, *minutes: float) -> None:
        self.slots = sorted(at(minute) for minute in minutes)

    def next_after(self, after: datetime) -> datetime | None:
        place = bisect_right(self.slots, after)
        return self.slots[place] if place < len(self.slots) else None

    def newest(self, after: datetime, until: datetime) -> datetime | None:
        return next(reversed(list(self.between(after, until))), None)

    def count(self, after: datetime, until: datetime) -> int:
        return len(list(self.between(after, until)))

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        return (slot for slot in self.slots if after < slot <= until)


def plan(slots: Listed, rule: CatchUpRule, now: float, since: float = 0) -> CatchUpPlan:
    return plan_catch_up(slots, rule, since=at(since), now=at(now))


def missed(first: float, last: float, count: int) -> Missed:
    return Missed(first=at(first), last=at(last), count=count)


NONE = CatchUpRule(policy=CatchUp.NONE)
ONCE = CatchUpRule(policy=CatchUp.ONCE)
ALL = CatchUpRule(policy=CatchUp.ALL)


def test_where_no_slot_passed_there_is_nothing_to_do() -> None:
    assert plan(Listed(5, 10), ONCE, now=4) == CatchUpPlan()
    assert plan(Listed(), ONCE, now=4) == CatchUpPlan()


def test_a_slot_that_is_due_just_now_runs_by_any_policy() -> None:
    for rule in (NONE, ONCE, ALL):
        assert plan(Listed(5, 10), rule, now=5) == CatchUpPlan(run=(at(5),))
        assert plan(Listed(5, 10), rule, now=5.05) == CatchUpPlan(run=(at(5),))


def test_a_slot_five_seconds_late_is_missed_without_catch_up() -> None:
    late = at(5) + timedelta(seconds=5)
    almost = late - timedelta(microseconds=1)

    assert plan_catch_up(Listed(5, 10), NONE, since=at(0), now=almost).run == (at(5),)
    assert plan_catch_up(Listed(5, 10), NONE, since=at(0), now=late).missed == missed(5, 5, 1)


def test_slots_that_have_their_row_are_left_alone() -> None:
    assert plan(Listed(5, 10, 15), ALL, now=15, since=10) == CatchUpPlan(run=(at(15),))


def test_none_misses_what_passed_as_one_row() -> None:
    assert plan(Listed(5, 10, 15), NONE, now=19) == CatchUpPlan(missed=missed(5, 15, 3))


def test_none_still_runs_the_slot_that_is_due_after_the_missed_ones() -> None:
    assert plan(Listed(5, 10, 15), NONE, now=15) == CatchUpPlan(
        run=(at(15),), missed=missed(5, 10, 2)
    )


def test_once_runs_the_newest_and_misses_the_rest() -> None:
    assert plan(Listed(5, 10, 15, 30), ONCE, now=20) == CatchUpPlan(
        run=(at(15),), missed=missed(5, 10, 2)
    )


def test_once_misses_the_newest_too_when_it_is_later_than_the_window() -> None:
    rule = CatchUpRule(policy=CatchUp.ONCE, window_s=300)

    assert plan(Listed(5, 10, 30), rule, now=15).run == (at(10),)
    assert plan(Listed(5, 10, 30), rule, now=15.1) == CatchUpPlan(missed=missed(5, 10, 2))


def test_once_does_not_catch_up_beside_a_slot_that_is_due() -> None:
    assert plan(Listed(5, 10, 15), ONCE, now=15) == CatchUpPlan(
        run=(at(15),), missed=missed(5, 10, 2)
    )


def test_all_runs_what_the_window_holds_and_misses_what_is_older() -> None:
    rule = CatchUpRule(policy=CatchUp.ALL, window_s=600)

    assert plan(Listed(5, 10, 15, 20, 25), rule, now=20) == CatchUpPlan(
        run=(at(10), at(15), at(20)), missed=missed(5, 5, 1)
    )


def test_the_window_is_the_gap_to_the_next_slot_when_none_is_given() -> None:
    assert plan(Listed(0, 10, 15, 21), ALL, now=20, since=-1) == CatchUpPlan(
        run=(at(15),), missed=missed(0, 10, 2)
    )
    assert plan(Listed(0, 10, 15, 30), ALL, now=20, since=-1).run == (at(10), at(15))


def test_the_gap_reaches_no_further_than_a_day() -> None:
    day = 24 * 60

    assert plan(Listed(1, 9 * day), ONCE, now=1 + day).run == (at(1),)
    assert plan(Listed(1, 9 * day), ONCE, now=1.1 + day).missed == missed(1, 1, 1)


def test_where_no_slot_follows_the_window_is_a_day() -> None:
    assert plan(Listed(1), ONCE, now=24 * 60).run == (at(1),)
    assert plan(Listed(1), ONCE, now=24 * 60 + 2).missed == missed(1, 1, 1)


def test_no_more_slots_run_than_may() -> None:
    rule = CatchUpRule(policy=CatchUp.ALL, window_s=86400, max_run=2)

    assert plan(Listed(5, 10, 15, 20), rule, now=22) == CatchUpPlan(
        run=(at(15), at(20)), missed=missed(5, 10, 2)
    )


def test_when_none_may_run_all_are_missed() -> None:
    rule = CatchUpRule(policy=CatchUp.ALL, max_run=0)

    assert plan(Listed(5, 10), rule, now=10) == CatchUpPlan(missed=missed(5, 10, 2))


def test_a_clock_that_was_set_back_makes_no_slot_due_twice() -> None:
    assert plan(Listed(5, 10), ALL, now=6, since=10) == CatchUpPlan()


def test_years_of_seconds_are_planned_without_a_walk() -> None:
    slots = parse(["* * * * * *"], "Europe/Berlin").anchored(START)
    now = START + timedelta(days=3650)
    rule = CatchUpRule(policy=CatchUp.ALL, window_s=1e9, max_run=100)

    result = plan_catch_up(slots, rule, since=START, now=now)

    assert result.run == tuple(now - timedelta(seconds=back) for back in range(99, -1, -1))
    assert result.missed == Missed(
        first=START + timedelta(seconds=1),
        last=now - timedelta(seconds=100),
        count=3650 * 86400 - 100,
    )


rules = st.builds(
    CatchUpRule,
    policy=st.sampled_from(CatchUp),
    window_s=st.none() | st.floats(0, 90000),
    late_after_s=st.floats(0, 600),
    max_run=st.integers(0, 20),
)
listed = st.lists(st.floats(-100, 3000), unique_by=at, max_size=30).map(
    lambda minutes: Listed(*minutes)
)


@given(listed, rules, st.floats(-10, 1000), st.floats(-10, 3000))
def test_every_slot_ends_in_exactly_one_row(
    slots: Listed, rule: CatchUpRule, since: float, now: float
) -> None:
    result = plan(slots, rule, now, since)

    passed = list(slots.between(at(since), at(now)))
    count = 0 if result.missed is None else result.missed.count
    assert list(result.run) == passed[count:]
    assert len(result.run) <= rule.max_run
    if result.missed is not None:
        assert (result.missed.first, result.missed.last) == (passed[0], passed[count - 1])
    due = [slot for slot in passed if at(now) - slot < timedelta(seconds=rule.late_after_s)]
    assert set(due[-rule.max_run :] if rule.max_run else ()) <= set(result.run)


@given(listed, rules, st.lists(st.floats(0, 3000), min_size=2, max_size=6).map(sorted))
def test_plans_one_after_the_other_leave_no_slot_out_and_take_none_twice(
    slots: Listed, rule: CatchUpRule, looks: list[float]
) -> None:
    rows = 0
    for since, now in pairwise(looks):
        result = plan(slots, rule, now, since)
        rows += len(result.run) + (result.missed.count if result.missed else 0)

    assert rows == slots.count(at(looks[0]), at(looks[-1]))
