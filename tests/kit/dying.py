"""A master that kills itself at one of its writes: ``python -m tests.kit.dying N WHEN ...``.

``before``: all of the transaction has been said, its COMMIT has not. ``after``: it is on disk,
and nobody has been answered. What follows is the command line of clawd.
"""

import os
import signal
import sys
import threading
import time
import uuid
from typing import Any

from claw.errors import UnreachableError
from claw.master import main as daemon
from claw.store import connect, database
from tests.kit.master import PATIENCE_S, Json, MasterUnderTest

_PAUSE_S = 0.2


class Mortal:
    """A master that dies at one write and is replaced by another, as by an init system."""

    def __init__(self, claw: MasterUnderTest, number: int, when: str) -> None:
        self.claw = claw
        self.claw.daemon = ("tests.kit.dying", str(number), when)
        self.has_died = threading.Event()  # and another one is there

    def start(self) -> None:
        """Start the one that is going to die, and have it replaced when it has."""
        self.claw.start(wait=False)
        threading.Thread(target=self._look_after).start()

    def _look_after(self) -> None:
        assert self.claw.process is not None
        self.claw.process.wait()
        self.claw.daemon = ("claw", "clawd")
        self.claw.start(wait=False)
        self.has_died.set()

    def ask(self, method: str, **params: Any) -> Json:
        """Ask until there is an answer, by one request id."""
        request = {"request_id": uuid.uuid4().hex, **params}
        deadline = time.monotonic() + 2 * PATIENCE_S
        while True:
            try:
                return dict(self.claw.client.call(method, **request))
            except UnreachableError:  # it is not up yet, or has died
                assert time.monotonic() < deadline
                self.has_died.wait(_PAUSE_S)

    def end(self) -> None:
        """End it, whichever of the two it is by now."""
        if not self.has_died.is_set():
            self.claw.kill()
            assert self.has_died.wait(PATIENCE_S)
        self.claw.end()


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
