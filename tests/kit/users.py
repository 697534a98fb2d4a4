"""Another user, for tests that need two."""

import os
from pathlib import Path

NOBODY = 65534


def why_alone() -> str:
    """Return why this process cannot become `NOBODY`; "" when it can."""
    if os.geteuid() != 0:
        return "needs root: two users take part"
    for line in Path("/proc/self/uid_map").read_text().splitlines():  # user_namespaces(7)
        first, _outside, count = map(int, line.split())
        if first <= NOBODY < first + count:
            return ""
    return "this user namespace has no other user"
