"""Retries: what follows when an attempt has ended badly, decided from values alone.

::

    the attempt                        and                         what follows
    failed, timed out                  the ladder has a step left  retry_wait, cause retry
    failed, its output names a limit   rate_limit has a step left  retry_wait, cause rate_limit
    crashed: claw or the host lost it  delivery is at-least-once,  retry_wait, cause replay
                                       attempts are left
    anything else                      -                           that was the last attempt

Attempts are counted from the first one of the run. Those that follow a rate limit are
counted apart; those that somebody asked for (``restart``) and those that a shutdown cut
short are not counted at all.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from claw.model import backoff
from claw.model.run import Run, State
from claw.model.values import replace
from claw.model.watchdog import Watch

RETRY = "retry"
RATE_LIMIT = "rate_limit"
REPLAY = "replay"
"""Causes of the attempts that follow one that has ended badly."""

RUN_TIMEOUT = "run_timeout"
POISON = "poison"
"""Why a run has no attempt more, in place of why its last one ended."""

MAX_ATTEMPTS = 1000
"""No policy has more: a run keeps a record of each."""


class Delivery(StrEnum):
    """What becomes of a run that claw or the host has lost."""

    AT_MOST_ONCE = "at-most-once"
    AT_LEAST_ONCE = "at-least-once"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """How a run is tried again whose output says that there are too many requests."""

    match: str  # a regular expression, searched for in the end of the output
    delays_s: tuple[float, ...]
    max_attempts: int  # that follow a rate limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How a run is tried again; the ladder's last delay repeats."""

    delays_s: tuple[float, ...]  # (): only after a rate limit
    max_attempts: int  # the first one included
    jitter: float = 0.0  # a delay is stretched by up to this fraction
    retry_on: tuple[int, ...] = ()  # exit statuses, as `outcome.exit_status` has them; (): all
    no_retry_on: tuple[int, ...] = ()
    poison_after: int = 0  # so many failures alike in a row end it; 0: never
    rate_limit: RateLimit | None = None


REPLAYS = Retry(delays_s=(0.0, 10.0, 60.0, 300.0), max_attempts=5)
"""How a run is tried again that was lost, where its job has no ladder of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What of a job decides whether there is another attempt."""

    retry: Retry | None = None
    delivery: Delivery = Delivery.AT_MOST_ONCE
    timeout_s: float = 0.0  # of an attempt; 0: none
    run_timeout_s: float = 0.0  # of the run with all its attempts; 0: none
    success_codes: tuple[int, ...] = (0,)
    skip_code: int | None = None  # an exit status: there was nothing to do
    watch: Watch | None = None  # of a check that a watchdog looks with

    @property
    def is_at_least_once(self) -> bool:
        """Whether a run that was lost, or cut short by a shutdown, is tried again."""
        return self.delivery is Delivery.AT_LEAST_ONCE


NO_RULES = Rules()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How an attempt has ended, and the run with it, if nothing follows."""

    state: State
    reason: str | None
    at: datetime
    exit_status: int
    started_at: datetime | None = None  # of this attempt
    fingerprint: str = ""  # the same of failures that are alike
    is_limited: bool = False  # its output says that there are too many requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of the run: ``again`` when another attempt follows."""

    state: State
    reason: str | None
    cause: str | None = None  # of the attempt that follows; None: none does
    due_at: datetime | None = None
    retries: int = 0  # the counts that the run has from now on
    limited: int = 0
    alike: int = 0
    fingerprint: str | None = None


def decide(rules: Rules, run: Run, end: Ending) -> Verdict:
    """Return what becomes of a run whose attempt has ended by itself, or was lost."""
    over = Verdict(
        state=end.state,
        reason=end.reason,
        retries=run.retries,
        limited=run.limited,
        alike=run.alike,
        fingerprint=run.fingerprint,
    )
    if end.state not in BAD:
        return over
    if _is_cut_short(rules, run, end):
        return replace(over, reason=RUN_TIMEOUT)
    cause = _cause(rules, end)
    if cause == RATE_LIMIT:
        return _again(rules, run, over, end.at, cause)
    alike = run.alike + 1 if end.fingerprint == run.fingerprint else 1
    over = replace(over, alike=alike, fingerprint=end.fingerprint)
    if cause is None:
        return over
    if rules.retry and 0 < rules.retry.poison_after <= alike:
        return replace(over, reason=POISON)
    return _again(rules, run, over, end.at, cause)


