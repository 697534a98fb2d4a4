"""What a supervisor knows and what follows from it: pure, no I/O, no clock.

`Supervision` is a fold over journal lines. The same ``apply`` takes a line that was just
written and one that a killed predecessor left, so a replacement stands exactly where the
other fell. Times are seconds of boot time (``b``), which all processes of a boot share.

::

    phase      line that leads there           what may follow
    launching  launch, restarting+due          started, spawn_failed
    up         started                         stopping (stays), exited
    exited     exited                          restarting, ended
    backoff    restarting                      launching when due, ended when stopped
    ended      ended, withdrawn                launch of another run, all begins anew

``stopping`` changes no phase: it notes who wants the end, why, and since when.
"""

from claw.wire.supervision import Ladder, Launch, Message

LAUNCHING, UP, EXITED, BACKOFF, ENDED = "launching", "up", "exited", "backoff", "ended"
FAILURES = frozenset({"ready_timeout", "resources", "timeout", "unhealthy", "watchdog"})
"""Why a child is stopped that has failed: its restart policy follows, as after an exit."""
TIMED = ("none", "delay")
"""Kinds of readiness that come by themselves, in time."""
_MOST_SUPERVISORS = 20
"""Of a run, that are remembered: the last ones may not be reaped yet."""
SPAWN_FAILURE_DELAY_S = 1.0
"""The least wait after a child that could not even be started, whatever the ladder says."""


class Stop:
    """Someone wants the child to end: why, who, since when, and how long it may take."""

    __slots__ = ("by", "extended_b", "grace_s", "since_b", "why")

    def __init__(self, why: str, by: str, since_b: float, grace_s: float) -> None:
        self.why = why
        self.by = by
        self.since_b = since_b
        self.grace_s = grace_s
        self.extended_b = 0.0  # the child has asked for patience until then

    @property
    def kill_b(self) -> float:
        """When patience ends and SIGKILL follows."""
        return max(self.since_b + self.grace_s, self.extended_b)

    @property
    def is_failure(self) -> bool:
        """Whether the child has failed; else somebody wants the whole run to end."""
        return self.why in FAILURES


