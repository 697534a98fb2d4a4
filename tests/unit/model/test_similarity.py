"""How alike texts are, against an example worked by hand and what holds for all texts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from claw.model import similarity
from claw.model.context import Context, chosen

TEXTS = ["red apple", "green apple", "Blue SKY"]
"""Of three texts, two have ``apple``: it weighs ln(4/3)+1 = 1.287682, the others ln(4/2)+1."""

words = st.lists(st.sampled_from(["aa", "bb", "cc", "dd", "ee"]), max_size=8).map(" ".join)


def test_a_rare_word_counts_for_more_than_a_frequent_one() -> None:
    # The cosine is 1.693147 by the root of 1.693147^2 + 1.287682^2.
    assert similarity.scores("RED", TEXTS) == pytest.approx([0.795961, 0, 0], abs=1e-6)


def test_a_word_that_is_there_twice_counts_for_more_by_the_logarithm() -> None:
    # aim: red 1.693147, apple (1 + ln 2) * 1.287682 = 2.180230
    # green apple: 2.180230 * 1.287682 / (2.760463 * 2.127173)
    found = similarity.scores("red apple apple", TEXTS)

    assert found[1] == pytest.approx(0.478105, abs=1e-5)
    assert found[2] == 0


def test_words_that_no_text_has_count_for_nothing() -> None:
    assert similarity.scores("red zebra", TEXTS) == similarity.scores("red", TEXTS)
    assert similarity.scores("zebra", TEXTS) == [0, 0, 0]
    assert similarity.scores("", TEXTS) == [0, 0, 0]


@given(words, st.lists(words, max_size=6))
def test_scores_are_from_nothing_to_one_and_a_text_is_most_like_itself(
    wanted: str, texts: list[str]
) -> None:
    found = similarity.scores(wanted, [wanted, *texts])

    assert len(found) == len(texts) + 1
    assert all(0 <= score <= 1 for score in found)
    assert found[0] == pytest.approx(1 if wanted else 0)
    assert all(score <= found[0] + 1e-9 for score in found)


@given(words, st.lists(words, max_size=6))
def test_neither_the_order_of_texts_nor_that_of_words_matters(
    wanted: str, texts: list[str]
) -> None:
    backwards = " ".join(reversed(wanted.split()))

    assert similarity.scores(backwards, texts[::-1]) == similarity.scores(wanted, texts)[::-1]


@given(st.sampled_from(Context), st.integers(1, 8), words, st.lists(words, max_size=12))
def test_those_that_are_told_are_few_enough_each_once_and_in_their_order(
    how: Context, limit: int, wanted: str, texts: list[str]
) -> None:
    places = [place for place, _score in chosen(how, limit, wanted, texts)]

    assert len(places) == (0 if how is Context.NONE else min(limit, len(texts)))
    assert places == sorted(set(places))
    if how is not Context.NONE:
        recent = min((limit + 1) // 2, len(texts))
        assert places[:recent] == list(range(recent))


def test_beside_the_recent_ones_the_most_alike_is_told() -> None:
    texts = ["blue sky", "green grass", "grey stone", "red apple", "red brick"]

    assert [place for place, _ in chosen(Context.HYBRID, 3, "apple", texts)] == [0, 1, 3]
    assert chosen(Context.HYBRID, 2, "", texts) == [(0, None), (1, None)]
    assert chosen(Context.RECENT, 2, "apple", texts) == [(0, None), (1, None)]
    assert [place for place, _ in chosen(Context.HYBRID, 4, "zebra", texts)] == [0, 1, 2, 3]
