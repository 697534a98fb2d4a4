"""What `claw.config.keys.retry` says of a job, judged as a whole and made into values."""

from collections.abc import Callable, Iterator

from claw.config.check import Values
from claw.config.fields import JobKeys
from claw.config.keys.retry import NONE, RateLimitKeys, RetryKeys
from claw.config.locate import Path
from claw.config.table import Field
from claw.model import backoff
from claw.model.job import JobType
from claw.model.retry import Delivery, RateLimit, Retry

Fault = tuple[Path, str]
_make_retry: Callable[..., Retry] = Retry
_make_limit: Callable[..., RateLimit] = RateLimit

_FIXED_ATTEMPTS = 6
"""Of a ladder with one delay."""
_OF_EXPONENTIAL: tuple[Field[object], ...] = (  # type: ignore[assignment]
    RetryKeys.base,
    RetryKeys.factor,
    RetryKeys.max,
)
ONLY_FOR_RUNS: tuple[Field[object], ...] = (  # type: ignore[assignment]
    JobKeys.run_timeout,
    JobKeys.delivery_guarantee,
    JobKeys.skip_code,
    JobKeys.checks,
    JobKeys.dead_letter,
)
"""Keys that mean nothing to a service, whose run is over when it is stopped."""


def contradictions(values: Values) -> Iterator[Fault]:
    """Yield what a job's table, or ``[defaults]``, says in vain, whatever else is said."""
    if not values.says_table("retry"):
        return
    table = values.table("retry")
    if table.says(RetryKeys.preset) and table.says(RetryKeys.delays):
        yield ("retry", "delays"), "preset and delays contradict each other: keep one of them"
    preset = table.or_default(RetryKeys.preset)
    if table.says(RetryKeys.delays) or preset not in {None, "exponential"}:
        for field in _OF_EXPONENTIAL:
            if table.says(field):
                yield ("retry", field.name), 'only for preset = "exponential": remove it'
    if table.says(RetryKeys.retry_on) and table.says(RetryKeys.no_retry_on):
        yield (
            ("retry", "no_retry_on"),
            "retry_on names all that is tried again: keep one of them",
        )


def faults(values: Values, kind: JobType) -> Iterator[Fault]:
    """Yield what cannot be done, and what contradicts."""
    if kind is JobType.CONTINUOUS:
        yield from _of_no_service(values)
        return
    codes = values[JobKeys.success_codes]
    if values.says(JobKeys.skip_code) and values[JobKeys.skip_code] in codes:
        yield ("skip_code",), "it is one of success_codes: remove it from one of them"
    policy = retry(values)
    if policy is not None:
        yield from _in_vain(values, policy)


def _of_no_service(values: Values) -> Iterator[Fault]:
    if values.says_table("retry"):
        yield ("retry",), "a continuous job has restart instead: remove it"
    for field in ONLY_FOR_RUNS:
        if values.says(field):
            yield (field.name,), "a continuous job has one run, from start to stop: remove it"


def _in_vain(values: Values, policy: Retry) -> Iterator[Fault]:
    at: Path = ("retry",) if values.says_table("retry") else ()
    succeed = sorted({*policy.retry_on} & {*values[JobKeys.success_codes]})
    if succeed:
        yield at, f"retry_on names {succeed[0]}, which success_codes calls a success"
    is_replayed = values[JobKeys.delivery_guarantee] is Delivery.AT_LEAST_ONCE
    if is_replayed and policy.delays_s and policy.max_attempts == 1:
        yield at, 'delivery_guarantee = "at-least-once" needs max_attempts of 2 or more'


def run_values(values: Values, kind: JobType) -> dict[str, object]:
    """Return the attributes of a job that say what follows when a run ended badly."""
    if kind is JobType.CONTINUOUS:
        return {}
    policy = retry(values)
    has_ladder = policy is not None and bool(policy.delays_s)
    dead = values[JobKeys.dead_letter]
    return {
        "retry": policy,
        "run_timeout_s": values[JobKeys.run_timeout],
        "delivery_guarantee": values[JobKeys.delivery_guarantee],
        "skip_code": values[JobKeys.skip_code],
        "checks": values[JobKeys.checks],
        "dead_letter": (has_ladder and kind is JobType.MANUAL if dead is None else dead),
    }


def retry(values: Values) -> Retry | None:
    """Return how a run is tried again; None: it is not."""
    beneath = values.beneath_table("retry")
    if not values.says_table("retry") and (beneath is None or beneath.is_empty):
        return None
    table = values.table("retry")
    if _preset(table) == NONE:
        limit = _rate_limit(table)
        return (
            None
            if limit is None
            else _make_retry(
                delays_s=(),
                max_attempts=1,
                no_retry_on=table[RetryKeys.no_retry_on],
                rate_limit=limit,
            )
        )
    delays, jitter = _ladder(table)
    most, own_jitter = table[RetryKeys.max_attempts], table[RetryKeys.jitter]
    return _make_retry(
        delays_s=delays,
        jitter=jitter if own_jitter is None else own_jitter,
        max_attempts=_attempts(delays) if most is None else most,
        retry_on=table[RetryKeys.retry_on],
        no_retry_on=table[RetryKeys.no_retry_on],
        poison_after=table[RetryKeys.poison_after],
        rate_limit=_rate_limit(table),
    )


def _preset(table: Values) -> str | None:
    """Return the preset in force; None: a ladder of one's own."""
    if table.says(RetryKeys.preset):
        return table[RetryKeys.preset]
    return None if table[RetryKeys.delays] is not None else table[RetryKeys.preset]


def _ladder(table: Values) -> tuple[tuple[float, ...], float]:
    preset, own = _preset(table), table[RetryKeys.delays]
    if own is not None and not table.says(RetryKeys.preset):
        return own, 0.0
    if preset not in {None, "exponential"}:
        return backoff.PRESETS[preset or ""]
    delays, jitter = backoff.PRESETS["exponential"]
    base, factor, longest = (table[field] for field in _OF_EXPONENTIAL)
    if base is None and factor is None and longest is None:
        return delays, jitter
    return backoff.exponential(_or(base, 1.0), _or(factor, 2.0), _or(longest, 300.0)), jitter


def _or(value: object, usual: float) -> float:
    return value if isinstance(value, float) else usual


def _attempts(delays: tuple[float, ...]) -> int:
    return _FIXED_ATTEMPTS if len(delays) == 1 else len(delays) + 1


def _rate_limit(table: Values) -> RateLimit | None:
    beneath = table.beneath_table("rate_limit")
    if not table.says_table("rate_limit") and (beneath is None or beneath.is_empty):
        return None
    limit = table.table("rate_limit")
    return _make_limit(
        match=limit[RateLimitKeys.match],
        delays_s=limit[RateLimitKeys.delays],
        max_attempts=limit[RateLimitKeys.max_attempts],
    )
