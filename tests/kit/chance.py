"""How much chance tries: a part by default, all of it once somebody gives a seed.

Without a seed the same examples are tried each time, and more of them would say the same of
each change. ``CLAW_TEST_SEED=random`` tries others, and all that a test asks for.
"""

import os

SEED = os.environ.get("CLAW_TEST_SEED", "")
_PART = 3


def examples(count: int) -> int:
    """Return how many examples a property is tried with, of so many with a seed."""
    return count if SEED else max(count // _PART, 1)
