"""Whether two failures are the same one: their fingerprints.

What differs from one time to the next, numbers and names of temporary things above all, is
left out of it.
"""

import hashlib
import re

LINES = 5
"""So many last lines tell of a failure."""

_VARIES = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8,}|\d+", re.IGNORECASE)


def fingerprint(reason: str | None, exit_status: int, tail: str) -> str:
    """Return what is the same of failures that are alike.

    Args:
        reason: Why the attempt ended.
        exit_status: As `claw.model.outcome.exit_status` has it.
        tail: The end of its output.
    """
    lines = [normal for line in tail.splitlines() if (normal := normalize(line))]
    text = "\n".join([reason or "", str(exit_status), *lines[-LINES:]])
    return hashlib.blake2b(text.encode(), digest_size=12, usedforsecurity=False).hexdigest()


def normalize(line: str) -> str:
    """Return a line without what differs from one time to the next."""
    return " ".join(_VARIES.sub("#", line).lower().split())
