"""A thread that looks at the master while somebody types: figures, and events of some jobs.

It has a connection of its own, so that no answer that is late holds up the prompt, and waits
for a master that has gone.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading

from claw.client.connection import Connection
from claw.errors import ClawError
from claw.kernel import ticks
from claw.wire.control import Notification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from claw.model.home import Home

_AGAIN_S = 1.0
_SOON_S = 0.5
_IDLE_S = 5.0
_MOST_TOUCHED = 50
_MOST_HEARD = 200
_TOLD = ("run.", "job.")
_UNTOLD = "run.claimed"
_SHORTEST = 6
"""Letters of either end of a run's id that name it."""


class Watching(threading.Thread):
    """Looks until `end`.

    Args:
        home: Whose master.
        tell: Given an event that concerns what was touched, in this thread.
        refresh: Called, in this thread, when the figures are others.

    Attributes:
        role: The caller's, '' until the master has said it.
        figures: What ``daemon.status`` says, with the number of ``alerts``; None: it is away.
    """

    def __init__(
        self, home: Home, tell: Callable[[Any], None], refresh: Callable[[], None]
    ) -> None:
        super().__init__(name="shell-watching", daemon=True)
        self._path = home.control_socket
        self._tell = tell
        self._refresh = refresh
        self._touched: dict[str, None] = {}
        self._unknown: list[str] = []
        self._lock = threading.Lock()
        self._reads, self._writes = os.pipe()
        os.set_blocking(self._writes, False)
        self._is_over = False
        self.role = ""
        self.figures: dict[str, Any] | None = None

    def touch(self, targets: list[str]) -> None:
        """Tell events of these from now on; the oldest of many are forgotten."""
        with self._lock:
            self._unknown += targets
        self._wake()

    def end(self) -> None:
        """Look no more."""
        self._is_over = True
        self._wake()

    def _wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.write(self._writes, b".")

    def run(self) -> None:
        """Look, over restarts of the master."""
        while not self._is_over:
            try:
                with Connection(self._path, may_ask=False) as connection:
                    self._serve(connection)
            except (ClawError, OSError):
                if self.figures is not None:
                    self.figures = None
                    self._refresh()
                self._pause([self._reads], _AGAIN_S)

    def _serve(self, connection: Connection) -> None:
        self.role = connection.ask("hello", {})["role"]
        connection.ask("event.subscribe", {})
        due = 0.0
        while not self._is_over:
            self._look_up(connection)
            heard = self._hear(connection)
            now = ticks.monotonic()
            due = min(due, now + _SOON_S) if heard else due
            if now >= due:
                self._ask(connection)
                due = now + _IDLE_S
            self._pause([self._reads, connection.fileno()], max(due - now, 0.0))

    def _pause(self, fds: list[int], seconds: float) -> None:
        if self._reads in select.select(fds, [], [], seconds)[0]:
            os.read(self._reads, 4096)

    def _ask(self, connection: Connection) -> None:
        figures = connection.ask("daemon.status", {})
        alerts = connection.ask("alert.list", {})["alerts"]
        figures["alerts"] = sum(one["acked_at"] is None for one in alerts)
        if figures != self.figures:
            self.figures = figures
            self._refresh()

    def _look_up(self, connection: Connection) -> None:
        """Turn what was typed into names of jobs; what is none may be a run."""
        with self._lock:
            unknown, self._unknown = self._unknown, []
        for target in unknown:
            names = [target]
            with contextlib.suppress(ClawError):
                jobs = connection.ask("job.status", {"targets": [target]})["jobs"]
                names = [one["job"] for one in jobs]
            for name in names:
                self._touched.pop(name, None)
                self._touched[name] = None
        for name in list(self._touched)[:-_MOST_TOUCHED]:
            del self._touched[name]

    def _hear(self, connection: Connection) -> bool:
        """Take in the events that have come; tell whether there were any."""
        for count in range(_MOST_HEARD):
            told = connection.next_message(0.0)
            if told is None:
                return count > 0
            if not isinstance(told, Notification):
                continue
            if told.method == "event":
                self._heard(told.params)
            else:  # too many at once
                connection.ask("event.subscribe", {})
        return True

    def _heard(self, event: dict[str, Any]) -> None:
        kind, run = str(event["type"]), str(event.get("run") or "")
        if not kind.startswith(_TOLD) or kind == _UNTOLD:
            return
        is_touched = event.get("job") in self._touched or any(
            len(name) >= _SHORTEST and (run.startswith(name) or run.endswith(name))
            for name in self._touched
        )
        if is_touched:
            self._tell(event)
