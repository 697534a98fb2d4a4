"""What is promised of a job: whether a run keeps it, and how much of a budget is left.

A run that began, or that should have, passes or fails; one that was canceled, or turned
away by a gate, says nothing of the promise. A missed stretch fails once for each slot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from claw.model.run import Run, State
from claw.model.units import format_duration

TALLY_S = 900
"""Runs are counted by the quarter of an hour: every zone's midnight begins one."""
_FAILED = frozenset({State.FAILED, State.TIMED_OUT, State.CRASHED, State.MISSED})
_LOW = 10
"""A budget is low when so many parts of a hundred, or one failure, are left."""


class Verdict(StrEnum):
    """What a run is to the promise."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """So many failures may be in each day, week or month, in the job's zone."""

    period: str  # day | week | month
    failures: int

    def span(self, now: datetime, zone: str) -> tuple[datetime, datetime]:
        """Return when the present period began, and when the next begins."""
        here = now.astimezone(ZoneInfo(zone))
        day = here.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if self.period == "day":
            begin, end = day, day + timedelta(days=1)
        elif self.period == "week":
            begin = day - timedelta(days=day.weekday())
            end = begin + timedelta(days=7)
        else:
            begin = day.replace(day=1)
            end = (begin + timedelta(days=32)).replace(day=1)
        return begin.astimezone(UTC), end.astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sla:
    """What is promised; None: nothing of that."""

    success_rate: float | None = None  # in percent
    tolerance_s: float | None = None  # how late a run may begin
    max_duration_s: float | None = None
    max_consecutive_failures: int | None = None
    error_budget: Budget | None = None
    period_s: float = 7 * 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How the promise is kept just now."""

    since: datetime
    passes: int = 0
    fails: int = 0
    in_a_row: int = 0
    spent: int = 0  # of the budget
    resets_at: datetime | None = None

    @property
    def rate(self) -> float | None:
        """How many of a hundred runs passed; None: there was none."""
        runs = self.passes + self.fails
        return 100.0 * self.passes / runs if runs else None


def judge(sla: Sla, run: Run) -> tuple[Verdict, str]:
    """Return what a run that is over is to the promise, and why."""
    if run.state in _FAILED:
        return Verdict.FAIL, run.state
    if run.state is not State.SUCCEEDED:
        return Verdict.NONE, run.state
    late_s = _seconds(run.due_at, run.started_at)
    if sla.tolerance_s is not None and late_s > sla.tolerance_s:
        most = format_duration(sla.tolerance_s)
        return Verdict.FAIL, f"began {format_duration(round(late_s))} late, tolerance {most}"
    took_s = _seconds(run.started_at, run.ended_at)
    if sla.max_duration_s is not None and took_s > sla.max_duration_s:
        most = format_duration(sla.max_duration_s)
        return Verdict.FAIL, f"took {format_duration(round(took_s))}, max_duration {most}"
    return Verdict.PASS, run.state


def _seconds(since: datetime | None, until: datetime | None) -> float:
    return 0.0 if since is None or until is None else (until - since).total_seconds()


def breaches(sla: Sla, score: Score) -> Iterator[tuple[str, str]]:
    """Yield what is broken, or nearly so: a word for it, and the sentence."""
    wanted, rate = sla.success_rate, score.rate
    if wanted is not None and rate is not None and rate < wanted:
        how = f"{rate:.4g} % of {score.passes + score.fails} runs"
        span = format_duration(sla.period_s)
        yield "rate", f"{how} within {span} passed, {wanted:g} % are promised"
    most = sla.max_consecutive_failures
    if most is not None and score.in_a_row > most:
        yield "streak", f"{score.in_a_row} runs in a row failed, {most} at most may"
    if sla.error_budget is not None:
        yield from _spent(sla.error_budget, score)


def _spent(budget: Budget, score: Score) -> Iterator[tuple[str, str]]:
    left = budget.failures - score.spent
    if left <= 0 < score.spent:
        yield (
            "budget",
            (
                f"the error budget of the {budget.period} is spent: {score.spent} failures,"
                f" {budget.failures} are allowed"
            ),
        )
    elif score.spent and left <= max(1, budget.failures * _LOW // 100):
        yield (
            "budget low",
            (
                f"the error budget of the {budget.period} is nearly spent: {score.spent} of"
                f" {budget.failures} failures, {left} left"
            ),
        )