class Supervision:
    """The state of one supervisor, as its journal tells it."""

    __slots__ = (
        "attempt", "born", "due_b", "error", "exit", "extended_b", "is_ready", "launch",
        "launched_b", "oom", "phase", "pid", "restarts", "rung", "start", "started_b",
        "starts_b", "stop", "stop_command", "supervisors", "timed_out", "under", "watchdog_s",
    )  # fmt: skip

    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.under = 0  # whose child the supervisor was that wrote the launch
        self.launched_b = 0.0
        self.supervisors: list[tuple[int, int]] = []  # pid and start time of each so far
        self._begin(launch.attempt)

    def _begin(self, attempt: int) -> None:
        """Know nothing of a run yet."""
        self.attempt = attempt
        self.phase = LAUNCHING
        self.pid = 0
        self.start = 0
        self.born = 0  # start time of the attempt's first process, which MAINPID leaves
        self.started_b = 0.0
        self.stop: Stop | None = None
        self.stop_command: Message | None = None  # the line of this attempt's, once begun
        self.timed_out = False
        self.is_ready = False
        self.watchdog_s = 0.0  # signs of life are owed so often; 0: none
        self.extended_b = 0.0  # the child has asked for patience until then
        self.error = False  # the last attempt could not be spawned
        self.exit: tuple[int | None, int | None] = (None, None)
        self.oom = 0  # kills by the kernel for want of memory that an attempt before saw
        self.rung = 0  # of the restart ladder
        self.restarts = 0
        self.due_b = 0.0
        self.starts_b: list[float] = []  # of the last attempts, as many as the limit counts

    def apply(self, line: Message) -> None:
        """Take in one journal line; one that is not known changes nothing."""
        handler = getattr(self, f"_on_{line.get('ev')}", None)
        if handler is not None:
            handler(line)

    @property
    def timeout_b(self) -> float | None:
        """When the child has had its time; None without a timeout, or once it passed."""
        if self.phase != UP or not self.launch.timeout_s or self.stop is not None:
            return None
        return max(self.started_b + self.launch.timeout_s, self.extended_b)

    @property
    def ready_limit_b(self) -> float | None:
        """When the child should have become ready; None: it is, or need not."""
        limit_s = self.launch.ready_timeout_s
        if self.phase != UP or self.is_ready or not limit_s or self.stop is not None:
            return None
        if self.launch.ready in TIMED:
            return None
        return max(self.started_b + limit_s, self.extended_b)

    @property
    def ready_b(self) -> float | None:
        """When the child counts as ready by having lived so long; None: not by that."""
        if self.phase != UP or self.is_ready or self.launch.ready not in TIMED:
            return None
        return self.started_b + self.launch.ready_delay_s

    def _on_launch(self, line: Message) -> None:
        oom = self.oom  # they may share a group
        self._begin(line["attempt"])  # of several runs in a journal, the last one counts
        self.oom = oom
        self.under = line.get("under", 0)
        self.launched_b = line.get("b", 0.0)
        self.supervisors = []
        self._on_taken_over(line)

    def _on_taken_over(self, line: Message) -> None:
        if "pid" in line:
            who = line["pid"], line["start"] or 0
            self.supervisors = [*self.supervisors, who][-_MOST_SUPERVISORS:]

    def _on_started(self, line: Message) -> None:
        self.phase = UP
        self.is_ready = False
        self.pid = line["pid"]
        self.start = self.born = line["start"]
        self.started_b = line["b"]
        self.watchdog_s = self.launch.watchdog_s
        self.extended_b = 0.0
        self.error = False
        self.stop_command = None
        most = self.launch.restart.start_limit if self.launch.restart else 0
        self.starts_b = [*self.starts_b, line["b"]][-max(most, 1) :]

    def _on_spawn_failed(self, line: Message) -> None:
        if self.phase == LAUNCHING:
            self._on_started(line)
        self.error = True

    def _on_ready(self, _line: Message) -> None:
        self.is_ready = True
        self.extended_b = 0.0

    def _on_main(self, line: Message) -> None:
        self.pid = line["pid"]
        self.start = line["start"]

    def _on_watchdog(self, line: Message) -> None:
        self.watchdog_s = line["period_s"]

    def _on_extended(self, line: Message) -> None:
        if self.stop is None:
            self.extended_b = line["until_b"]
        else:
            self.stop.extended_b = line["until_b"]

    def _on_stopping(self, line: Message) -> None:
        if line["why"] == "timeout":
            self.timed_out = True
        self.stop = Stop(line["why"], line["by"], line["b"], line["grace_s"])

    def _on_errand(self, line: Message) -> None:
        if line["what"] == "stop":
            self.stop_command = line

    def _on_exited(self, line: Message) -> None:
        self.phase = EXITED
        self.exit = (line["code"], line["signal"])
        self.oom = line.get("oom_left", 0)
        if not self.error and line["b"] - self.started_b >= self._reset_after_s:
            self.rung = 0

    @property
    def _reset_after_s(self) -> float:
        return self.launch.restart.reset_after_s if self.launch.restart else 0.0

    def _on_restarting(self, line: Message) -> None:
        if line["attempt"] != self.attempt:  # else a line that was synced only when repeated
            self.rung += 1
        self.phase = BACKOFF
        self.attempt = line["attempt"]
        self.due_b = line["until_b"]
        self.restarts = line["restarts"]
        self.stop = None
        self.timed_out = False

    def _on_ended(self, _line: Message) -> None:
        self.phase = ENDED

    _on_withdrawn = _on_ended

    def begin_launch(self) -> None:
        """Leave the wait before a restart: the next attempt begins."""
        self.phase = LAUNCHING

    def next_line(self, at: float, b: float, fraction: float) -> Message:
        """Return the line that follows an ``exited``: ``restarting`` or ``ended``.

        Args:
            at: Wall time, seconds since the epoch.
            b: Boot time in seconds.
            fraction: From 0 to 1, what the jitter takes of its range.
        """
        ladder = self.launch.restart
        stamp = {"at": at, "b": b, "run": self.launch.run}
        if self.stop is not None and not self.stop.is_failure:
            return self._ended(stamp, self.stop.why, self.stop.by)
        if ladder is None:
            return self._ended(stamp, self._reason_of_end())
        if not self._policy_restarts(ladder):
            return self._ended(stamp, "exit")
        if ladder.start_limit and self._recent_starts(b, ladder) >= ladder.start_limit:
            return self._ended(stamp, "start_limit")
        return self._restarting(stamp, ladder, fraction)

    def _reason_of_end(self) -> str:
        if self.stop is not None:
            return self.stop.why
        return "spawn" if self.error else "exit"

    def _policy_restarts(self, ladder: Ladder) -> bool:
        if ladder.policy == "on-failure":
            return self.stop is not None or self.exit[0] not in self.launch.success_codes
        return ladder.policy == "always"

    def _recent_starts(self, b: float, ladder: Ladder) -> int:
        return sum(b - start < ladder.start_limit_window_s for start in self.starts_b)

    def _restarting(self, stamp: Message, ladder: Ladder, fraction: float) -> Message:
        delay = ladder.delays_s[min(self.rung, len(ladder.delays_s) - 1)]
        delay *= 1 + ladder.jitter * fraction
        if self.error:
            delay = max(delay, SPAWN_FAILURE_DELAY_S)
        return {
            "ev": "restarting",
            **stamp,
            "attempt": self.attempt + 1,
            "delay_s": round(delay, 3),
            "until": stamp["at"] + delay,
            "until_b": stamp["b"] + delay,
            "restarts": self.restarts + 1,
        }

    def _ended(self, stamp: Message, why: str, by: str = "") -> Message:
        return {"ev": "ended", **stamp, "attempt": self.attempt, "why": why, "by": by}
