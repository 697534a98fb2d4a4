"""The ladder of attempts, against a small model of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from claw.model import retry
from claw.model.retry import Delivery, Ending, RateLimit, Retry, Rules
from claw.model.run import Run, State
from tests.kit.desk import T0, a_run

SECOND = timedelta(seconds=1)
WEBHOOK = Retry(delays_s=(0, 30, 300, 900, 3600), max_attempts=6)


def _ending(**values: object) -> Ending:
    end = Ending(state=State.FAILED, reason="exit_code", at=T0, exit_status=3)
    return replace(end, **values)  # type: ignore[arg-type]


def _after(run: Run, verdict: retry.Verdict) -> Run:
    """Return the run as its next attempt finds it."""
    return replace(
        run,
        attempt=run.attempt + 1,
        retries=verdict.retries,
        limited=verdict.limited,
        alike=verdict.alike,
        fingerprint=verdict.fingerprint,
    )


def _begun() -> Run:
    return a_run(attempt=1, started_at=T0)


def _waits(rules: Rules, ends: Sequence[Ending]) -> list[float | str]:
    """Return the waits that follow some ends, and the reason of the end of them all."""
    run, found = _begun(), list[float | str]()
    for end in ends:
        verdict = retry.decide(rules, run, end)
        if verdict.due_at is None:
            return [*found, verdict.reason or verdict.state]
        found.append((verdict.due_at - end.at).total_seconds())
        run = _after(run, verdict)
    return found


def test_a_run_without_a_ladder_has_one_attempt() -> None:
    assert _waits(Rules(), [_ending()]) == ["exit_code"]


def test_the_ladder_is_climbed_step_by_step_to_its_end() -> None:
    assert _waits(Rules(retry=WEBHOOK), [_ending()] * 9) == [0, 30, 300, 900, 3600, "exit_code"]


def test_the_last_delay_repeats_up_to_max_attempts() -> None:
    policy = Retry(delays_s=(1, 2), max_attempts=5)
    assert _waits(Rules(retry=policy), [_ending()] * 9) == [1, 2, 2, 2, "exit_code"]


def test_timeouts_are_retried_as_failures_are() -> None:
    end = _ending(state=State.TIMED_OUT, reason="timeout", exit_status=124)
    assert _waits(Rules(retry=WEBHOOK), [end] * 9)[:2] == [0, 30]


def test_no_other_end_is_retried() -> None:
    for state in (State.SUCCEEDED, State.CANCELED, State.SKIPPED):
        verdict = retry.decide(Rules(retry=WEBHOOK), _begun(), _ending(state=state))
        assert (verdict.state, verdict.due_at) == (state, None)


def test_exit_statuses_choose_what_is_retried() -> None:
    only = Rules(retry=replace(WEBHOOK, retry_on=(3, 137)))
    but = Rules(retry=replace(WEBHOOK, no_retry_on=(3,)))
    assert _waits(only, [_ending()]) == [0]
    assert _waits(only, [_ending(exit_status=4)]) == ["exit_code"]
    assert _waits(only, [_ending(exit_status=137, reason="signal")]) == [0]
    assert _waits(but, [_ending()]) == ["exit_code"]
    assert _waits(but, [_ending(exit_status=4)]) == [0]


def test_a_crash_is_replayed_only_with_at_least_once_and_is_bounded() -> None:
    crash = _ending(state=State.CRASHED, reason="lost", exit_status=125)
    replayed = Rules(delivery=Delivery.AT_LEAST_ONCE)
    assert _waits(Rules(retry=WEBHOOK), [crash]) == ["lost"]
    assert _waits(replayed, [crash] * 9) == [0, 10, 60, 300, "lost"]
    assert _waits(replace(replayed, retry=WEBHOOK), [crash] * 9)[-2:] == [3600, "lost"]


def test_at_least_once_alone_retries_no_failure() -> None:
    assert _waits(Rules(delivery=Delivery.AT_LEAST_ONCE), [_ending()]) == ["exit_code"]


def test_crashes_and_failures_are_counted_together() -> None:
    rules = Rules(retry=Retry(delays_s=(1,), max_attempts=3), delivery=Delivery.AT_LEAST_ONCE)
    crash = _ending(state=State.CRASHED, reason="lost")
    assert _waits(rules, [crash, _ending(), crash]) == [1, 1, "lost"]


def test_a_rate_limit_has_a_ladder_and_a_count_of_its_own() -> None:
    limit = RateLimit(match="429", delays_s=(60, 120), max_attempts=3)
    rules = Rules(retry=Retry(delays_s=(1,), max_attempts=2, rate_limit=limit))
    limited = _ending(is_limited=True)
    assert _waits(rules, [limited, _ending(), limited, limited, limited]) == [
        60, 1, 120, 120, "exit_code",
    ]  # fmt: skip


def test_poison_ends_a_run_that_fails_alike_again_and_again() -> None:
    rules = Rules(retry=replace(WEBHOOK, poison_after=3))
    same, other = _ending(fingerprint="a"), _ending(fingerprint="b")
    assert _waits(rules, [same, same, same]) == [0, 30, "poison"]
    assert _waits(rules, [same, same, other, same, same]) == [0, 30, 300, 900, 3600]


def test_a_rate_limit_is_no_poison() -> None:
    limit = RateLimit(match="429", delays_s=(1,), max_attempts=9)
    rules = Rules(retry=replace(WEBHOOK, poison_after=2, rate_limit=limit))
    assert _waits(rules, [_ending(fingerprint="a", is_limited=True)] * 4) == [1, 1, 1, 1]


def test_no_attempt_begins_after_the_time_of_the_run() -> None:
    rules = Rules(retry=WEBHOOK, run_timeout_s=60)
    late = _ending(at=T0 + 45 * SECOND)
    verdict = retry.decide(rules, _after(_begun(), retry.decide(rules, _begun(), late)), late)
    assert (verdict.state, verdict.reason) == (State.TIMED_OUT, "run_timeout")


def test_an_attempt_that_the_time_of_the_run_cut_short_is_the_last() -> None:
    rules = Rules(retry=WEBHOOK, run_timeout_s=60, timeout_s=50)
    end = _ending(state=State.TIMED_OUT, reason="timeout", at=T0 + 60 * SECOND)
    cut = retry.decide(rules, _begun(), replace(end, started_at=T0 + 20 * SECOND))
    own = retry.decide(rules, _begun(), replace(end, started_at=T0, at=T0 + 50 * SECOND))
    assert (cut.state, cut.reason) == (State.TIMED_OUT, "run_timeout")
    assert own.state is State.RETRY_WAIT


def test_an_attempt_gets_what_is_left_of_the_run() -> None:
    def left(timeout_s: float, run_timeout_s: float, run: Run, now: datetime) -> float:
        return retry.time_left_s(timeout_s, run_timeout_s, run, now)

    assert left(0, 0, _begun(), T0) == 0
    assert left(5, 0, _begun(), T0 + 60 * SECOND) == 5
    assert left(0, 60, a_run(), T0) == 60
    assert left(0, 60, _begun(), T0 + 45 * SECOND) == 15
    assert left(5, 60, _begun(), T0 + 45 * SECOND) == 5
    assert 0 < left(0, 60, _begun(), T0 + 90 * SECOND) < 0.01


ENDS = st.builds(
    Ending,
    state=st.sampled_from([State.FAILED, State.TIMED_OUT, State.CRASHED]),
    reason=st.just("why"),
    at=st.just(T0),
    exit_status=st.sampled_from([1, 2, 124]),
    fingerprint=st.sampled_from(["a", "b"]),
    is_limited=st.booleans(),
)
POLICIES = st.builds(
    Retry,
    delays_s=st.lists(st.integers(0, 9), min_size=1, max_size=4).map(tuple),
    max_attempts=st.integers(1, 6),
    retry_on=st.sampled_from([(), (1,), (1, 124)]),
    no_retry_on=st.sampled_from([(), (2,)]),
    poison_after=st.integers(0, 4),
    rate_limit=st.sampled_from(
        [None, RateLimit(match="x", delays_s=(60.0, 90.0), max_attempts=2)]
    ),
)


def _model(rules: Rules, ends: Sequence[Ending]) -> list[float | str]:
    """The ladder as a person would walk it, with everything that happened in view."""
    policy = rules.retry
    assert policy is not None
    found, alike, tried, limited = list[float | str](), list[str](), 1, 0
    for end in ends:
        is_crash = end.state is State.CRASHED
        may = rules.is_at_least_once if is_crash else end.exit_status not in policy.no_retry_on
        is_limit = may and not is_crash and end.is_limited and policy.rate_limit is not None
        if is_limit and policy.rate_limit is not None:
            if limited == policy.rate_limit.max_attempts:
                return [*found, "why"]
            found.append(policy.rate_limit.delays_s[min(limited, 1)])
            limited += 1
            continue
        alike.append(end.fingerprint)
        if not is_crash and policy.retry_on:
            may = may and end.exit_status in policy.retry_on
        if not may:
            return [*found, "why"]
        count = policy.poison_after
        if count and len(alike) >= count and len(set(alike[-count:])) == 1:
            return [*found, "poison"]
        if tried == policy.max_attempts:
            return [*found, "why"]
        found.append(policy.delays_s[min(tried, len(policy.delays_s)) - 1])
        tried += 1
    return found


@given(POLICIES, st.sampled_from(Delivery), st.lists(ENDS, max_size=12))
def test_every_ladder_is_climbed_as_the_model_climbs_it(
    policy: Retry, delivery: Delivery, ends: list[Ending]
) -> None:
    rules = Rules(retry=policy, delivery=delivery)
    assert _waits(rules, ends) == _model(rules, ends)


@given(POLICIES, st.lists(ENDS, min_size=30, max_size=30))
def test_no_run_is_tried_for_ever(policy: Retry, ends: list[Ending]) -> None:
    rules = Rules(retry=policy, delivery=Delivery.AT_LEAST_ONCE)
    waits = _waits(rules, ends)
    most = (
        policy.max_attempts - 1 + (policy.rate_limit.max_attempts if policy.rate_limit else 0)
    )
    assert len(waits) <= most + 1
    assert isinstance(waits[-1], str)


@given(st.floats(0, 1), st.integers(1, 50))
def test_a_delay_is_stretched_by_the_jitter_at_most_and_always_alike(
    jitter: float, attempt: int
) -> None:
    rules = Rules(retry=Retry(delays_s=(10,), max_attempts=99, jitter=jitter))
    run = replace(_begun(), attempt=attempt)
    first, again = (retry.decide(rules, run, _ending()).due_at for _ in range(2))
    assert first is not None
    assert first == again
    assert 10 <= (first - T0).total_seconds() <= 10 * (1 + jitter) + 1e-6


def test_without_a_ladder_a_rate_limit_has_its_own_and_a_lost_run_is_replayed() -> None:
    limit = RateLimit(match="429", delays_s=(60, 120), max_attempts=2)
    rules = Rules(
        retry=Retry(delays_s=(), max_attempts=1, rate_limit=limit),
        delivery=Delivery.AT_LEAST_ONCE,
    )
    limited = _ending(is_limited=True)
    assert _waits(rules, [limited] * 3) == [60, 120, "exit_code"]
    assert _waits(rules, [_ending()]) == ["exit_code"]
    crash = _ending(state=State.CRASHED, reason="lost", exit_status=125)
    assert _waits(rules, [crash] * 9) == [0, 10, 60, 300, "lost"]
