"""The ladder of delays between one attempt and the next.

A ladder is a tuple of delays in seconds; past its end the last delay repeats.
"""

from collections.abc import Sequence

WEBHOOK = (0.0, 30.0, 300.0, 900.0, 3600.0)
EXPONENTIAL = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0)
FIXED = (30.0,)
EXPONENTIAL_JITTER = 0.1

PRESETS: dict[str, tuple[tuple[float, ...], float]] = {
    "exponential": (EXPONENTIAL, EXPONENTIAL_JITTER),
    "webhook": (WEBHOOK, 0.0),
    "fixed": (FIXED, 0.0),
}
"""Name of a preset to its ladder and its jitter."""


def delay_s(
    delays_s: Sequence[float], jitter: float, failure_no: int, fraction: float
) -> float:
    """Return the wait that follows a failure.

    Args:
        delays_s: The ladder, at least one delay.
        jitter: By what part of itself a delay is stretched at most.
        failure_no: Which failure in a row it was, counted from 1.
        fraction: A random number from 0 (included) to 1 (excluded).

    Raises:
        ValueError: If ``failure_no`` is below 1.
    """
    if failure_no < 1:
        raise ValueError(failure_no)
    step = delays_s[min(failure_no, len(delays_s)) - 1]
    return step * (1.0 + jitter * fraction)


MOST_RUNGS = 100


def exponential(base_s: float, factor: float, longest_s: float) -> tuple[float, ...]:
    """Return the ladder that begins with a delay and multiplies it up to the longest one."""
    delays = [min(base_s, longest_s)]
    while delays[-1] < longest_s and len(delays) < MOST_RUNGS:
        following = min(delays[-1] * factor, longest_s)
        if following <= delays[-1]:
            break
        delays.append(following)
    return tuple(delays)
