"""When a job is due: the face of this package.

An expression is one of

- five cron fields, ``minute hour day-of-month month day-of-week``, or six with the
  seconds *first* (last where only that makes sense); names, ranges, steps, lists, ``L``,
  ``#``; day of month and day of week are either-or when neither begins with a star
  (crontab(5));
- ``@hourly @daily @midnight @weekly @monthly @yearly @annually``;
- ``@every 90s``: at anchor + k x 90 s by elapsed time, whatever the zone;
- ``@reboot``: once per boot, which has no time and so only sets `Schedule.at_reboot`.

Cron expressions are read in the job's time zone. When its clock is changed, the rules of
Debian's cron(8) ("Daylight Saving Time and other time changes") hold, without its limit
of three hours:

- A *fixed* expression says hour and minute (and second): none of these fields begins
  with a star. If its time falls into the hour that is skipped, it fires once, right
  after the jump; if into the hour that is repeated, once, the first time.
- Any other goes by elapsed time: it fires whenever the local clock shows a time that
  fits. ``*/30 * * * *`` fires each half hour through both changes; ``*/30 2 * * *`` does
  not fire where there is no hour 2, and four times where there are two.

Instants that several expressions share are one fire. All instants are aware and, when
returned, in UTC. Everything here is pure, and safe to use from several threads.
"""

import heapq
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Protocol
from zoneinfo import ZoneInfo

from claw.schedule.cron import SEARCH_YEARS, Cron, parse_cron
from claw.schedule.interval import PREFIX, parse_every
from claw.schedule.zone import Window, load_zone, windows

REBOOT = "@reboot"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)
_SECOND_US = 1_000_000
_HORIZON_S = (SEARCH_YEARS + 1) * 366 * 86400


_Gap = tuple[datetime, datetime, datetime]
"""A time, the first slot after it, and the anchor: between the two there is no other slot."""

_GAPS = 3
"""So many are known of a schedule: jobs that share it ask for the same few, one by one."""


class Rule(Protocol):
    """One expression of a schedule; times are microseconds since the epoch."""

    def first(self, after_us: int, anchor_us: int) -> int | None:
        """Return the first fire later than ``after_us``."""

    def count(self, after_us: int, until_us: int, anchor_us: int) -> int:
        """Count the fires later than ``after_us``, up to and with ``until_us``."""

    def between(self, after_us: int, until_us: int, anchor_us: int) -> Iterator[int]:
        """Yield the fires later than ``after_us``, up to and with ``until_us``."""