BAD = frozenset({State.FAILED, State.TIMED_OUT, State.CRASHED})
"""Ends that may be followed by another attempt."""


def _again(rules: Rules, run: Run, over: Verdict, at: datetime, cause: str) -> Verdict:
    """Return the wait for another attempt, or the end where there is none left, or no time."""
    delay_s = _delay_s(rules, run, cause)
    if delay_s is None:
        return over
    due_at = at + timedelta(seconds=delay_s)
    deadline = deadline_of(rules.run_timeout_s, run)
    if deadline is not None and due_at >= deadline:
        return replace(over, state=State.TIMED_OUT, reason=RUN_TIMEOUT)
    is_limited = cause == RATE_LIMIT
    return replace(
        over,
        state=State.RETRY_WAIT,
        reason=None,
        cause=cause,
        due_at=due_at,
        retries=run.retries + (not is_limited),
        limited=run.limited + is_limited,
    )


def deadline_of(run_timeout_s: float, run: Run) -> datetime | None:
    """Return when a run has to be over, once its first attempt has begun."""
    if not run_timeout_s or run.started_at is None:
        return None
    return run.started_at + timedelta(seconds=run_timeout_s)


def time_left_s(timeout_s: float, run_timeout_s: float, run: Run, now: datetime) -> float:
    """Return how long an attempt may take that begins now; 0: for ever.

    Args:
        timeout_s: Of each attempt; 0: none.
        run_timeout_s: Of all together; 0: none.
        run: The run, with the time at which its first attempt began.
        now: The present.
    """
    if not run_timeout_s:
        return timeout_s
    deadline = deadline_of(run_timeout_s, run)
    left_s = run_timeout_s if deadline is None else (deadline - now).total_seconds()
    return max(min(timeout_s or left_s, left_s), _LEAST_S)


_LEAST_S = 0.001
"""What is left to an attempt that begins too late: 0 would mean for ever."""


def _is_cut_short(rules: Rules, run: Run, end: Ending) -> bool:
    """Tell whether an attempt ran out of the run's time rather than of its own."""
    deadline = deadline_of(rules.run_timeout_s, run)
    if end.state is not State.TIMED_OUT or deadline is None:
        return False
    if not rules.timeout_s or end.started_at is None:
        return True
    return end.started_at + timedelta(seconds=rules.timeout_s) >= deadline


def _cause(rules: Rules, end: Ending) -> str | None:
    """Return what would be the cause of another attempt; None: it is not to be."""
    policy = rules.retry
    if end.state is State.CRASHED:
        return REPLAY if rules.is_at_least_once else None
    if policy is None or end.exit_status in policy.no_retry_on:
        return None
    if end.is_limited and policy.rate_limit is not None:
        return RATE_LIMIT
    if not policy.delays_s or (policy.retry_on and end.exit_status not in policy.retry_on):
        return None
    return RETRY


def _delay_s(rules: Rules, run: Run, cause: str) -> float | None:
    """Return how long the next attempt is waited for; None: there are none left."""
    if cause == RATE_LIMIT:
        limit = rules.retry.rate_limit if rules.retry else None
        if limit is None or run.limited >= limit.max_attempts:
            return None
        return backoff.delay_s(limit.delays_s, 0.0, run.limited + 1, 0.0)
    policy = _ladder(rules)
    if run.retries + 1 >= policy.max_attempts:
        return None
    fraction = _fraction(run)
    return backoff.delay_s(policy.delays_s, policy.jitter, run.retries + 1, fraction)


def _ladder(rules: Rules) -> Retry:
    return rules.retry if rules.retry and rules.retry.delays_s else REPLAYS


def _fraction(run: Run) -> float:
    """Return a number from 0 to 1 that is the same whenever this end is read."""
    seed = f"{run.id} {run.attempt}".encode()
    digest = hashlib.blake2b(seed, digest_size=4, usedforsecurity=False).digest()
    return int.from_bytes(digest, "big") / (1 << 32)


def waiting_text(how: str, verdict: Verdict, rules: Rules) -> str:
    """Return what a run waits for, in words.

    Args:
        how: How its last attempt ended.
        verdict: Another attempt follows.
        rules: Of its job.
    """
    limit = rules.retry.rate_limit if rules.retry else None
    if verdict.cause == RATE_LIMIT and limit is not None:
        most = limit.max_attempts
        return f"{how}, as a rate limit has it: try {verdict.limited} of {most} after one"
    return f"{how}: attempt {verdict.retries + 1} of {_ladder(rules).max_attempts} follows"
