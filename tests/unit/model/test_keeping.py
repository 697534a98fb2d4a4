"""Beginnings and ends of output are cut between characters, and within their budget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.model.keeping import TRUNCATED, beginning, ending

TEXTS = st.text(alphabet="aé€😀\n", max_size=80)
BUDGETS = st.integers(min_value=64, max_value=200)


@given(TEXTS, BUDGETS)
def test_what_fits_is_shown_as_it_is(text: str, budget: int) -> None:
    data = text.encode()
    if len(data) <= budget:
        assert beginning(data, budget, len(data)) == text
        assert ending(data, budget, len(data)) == text


@given(TEXTS, BUDGETS, st.integers(min_value=1, max_value=400))
def test_no_character_of_what_is_cut_is_cut_in_two(text: str, budget: int, read: int) -> None:
    data = text.encode()
    begun, ended = data[:read], data[max(len(data) - read, 0) :]
    head, tail = beginning(begun, budget, len(data)), ending(ended, budget, len(data))
    for shown in (head, tail):
        assert len(shown.encode()) <= budget
        assert "\ufffd" not in shown
    assert text.startswith(head.removesuffix(f"\n{TRUNCATED}"))
    assert text.endswith(tail.removeprefix(f"{TRUNCATED}\n"))
    is_all = len(data) <= min(budget, read)
    assert (TRUNCATED in head, TRUNCATED in tail) == (not is_all, not is_all)


@given(st.binary(max_size=300), BUDGETS, st.integers(min_value=1, max_value=300))
def test_any_bytes_become_text_within_their_budget(data: bytes, budget: int, read: int) -> None:
    for shown in (
        beginning(data[:read], budget, len(data)),
        ending(data[max(len(data) - read, 0) :], budget, len(data)),
    ):
        assert len(shown.encode()) <= budget


@pytest.mark.parametrize("budget", [0, 1, 5])
def test_a_budget_without_room_for_the_mark_has_none(budget: int) -> None:
    assert beginning(b"abcdef", budget, 100) == "abcdef"[:budget]
    assert ending(b"abcdef", budget, 100) == "abcdef"[6 - budget :]