@dataclass(frozen=True, slots=True)
class ZonedCron:
    """A cron expression on the clock of a zone; a `Rule`."""

    cron: Cron
    zone: ZoneInfo

    def first(self, after_us: int, anchor_us: int) -> int | None:  # noqa: ARG002 - a Rule
        """Return the first fire later than ``after_us``, None if there is none in 50 years."""
        after = after_us // _SECOND_US
        since = found = None  # no local time in [since, found) fits
        for window in self._windows(after, after + _HORIZON_S):
            if since is None or found is None or not since <= window.skipped <= found:
                since, found = window.skipped, self.cron.first_from(window.skipped)
                if found is None:
                    return None
            if found < window.high:
                return (max(found, window.low) - window.offset) * _SECOND_US
        return None

    def count(self, after_us: int, until_us: int, anchor_us: int) -> int:  # noqa: ARG002
        """Count the fires later than ``after_us``, up to and with ``until_us``; O(days)."""
        total = 0
        for window in self._windows(after_us // _SECOND_US, until_us // _SECOND_US):
            jumped = self._fires_at_jump(window)
            total += jumped + self.cron.count(window.low + jumped, window.high)
        return total

    def between(self, after_us: int, until_us: int, anchor_us: int) -> Iterator[int]:  # noqa: ARG002
        """Yield the fires later than ``after_us``, up to and with ``until_us``."""
        for window in self._windows(after_us // _SECOND_US, until_us // _SECOND_US):
            jumped = self._fires_at_jump(window)
            if jumped:
                yield (window.low - window.offset) * _SECOND_US
            for local in self.cron.between(window.low + jumped, window.high):
                yield (local - window.offset) * _SECOND_US

    def _windows(self, after: int, until: int) -> Iterator[Window]:
        return windows(self.zone, after, until, fixed=self.cron.fixed)

    def _fires_at_jump(self, window: Window) -> bool:
        return self.cron.count(window.skipped, window.low) > 0


@dataclass(frozen=True, slots=True)
class Schedule:
    """The due times of a job: those of its expressions, equal instants once.

    ``anchor`` is what ``@every`` counts from: when the job was added. It must stay the
    same over restarts; cron expressions do not look at it.
    """

    rules: tuple[Rule, ...]
    at_reboot: bool
    _gaps: list[_Gap] = field(default_factory=list, compare=False, repr=False)

    def next_after(self, after: datetime, anchor: datetime) -> datetime | None:
        """Return the first slot strictly later than ``after``.

        None when there is none within `SEARCH_YEARS`: the schedule is ``@reboot`` alone, or
        the calendar ends.
        """
        for low, slot, known_anchor in self._gaps:
            if low <= after < slot and known_anchor == anchor:
                return slot
        found = _maybe_instant(self._first(_us(after), _us(anchor)))
        if found is not None:
            self._gaps[_GAPS - 1 :] = []
            self._gaps.insert(0, (after, found, anchor))
        return found

    def between(
        self, after: datetime, until: datetime, anchor: datetime, limit: int | None = None
    ) -> Iterator[datetime]:
        """Yield the slots later than ``after``, up to and with ``until``, at most ``limit``."""
        slots = self._between(_us(after), _us(until), _us(anchor))
        return map(_instant, islice(slots, limit))

    def count(self, after: datetime, until: datetime, anchor: datetime) -> int:
        """Count the slots later than ``after``, up to and with ``until``.

        In the time that the days between take (a millisecond for a month), not the
        slots; only where several expressions mix are the slots walked through.
        """
        span = _us(after), _us(until), _us(anchor)
        if len(self.rules) == 1:
            return self.rules[0].count(*span)
        return sum(1 for _ in self._between(*span))

    def newest(self, after: datetime, until: datetime, anchor: datetime) -> datetime | None:
        """Return the last slot later than ``after``, up to and with ``until``."""
        return _maybe_instant(self._newest(_us(after), _us(until), _us(anchor)))

    def anchored(self, anchor: datetime) -> "AnchoredSchedule":
        """Return this schedule with its anchor fixed, as `claw.model.catchup` asks for it."""
        is_minded = not all(isinstance(rule, ZonedCron) for rule in self.rules)
        return AnchoredSchedule(self, anchor if is_minded else _EPOCH)

    def _first(self, after_us: int, anchor_us: int) -> int | None:
        firsts = (rule.first(after_us, anchor_us) for rule in self.rules)
        return min((first for first in firsts if first is not None), default=None)

    def _between(self, after_us: int, until_us: int, anchor_us: int) -> Iterator[int]:
        last = None
        runs = [rule.between(after_us, until_us, anchor_us) for rule in self.rules]
        for slot in heapq.merge(*runs):
            if slot != last:
                yield slot
            last = slot

    def _newest(self, after_us: int, until_us: int, anchor_us: int) -> int | None:
        slot = self._first(after_us, anchor_us)
        if slot is None or slot > until_us:
            return None
        seconds = range(slot // _SECOND_US, until_us // _SECOND_US + 1)

        def is_past_the_newest(second: int) -> bool:
            following = self._first(second * _SECOND_US, anchor_us)
            return following is None or following > until_us

        place = bisect_left(seconds, True, key=is_past_the_newest)
        following: int | None = slot
        if place > 0:
            following = self._first(seconds[place - 1] * _SECOND_US, anchor_us)
        while following is not None and following <= until_us:
            slot, following = following, self._first(following, anchor_us)
        return slot


@dataclass(frozen=True, slots=True)
class AnchoredSchedule:
    """A `Schedule` whose anchor is given once; the methods are the same."""

    schedule: Schedule
    anchor: datetime

    def next_after(self, after: datetime) -> datetime | None:
        """See `Schedule.next_after`."""
        return self.schedule.next_after(after, self.anchor)

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """See `Schedule.between`."""
        return self.schedule.between(after, until, self.anchor)

    def count(self, after: datetime, until: datetime) -> int:
        """See `Schedule.count`."""
        return self.schedule.count(after, until, self.anchor)

    def newest(self, after: datetime, until: datetime) -> datetime | None:
        """See `Schedule.newest`."""
        return self.schedule.newest(after, until, self.anchor)


def parse(expressions: Sequence[str], timezone: str) -> Schedule:
    """Read the expressions of one job.

    Args:
        expressions: One or more; see the module's docstring.
        timezone: An IANA name.

    Raises:
        ValueError: If the zone is unknown, there is no expression, or one is not
            understood or can never fire; the text names it and what to write instead.
    """
    zone = load_zone(timezone)
    words = list(dict.fromkeys(text.strip() for text in expressions))
    if not words:
        raise ValueError('no schedule: write at least one expression such as "0 3 * * *"')
    timed = [text for text in words if text.lower() != REBOOT]
    rules = tuple(_parse_rule(text, zone) for text in timed)
    return Schedule(rules, at_reboot=len(timed) < len(words))


def _parse_rule(text: str, zone: ZoneInfo) -> Rule:
    if text.lower().split(maxsplit=1)[:1] == [PREFIX]:
        return parse_every(text)
    return ZonedCron(parse_cron(text), zone)


def _us(instant: datetime) -> int:
    return (instant - _EPOCH) // _US


def _instant(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def _maybe_instant(us: int | None) -> datetime | None:
    return None if us is None else _instant(us)
