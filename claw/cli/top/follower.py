"""A thread that follows the output of what the tab Logs shows."""

from __future__ import annotations

import re
import threading
from datetime import datetime

from claw.cli import terminal
from claw.cli.lines import Lines
from claw.cli.prefix import Prefixer
from claw.cli.top.news import Output
from claw.client.connection import Connection
from claw.client.follow import Marks
from claw.client.stream import Stream
from claw.errors import ClawError, UnreachableError
from claw.wire.control import Notification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from claw.model.home import Home

_LINES = 1000
_LINES_OF_MANY = 10
_LOOK_S = 0.25
_AGAIN_S = 1.0
_MOST_ON_THE_WAY = 4
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?[+-]\d\d:\d\d")


class Follower(threading.Thread):
    """Follows one thing until `end`, over restarts of the master.

    Args:
        home: Whose master.
        asked: What is followed; see `LogPane.asked`.
        tell: Given what comes, in this thread.

    Attributes:
        room: Released by whoever has taken what it was told: what cannot be shown as fast as
            it comes is not read as fast, and waits with the master.
    """

    def __init__(
        self, home: Home, asked: tuple[str, str, bool], tell: Callable[[Output], None]
    ) -> None:
        super().__init__(name="top-follower", daemon=True)
        self._path = home.control_socket
        self._asked = asked
        self._tell = tell
        self._over = threading.Event()
        self.room = threading.Semaphore(_MOST_ON_THE_WAY)
        self._marks = Marks()
        is_one = asked[0] != "all"
        self._lines = Lines(
            Prefixer([], terminal.PLAIN),
            is_one=is_one,
            is_json=False,
            timestamps=asked[2],
            grep=None,
        )

    def end(self) -> None:
        """Follow it no more."""
        self._over.set()

    def run(self) -> None:
        """Follow it; what a workflow's steps print is told as its own."""
        while not self._over.is_set():
            try:
                with Stream(Connection(self._path, may_ask=False)) as stream:
                    self._subscribe(stream)
                    if not self._read(stream):
                        return
            except UnreachableError:
                self._say("the daemon is away")
            except ClawError as error:
                self._say(f"{error.message}{': ' if error.hint else ''}{error.hint}")
                return
            except Exception as error:  # noqa: BLE001 - else nobody would know that it is over
                self._say(f"a mistake in claw: {type(error).__name__}: {error}")
                return
            self._over.wait(_AGAIN_S)

    def _subscribe(self, stream: Stream) -> None:
        target, which, has_times = self._asked
        since = self._marks.since()
        stream.subscribe(
            "log.follow",
            targets=[target],
            stream=which,
            lines=None if since else (_LINES if target != "all" else _LINES_OF_MANY),
            times=has_times or None,
            **{"from": since},
        )
        self._say("")

    def _read(self, stream: Stream) -> bool:
        """Tell what comes; False when no more will."""
        while not self._over.is_set():
            told = stream.next(_LOOK_S)
            if not isinstance(told, Notification):
                continue
            if told.method == "log":
                self._marks.note(told.params)
                if told.params.get("missed"):
                    self._say(f"{told.params['missed']} files were removed before that")
                text = "".join(self._lines.feed(told.params))
                if text and self._has_room():
                    self._tell(Output(self._asked, self._local(text)))
            elif told.method == "end" and "resume_from" not in told.params:
                rest = "".join(self._lines.rest())
                self._tell(Output(self._asked, rest, "it has ended"))
                return False
            elif told.method in {"end", "lagged"}:
                return True
        return False

    def _has_room(self) -> bool:
        """Wait until what was told has been taken; False when nobody wants more."""
        while not self._over.is_set():
            if self.room.acquire(timeout=_LOOK_S):
                return True
        return False

    def _local(self, text: str) -> str:
        """Return lines with their times as a clock on the wall has them."""
        if not self._asked[2]:
            return text
        return "".join(
            _STAMP.sub(_wall, line, count=1) for line in text.splitlines(keepends=True)
        )

    def _say(self, note: str) -> None:
        self._tell(Output(self._asked, "", note))


def _wall(stamp: re.Match[str]) -> str:
    return f"{datetime.fromisoformat(stamp[0]).astimezone():%m-%d %H:%M:%S}"
