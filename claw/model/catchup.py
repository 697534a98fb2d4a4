"""Slots that passed: which of them still run, and which are missed.

The ticker asks here for a slot that is due just now, and the start-up for a month of
them: one path. Every slot ends in exactly one row. What runs is always the newest part
of what passed, so that what is missed is one stretch before it, stored as one row with
its first and last slot and their count; the stretch is counted, never listed.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, assert_never

from claw.model.job import CatchUp

MAX_WINDOW_S = 86400.0
"""How far the window reaches that a job does not set."""

_TICK = timedelta(microseconds=1)


class Slots(Protocol):
    """The due times of one job; `claw.schedule.fires.Schedule.anchored` yields one.

    Spans leave out their beginning and include their end.
    """

    def next_after(self, after: datetime) -> datetime | None:
        """Return the first slot later than ``after``, or None."""

    def newest(self, after: datetime, until: datetime) -> datetime | None:
        """Return the last slot of the span, or None."""

    def count(self, after: datetime, until: datetime) -> int:
        """Count the slots of the span."""

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Yield the slots of the span in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A stretch of slots that do not run: one row."""

    first: datetime
    last: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUpPlan:
    """What becomes of every slot in (since, now].

    ``run`` in order of time, all after ``missed``. The next plan's ``since`` is this
    plan's ``now``.
    """

    run: tuple[datetime, ...] = ()
    missed: Missed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUpRule:
    """What a job wants of slots that passed.

    ``window_s`` says how late a slot may be and still be made up for; None is the gap
    between the newest slot and the next, at most 24 h. A slot that is less late than
    ``late_after_s`` is simply due, and runs by any policy. No more than ``max_run`` slots
    run; the older ones are missed. ``jitter`` says how much later than a slot its run is
    due, at most ``jitter_s``.
    """

    policy: CatchUp = CatchUp.ONCE
    window_s: float | None = None
    late_after_s: float = 5.0
    max_run: int = 1000
    jitter_s: float = 0.0
    jitter: Callable[[datetime], timedelta] = lambda _slot: timedelta(0)


def plan_catch_up(
    slots: Slots, rule: CatchUpRule, *, since: datetime, now: datetime
) -> CatchUpPlan:
    """Decide on the slots later than ``since``, up to and with ``now``.

    Args:
        slots: The job's due times.
        rule: What the job wants.
        since: Up to here all slots have their row: the ``now`` of the last plan, or when
            the job was added, enabled or resumed, whichever is later.
        now: The present.
    """
    first = slots.next_after(since)
    if first is None or first > now:
        return CatchUpPlan()
    if _is_simply_due(slots, rule, first, now):
        return CatchUpPlan(run=(first,))
    newest = slots.newest(since, now) or first
    cut = _due_cut(slots, rule, since, now - timedelta(seconds=rule.late_after_s))
    if since < cut:
        cut = min(cut, _policy_cut(slots, rule, newest, now))
    run = _newest_of(slots, max(since, cut), now, rule.max_run)
    return CatchUpPlan(run=run, missed=_missed(slots, since, run[0] - _TICK if run else now))


def _is_simply_due(slots: Slots, rule: CatchUpRule, first: datetime, now: datetime) -> bool:
    """Tell whether a slot has come alone and in time, as almost all do."""
    if rule.jitter_s or (now - first).total_seconds() >= rule.late_after_s:
        return False
    following = slots.next_after(first)
    return following is None or following > now


def _due_cut(slots: Slots, rule: CatchUpRule, since: datetime, cut: datetime) -> datetime:
    """Return the instant after which the slots are simply due.

    Args:
        slots: The job's due times.
        rule: What the job wants.
        since: Slots up to here have their row.
        cut: Runs that are due after this are not late.
    """
    if not rule.jitter_s:
        return cut
    begin = max(since, cut - timedelta(seconds=rule.jitter_s))
    due = (slot for slot in slots.between(begin, cut) if slot + rule.jitter(slot) > cut)
    first = next(due, None)
    return cut if first is None else first - _TICK


def _policy_cut(slots: Slots, rule: CatchUpRule, newest: datetime, now: datetime) -> datetime:
    """Return the instant after which the slots are made up for, late as they are."""
    if rule.policy is CatchUp.NONE:
        return now
    window_s = _gap_s(slots, newest) if rule.window_s is None else rule.window_s
    oldest = now - timedelta(seconds=window_s)
    if rule.policy is CatchUp.ALL:
        return oldest - _TICK
    if rule.policy is CatchUp.ONCE:
        return newest - _TICK if newest >= oldest else now
    assert_never(rule.policy)


def _gap_s(slots: Slots, newest: datetime) -> float:
    following = slots.next_after(newest)
    gap = MAX_WINDOW_S if following is None else (following - newest).total_seconds()
    return min(gap, MAX_WINDOW_S)


def _newest_of(
    slots: Slots, after: datetime, until: datetime, at_most: int
) -> tuple[datetime, ...]:
    """Return the last slots of a span without walking through the rest of it."""
    if slots.count(after, until) <= at_most:
        return tuple(slots.between(after, until))
    back = timedelta(seconds=1)
    begin = until
    while slots.count(begin, until) < at_most:
        begin = until - back if until - after > back else after
        back *= 2
    return tuple(deque(slots.between(begin, until), maxlen=at_most))


def _missed(slots: Slots, after: datetime, until: datetime) -> Missed | None:
    first = slots.next_after(after)
    last = slots.newest(after, until)
    if first is None or last is None:
        return None
    return Missed(first=first, last=last, count=slots.count(after, until))
