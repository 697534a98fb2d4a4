"""The ladder of delays, against its words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.model.backoff import EXPONENTIAL, FIXED, PRESETS, WEBHOOK, delay_s
from claw.model.job import Restart


def test_the_presets_are_those_of_the_documents() -> None:
    assert [*WEBHOOK] == [0, 30, 5 * 60, 15 * 60, 60 * 60]
    assert [*EXPONENTIAL] == [min(2**step, 300) for step in range(10)]
    assert [*FIXED] == [30]
    assert set(PRESETS) == {"webhook", "exponential", "fixed"}


def test_a_job_that_says_nothing_climbs_the_exponential_ladder() -> None:
    assert (Restart().delays_s, Restart().jitter) == PRESETS["exponential"]


def test_the_last_delay_repeats() -> None:
    assert [delay_s((1, 5), 0, no, 0.5) for no in (1, 2, 3, 1000)] == [1, 5, 5, 5]


def test_the_first_failure_is_number_one() -> None:
    with pytest.raises(ValueError, match="0"):
        delay_s((1,), 0, 0, 0)


@given(
    st.lists(st.floats(0, 1e6), min_size=1, max_size=9),
    st.floats(0, 1),
    st.integers(1, 50),
    st.floats(0, 1, exclude_max=True),
)
def test_a_delay_is_never_shortened_and_stretched_by_the_jitter_at_most(
    delays: list[float], jitter: float, failure_no: int, fraction: float
) -> None:
    step = delays[min(failure_no - 1, len(delays) - 1)]

    assert step <= delay_s(delays, jitter, failure_no, fraction) <= step * (1 + jitter)
