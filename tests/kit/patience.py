"""Waiting for what will come: by looking, often at first, and less the longer it takes."""

import os
import select
import time
from collections.abc import Callable
from typing import TypeVar

from claw.kernel import pidfd

PATIENCE_S = 30.0
T = TypeVar("T")
_FIRST_S = 0.003
_LONGEST_S = 0.05
_PART = 1 / 20


def until(
    condition: Callable[[], T], told: Callable[[], str], patience_s: float = PATIENCE_S
) -> T:
    """Return what a condition yields once that is true.

    A wait takes a twentieth longer than it has to, and looks a hundred times and no more
    into what takes seconds: a look costs the daemon as much as who looks.

    Args:
        condition: What is looked at.
        told: Says what is missing, when it does not come.
        patience_s: How long one waits.

    Raises:
        AssertionError: It did not come.
    """
    began = time.monotonic()
    while True:
        found = condition()
        if found:
            return found
        waited_s = time.monotonic() - began
        assert waited_s < patience_s, told()
        time.sleep(min(_FIRST_S + waited_s * _PART, _LONGEST_S))


def await_end(pid: int, patience_s: float = PATIENCE_S) -> bool:
    """Wait for the end of somebody else's child; False: it lives on."""
    try:
        fd = pidfd.open_pid(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([fd], [], [], patience_s)[0])
    finally:
        os.close(fd)
