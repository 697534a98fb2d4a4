"""True intervals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.schedule.interval import Every, parse_every

SECOND = 1_000_000
instants = st.integers(-(10**17), 10**17)
periods = st.integers(SECOND, 10**13).map(Every)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("@every 90s", 90), ("@every 1h30m", 5400), ("@EVERY  5 m", 300), ("@every 1.5s", 1.5)],
)
def test_an_interval_is_written_as_durations_are(text: str, seconds: float) -> None:
    assert parse_every(text) == Every(int(seconds * SECOND))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("@every", "how often?"),
        ("@every ", "how often?"),
        ("@every day", "'day' is no duration"),
        ("@every -5s", "'-5s' is no duration"),
        ("@every 0s", "the shortest interval is 1s"),
        ("@every 500ms", "the shortest interval is 1s"),
        ("@every 6000w", "more than a hundred years"),
    ],
)
def test_an_interval_that_is_none_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=r"^'@every") as caught:
        parse_every(text)

    assert says in str(caught.value)


def test_the_first_fire_is_one_period_after_the_anchor() -> None:
    every = Every(90 * SECOND)

    assert every.first(1000, anchor_us=1000) == 1000 + 90 * SECOND


@given(periods, instants, instants)
def test_fires_lie_on_the_grid_of_the_anchor_strictly_later(
    every: Every, anchor: int, after: int
) -> None:
    fire = every.first(after, anchor)

    steps, off_grid = divmod(fire - anchor, every.period_us)
    assert off_grid == 0
    assert fire > after
    assert fire - every.period_us <= after
    assert steps >= 1 or after < anchor


@given(periods, instants, st.integers(0, 10**8), st.integers(-3, 20), st.integers(0, 50))
def test_counting_and_listing_agree(
    every: Every, anchor: int, shift: int, start: int, periods_long: int
) -> None:
    after = anchor + start * every.period_us + shift
    until = after + periods_long * every.period_us

    listed = list(every.between(after, until, anchor))

    assert len(listed) == every.count(after, until, anchor)
    assert listed == sorted(set(listed))
    assert all(after < fire <= until for fire in listed)
