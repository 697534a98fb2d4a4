"""Which earlier runs a child is told of."""

from collections.abc import Sequence
from enum import StrEnum

from claw.model import similarity

LOOKED_AT = 50
"""So many earlier runs at most are looked through."""


class Context(StrEnum):
    """What a child is told of earlier runs of its job."""

    NONE = "none"
    RECENT = "recent"
    HYBRID = "hybrid"


def chosen(
    how: Context, limit: int, wanted: str, texts: Sequence[str]
) -> list[tuple[int, float | None]]:
    """Return which texts are told, by their places, in their order, and how alike they are.

    Half of them, rounded up, are the first; the others are those most alike to what is wanted,
    the earlier of two that are as alike. Where nothing is wanted, or too few are alike at all,
    the first that are left take their place.

    Args:
        how: Recent ones alone, or alike ones beside them.
        limit: How many at most.
        wanted: What they should be like.
        texts: The earlier ones, newest first.
    """
    if how is Context.NONE:
        return []
    places = range(len(texts))
    if how is Context.RECENT or not similarity.words_of(wanted):
        return [(place, None) for place in places[:limit]]
    found = similarity.scores(wanted, texts)
    recent = list(places[: (limit + 1) // 2])
    rest = sorted(places[len(recent) :], key=lambda place: (-found[place], place))
    taken = sorted([*recent, *rest[: limit - len(recent)]])
    return [(place, found[place]) for place in taken]
