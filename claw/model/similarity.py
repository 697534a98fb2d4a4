"""How alike texts are: TF-IDF and the cosine between what it makes of two texts.

A text becomes a vector with a number for each of its words: how often the word is there, by
the logarithm, times how rare it is among all texts (Salton and Buckley, 1988; the inverse
document frequency is smoothed, as scikit-learn's default has it). The cosine between two of
them, from 0 to 1, says how alike the texts are, whatever their lengths.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

_WORD = re.compile(r"\w{2,}")

Vector = Mapping[str, float]


def words_of(text: str) -> list[str]:
    """Return the words of a text, each as often as it is there, without regard to case."""
    return _WORD.findall(text.casefold())


def scores(wanted: str, texts: Sequence[str]) -> list[float]:
    """Return how alike each text is to the one that is wanted, from 0 to 1.

    What is rare is told from the texts; a word of the wanted one that none has counts for
    nothing.
    """
    counts = [Counter(words_of(text)) for text in texts]
    rarity = _rarity(counts)
    aim = _vector(Counter(words_of(wanted)), rarity)
    return [_cosine(aim, _vector(count, rarity)) for count in counts]


def _rarity(counts: Sequence[Counter[str]]) -> dict[str, float]:
    texts_with = Counter(word for count in counts for word in count)
    total = len(counts)
    return {word: math.log((1 + total) / (1 + has)) + 1 for word, has in texts_with.items()}


def _vector(count: Counter[str], rarity: Mapping[str, float]) -> Vector:
    return {
        word: (1 + math.log(times)) * rarity[word]
        for word, times in sorted(count.items())
        if word in rarity
    }


def _cosine(one: Vector, other: Vector) -> float:
    length = math.sqrt(_dot(one, one) * _dot(other, other))
    return min(_dot(one, other) / length, 1.0) if length else 0.0


def _dot(one: Vector, other: Vector) -> float:
    return math.fsum(value * other[word] for word, value in one.items() if word in other)
