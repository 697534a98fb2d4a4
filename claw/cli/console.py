"""What ``up`` shows: output and fate of all jobs, line by line, until they are ended.

Signals come as bytes on a descriptor, beside the master's stream: a first ^C asks the
master to end all, a second to kill the children; neither waits for its answer, which a
stopped master would owe for ever. A third leaves at once, whatever is waited for. A master
that goes away unasked is replaced; its jobs run on under their supervisors, and no line is
lost.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections import deque

from claw.cli import masters, terminal
from claw.cli.lines import Lines
from claw.cli.prefix import Prefixer
from claw.cli.render import jsontext
from claw.cli.terminal import GRAY, RED
from claw.client.connection import Connection, LostConnectionError
from claw.client.follow import Marks
from claw.client.stream import Stream
from claw.errors import ClawError, ProtocolError, RequestError
from claw.kernel import clock, signals
from claw.wire.control import Notification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from claw.model.home import Home
    from claw.wire.control import Reply

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_STOP, _KILL, _LEAVE = 1, 2, 3
_FIRST_LINES = 10
_LAST_WORD_S = 30.0
_MOST_DEATHS = 5
_DEATHS_WITHIN_S = 60.0

_TELLING = {
    "attempt.started": "started", "attempt.failed": "cannot start", "attempt.exited": "ended",
    "attempt.stopping": "is stopped", "run.skipped": "skipped a run",
    "run.missed": "missed a run", "run.crashed": "crashed", "run.timed_out": "ran out of time",
    "job.fatal": "gave up", "job.added": "was added", "job.changed": "was changed",
    "job.removed": "was removed", "job.paused": "is paused", "job.resumed": "is resumed",
    "job.refused": "was refused", "job.scaled": "was scaled",
    "job.rolling_failed": "stopped its rolling restart",
}  # fmt: skip
_BAD = frozenset(
    {"attempt.failed", "run.crashed", "run.timed_out", "job.fatal", "job.rolling_failed"}
)


class Console:
    """Shows the jobs of one home until they have been ended; `run` is called once.

    Args:
        place: The home; its master answers.
        cursor: Show events after this one; None: those from now on.
        begun: Cursors of output from which to go on; None: show the last lines there are.
        is_json: Whether programs read it: each line is an object.
    """

    def __init__(
        self,
        place: Home,
        cursor: int | None = None,
        begun: Sequence[str] | None = None,
        *,
        is_json: bool = False,
    ) -> None:
        self._home = place
        self._is_json = is_json
        self._style = terminal.style_of(sys.stdout)
        self._prefixer = Prefixer([], self._style)
        self._lines_shown = Lines(
            self._prefixer, is_one=False, is_json=False, timestamps=False, grep=None
        )
        self._cursor = cursor
        self._marks = Marks(begun or ())
        self._lines = _FIRST_LINES if begun is None else 0
        self._interrupts = 0
        self._asked = 0  # of the interrupts, so many have been acted on
        self._is_ending = False
        self._deaths: deque[float] = deque()
        self._master = 0

    def run(self) -> int:
        """Show what happens; return the exit status once everything has ended.

        Raises:
            ClawError: The master cannot be reached, or dies again and again.
        """
        woken = signals.as_descriptor(_ENDING)
        for number in _ENDING:
            signal.signal(number, self._on_interrupt)
        try:
            while True:
                try:
                    with self._subscribed() as stream:
                        self._show_all(stream, woken)
                except LostConnectionError:
                    if self._is_ending:
                        return self._finish()
                    self._replace_master()
        except BrokenPipeError:
            self._end_unseen()
            raise
        except KeyboardInterrupt:
            self._ask_leaving()
            raise

    def _on_interrupt(self, _number: int, _frame: object) -> None:
        """Count an interrupt; the last one ends whatever is waited for."""
        self._interrupts += 1
        if self._interrupts >= _LEAVE:
            raise KeyboardInterrupt

    def _subscribed(self) -> Stream:
        stream = Stream(Connection(self._home.control_socket))
        self._master = stream.pid
        try:
            names = [job["name"] for job in stream.subscribe("job.status")["jobs"]]
            for name in names:
                self._prefixer.prefix(name)
            self._subscribe_events(stream)
            self._subscribe_logs(stream)
            if self._is_ending:
                stream.subscribe("daemon.stop", mode="stop")
        except BaseException:
            stream.close()
            raise
        return stream

    def _subscribe_events(self, stream: Stream) -> None:
        reply = stream.subscribe("event.subscribe", **{"from": self._cursor})
        self._cursor = reply["cursor"]

    def _subscribe_logs(self, stream: Stream) -> None:
        since = self._marks.since()
        stream.subscribe("log.follow", targets=["all"], lines=self._lines, **{"from": since})
        self._lines = 0

    def _show_all(self, stream: Stream, woken: int) -> None:
        """Show what comes, until the connection is lost."""
        while True:
            told = self._next(stream)
            if isinstance(told, Notification):
                self._show(told, stream)
            is_more = told is not None or self._asked < self._interrupts
            patience_s = 0.0 if is_more else None
            select.select([stream.fileno(), woken], [], [], patience_s)
            signals.taken(woken)
            while self._asked < self._interrupts:
                self._asked += 1
                self._ask(stream)

    def _next(self, stream: Stream) -> Notification | Reply | None:
        while True:
            try:
                return stream.next(0.0)
            except (LostConnectionError, ProtocolError):
                raise
            except ClawError:
                if self._asked < _KILL:  # those that have ended need no signal
                    raise

    def _show(self, told: Notification, stream: Stream) -> None:
        if told.method == "log":
            self._write("".join(self._lines_shown.feed(told.params)), told.params)
            self._marks.note(told.params)
        elif told.method == "event":
            self._is_ending = self._is_ending or told.params["type"] == "daemon.stopped"
            self._write(self._line_of(told.params), told.params)
            self._cursor = told.params["cursor"]
        elif told.method == "lagged":
            is_events = isinstance(told.params.get("resume_from"), int)
            (self._subscribe_events if is_events else self._subscribe_logs)(stream)

    def _line_of(self, event: dict[str, Any]) -> str:
        """Return the line that an event is worth, or ''."""
        kind = event["type"]
        if kind not in _TELLING or not event.get("job"):
            return ""
        why = f": {event['why']}" if event.get("why") else ""
        text = self._style.paint(f"* {_TELLING[kind]}{why}", RED if kind in _BAD else GRAY)
        return f"{self._prefixer.prefix(event['job'])}{text}\n"

    def _ask(self, stream: Stream) -> None:
        """Ask for what an interrupt means; the answer comes with the stream."""
        if self._asked == _STOP:
            self._say("stopping all jobs; ^C again kills them")
            self._is_ending = True
            stream.begin("daemon.stop", mode="stop")
        else:
            self._say("killing all jobs; ^C again leaves")
            stream.begin("job.signal", signal="KILL", targets=["all"])

    def _ask_leaving(self) -> None:
        """Leave word that all is to end, if no master was told so yet."""
        if self._asked < _STOP:
            with contextlib.suppress(ClawError, OSError):
                Stream(Connection(self._home.control_socket)).begin("daemon.stop", mode="stop")

    def _finish(self) -> int:
        """Wait for the master's last breath, and say that all is over."""
        self._write("".join(self._lines_shown.rest()))
        if not masters.await_end(self._master, lambda: None, _LAST_WORD_S):
            raise RequestError(
                f"the daemon (pid {self._master}) does not end",
                hint=f"see {self._home.daemon_log}",
            )
        left = masters.living_supervisors(self._home)
        if left:
            raise RequestError(
                f"{left} jobs would not end", hint=f"see {self._home.daemon_log}"
            )
        self._say("all jobs have ended")
        return 0

    def _replace_master(self) -> None:
        """Start another master in the place of one that went away unasked.

        Raises:
            RequestError: It dies again and again.
        """
        now = clock.monotonic()
        self._deaths.append(now)
        while now - self._deaths[0] > _DEATHS_WITHIN_S:
            self._deaths.popleft()
        if len(self._deaths) > _MOST_DEATHS:
            raise RequestError(
                f"the daemon has died {_MOST_DEATHS} times within a minute; the jobs go on",
                hint=f"see {self._home.daemon_log}, then `clawctl up` or `clawctl down`",
            )
        self._say(
            f"the daemon (pid {self._master}) has ended unexpectedly; the jobs go on, and "
            "another daemon takes over"
        )
        masters.await_end(self._master, lambda: None, _LAST_WORD_S)
        if masters.is_running(self._home):
            masters.await_answer(self._home)
        else:
            masters.start(self._home)

    def _end_unseen(self) -> None:
        """End all jobs although nobody reads any more, as `| head` leaves it."""
        terminal.abandon_output()
        with contextlib.suppress(ClawError, OSError):
            with Connection(self._home.control_socket) as connection:
                connection.ask("daemon.stop", {"mode": "stop"})
            masters.await_end(self._master, lambda: None)

    def _say(self, text: str) -> None:
        self._write(f"{self._style.paint(f'-- {text}', GRAY)}\n", {"note": text})

    def _write(self, text: str, told: dict[str, Any] | None = None) -> None:
        """Write a text; for programs what was told in its place, on one line."""
        if not self._is_json:
            terminal.write(text)
        elif told is not None:
            terminal.write(jsontext.render_line(told) + "\n")


def places(place: Home, jobs: Sequence[str]) -> list[str]:
    """Return cursors of where all output stands now, as ``log.follow`` takes them.

    For a home without a master, whose output nobody can be asked about. A cursor is
    ``JOB/FILE:INODE:BYTES``; a file that is another by then is read from its beginning,
    as are those of runs that come after the newest one here.
    """
    found = []
    for job in jobs:
        names = _listed(f"{place.log}/{job}")
        runs = [name for name in names if len(name) > _RUN_NAME]
        newest = max(runs, default=_BEFORE_ALL_RUNS)[:_RUN_NAME]
        ends = (f"{newest}.out", f"{newest}.err")
        files = [name for name in names if name in ends] or [newest]
        for name in ("out.log", "err.log", *files):
            inode, size = _inode_and_size(f"{place.log}/{job}/{name}")
            found.append(f"{job}/{name}:{inode}:{size}")
    return found


_RUN_NAME = 27
_BEFORE_ALL_RUNS = "r0"


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208
    except OSError:
        return []


def _inode_and_size(path: str) -> tuple[int, int]:
    try:
        facts = os.stat(path)  # noqa: PTH116
    except OSError:
        return 0, 0
    return facts.st_ino, facts.st_size
