"""What is kept of a job's runs: the rules of the ``output`` table."""

from collections.abc import Callable, Iterator

from claw.config.check import Values
from claw.config.keys.results import OutputKeys
from claw.config.locate import Path
from claw.model.job import JobType
from claw.model.keeping import Budget

MOST_STORED = 1 << 20
_make_budget: Callable[..., Budget] = Budget


def budget(values: Values) -> Budget:
    """Return how much of a run's output is kept."""
    return _make_budget(
        store=values[OutputKeys.store],
        excerpt=values[OutputKeys.excerpt],
        summary=values[OutputKeys.summary],
    )


def faults(values: Values, kind: JobType) -> Iterator[tuple[Path, str]]:
    """Yield what contradicts in a job's ``output`` table."""
    if not values.says_table("output"):
        return
    if kind is JobType.CONTINUOUS:
        yield ("output",), "a continuous job's output stays in its files: remove it"
        return
    found = budget(values.table("output"))
    if found.store > MOST_STORED:
        yield ("output", "store"), "at most 1M: larger output is better off in its file"
    if 0 < found.store < found.excerpt:
        yield ("output", "excerpt"), "an excerpt is a part of what is stored: at most store"
    if found.summary < found.excerpt:
        yield ("output", "summary"), "a summary is longer than an excerpt: at least excerpt"
