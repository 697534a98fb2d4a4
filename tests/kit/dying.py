"""A master that kills itself at one of its writes: ``python -m tests.kit.dying N WHEN ...``.

``before``: all of the transaction has been said, its COMMIT has not. ``after``: it is on disk,
and nobody has been answered. What follows is the command line of clawd.
"""

import os
import signal
import sys
from typing import Any

from claw.master import main as daemon
from claw.store import connect, database


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(number: int, when: str) -> None:
    """Have this process killed at its store's n-th COMMIT."""
    seen = 0
    succeed = database._Work.succeed

    def trace(statement: str) -> None:
        nonlocal seen
        if statement == "COMMIT":
            seen += 1
            if seen == number and when == "before":
                _die()

    def connected(path: str, **kinds: Any) -> Any:
        if not kinds.get("read_only"):
            kinds["tracer"] = trace
        return connect.connect(path, **kinds)

    def succeeded(work: database._Work[object]) -> None:
        if seen >= number:
            _die()
        succeed(work)

    vars(database)["connect"] = connected
    database._Work.succeed = succeeded  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    die_at(int(sys.argv[1]), sys.argv[2])
    sys.exit(daemon.main(sys.argv[3:]))
