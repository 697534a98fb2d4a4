"""Whether the present child is ready, and gives the signs of life that it owes.

Some kinds of readiness are learnt here (time, sd_notify(3), a newline), of the others the
master tells; in any case the ``ready`` line is this process's, and so are the time limits:
they hold with no master there. A watchdog's time is counted while the machine is awake.
"""

from claw.kernel import pidfd, process, ticks
from claw.kernel.bare import os
from claw.supervisor import entries
from claw.supervisor.case import Case
from claw.supervisor.ending import Ending
from claw.supervisor.machine import TIMED, Supervision

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

STATUS_EVERY_S = 1.0
"""A child's words about itself are put on record no more often."""
_LONGEST_STATUS = 500
_SLACK_S = 0.5
"""A deadline that moves by less is not put on record again; each gets so much on top."""
_MOST_DIGITS = 17
"""Of a number of microseconds: some three thousand years."""


class Readiness:
    """Follows the child of a case; `step` does what is due.

    Attributes:
        hindrance: Why it is not ready, as a probe of the master has found last.
    """

    __slots__ = (
        "_alive", "_case", "_doing", "_ending", "_is_plain", "_said", "_stage", "_told_b",
        "_words", "hindrance",
    )  # fmt: skip

    def __init__(self, case: Case, ending: Ending) -> None:
        self._case = case
        self._ending = ending
        # Nothing but time tells: most jobs, whose supervisors touch no more memory than that.
        self._is_plain = case.launch.ready in TIMED and not case.launch.hears
        self._stage = (0, False)  # the attempt, and whether its watchdog counts
        self._alive = 0.0  # last sign of life, monotonic time
        self._doing = self._words = ""  # of the child: reloading or stopping; its STATUS
        self._said: str | None = None  # what of that is to be put on record
        self.hindrance = ""
        self._told_b = 0.0  # when that was done last

    def watch(self) -> None:
        """Listen to the child from now on."""
        notices, loop = self._case.notices, self._case.loop
        if notices.socket_fd >= 0:
            loop.watch(notices.socket_fd, self.listen)
        if notices.pipe_fd >= 0:
            loop.watch(notices.pipe_fd, self._on_pipe)

    def note(self, by: str) -> None:
        """Put on record that the child is ready, once.

        Raises:
            OSError: The disk refuses the line; it is owed.
        """
        if self._case.is_child_up and not self._case.state.is_ready:
            self._case.note(entries.ready(self._case.state, by))

    def step(self, now_b: float) -> None:
        """Do what is due: ready by time, not ready in time, no sign of life, words to record.

        Raises:
            OSError: The disk refuses a line; it is owed.
        """
        state = self._case.state
        if not self._case.is_child_up:
            return
        ready_b = state.ready_b
        if ready_b is not None and now_b >= ready_b:
            self.note(self._case.launch.ready)
        if not self._is_plain:
            self._step_further(now_b)

    def _step_further(self, now_b: float) -> None:
        state = self._case.state
        self._note_stage()
        limit_b = state.ready_limit_b
        if limit_b is not None and now_b >= limit_b:
            text = f"not ready within {limit_b - state.started_b:.3g} s"
            self._fail("ready_timeout", ": ".join(filter(None, (text, self.hindrance))))
        limit_b = self._watchdog_b(now_b)
        if limit_b is not None and now_b >= limit_b:
            self._fail("watchdog", f"no sign of life for {state.watchdog_s:g} s")
        if self._said is not None and now_b >= self._told_b + STATUS_EVERY_S:
            text, self._said, self._told_b = self._said, None, now_b
            self._case.note(entries.status(state, text))

    def deadlines(self, now_b: float) -> "Iterator[float]":
        """Yield the times at which `step` has something to do."""
        state = self._case.state
        if not self._case.is_child_up:
            return
        due_b = state.ready_b
        if due_b is not None:
            yield due_b
        if self._is_plain:
            return
        for due_b in (state.ready_limit_b, self._watchdog_b(now_b)):
            if due_b is not None:
                yield due_b
        if self._said is not None:
            yield self._told_b + STATUS_EVERY_S

    def _note_stage(self) -> None:
        """Have the watchdog count from now when a child begins, and when it becomes ready."""
        state = self._case.state
        stage = (state.attempt, state.is_ready or self._case.launch.ready == "none")
        if stage != self._stage:
            if stage[0] != self._stage[0]:
                self._doing = self._words = self.hindrance = ""
                self._said = None
            self._stage = stage
            self._alive = ticks.monotonic()

    def _watchdog_b(self, now_b: float) -> float | None:
        state = self._case.state
        if not state.watchdog_s or not self._stage[1] or state.stop is not None:
            return None
        return now_b + self._alive + state.watchdog_s - ticks.monotonic()

    def _fail(self, why: str, text: str) -> None:
        self._ending.ask(why, "claw", self._case.launch.grace_s, text)

    # -- what the child says ---------------------------------------------------------

    def _on_pipe(self) -> None:
        if self._case.notices.has_newline() and self._case.launch.ready == "fd":
            self.note("fd")

    def listen(self) -> None:
        """Take in what has been said; see sd_notify(3).

        Raises:
            OSError: The disk refuses a line; it is owed.
        """
        case = self._case
        for fields in () if self._is_plain else case.notices.messages(case.tree):
            if case.is_child_up:
                self._note_stage()
                self._take(fields)

    def _take(self, fields: dict[str, str]) -> None:
        self._take_main(fields.get("MAINPID", ""))
        self._take_words(fields)
        if fields.get("READY") == "1" and self._case.launch.ready == "notify":
            self.note("notify")
        if "WATCHDOG" in fields:
            self._alive = ticks.monotonic()
        if fields.get("WATCHDOG") == "trigger":
            self._fail("watchdog", "the process asked for it (WATCHDOG=trigger)")
        state = self._case.state
        period_s = _seconds(fields.get("WATCHDOG_USEC", ""))
        if period_s is not None and period_s != state.watchdog_s:
            self._alive = ticks.monotonic()
            self._case.note(entries.watchdog(state, period_s))
        longer_s = _seconds(fields.get("EXTEND_TIMEOUT_USEC", ""))
        until_b = ticks.boottime() + (longer_s or 0.0)
        if longer_s and until_b > _extended_b(state):
            self._case.note(entries.extended(state, until_b + _SLACK_S))

    def _take_words(self, fields: dict[str, str]) -> None:
        """Note what the child does and says, to be put on record when it is time."""
        before = (self._doing, self._words)
        if fields.get("READY") == "1":
            self._doing = ""
        if fields.get("RELOADING") == "1":
            self._doing = "reloading"
        if fields.get("STOPPING") == "1":
            self._doing = "stopping"
        if "STATUS" in fields:
            words = fields["STATUS"][:_LONGEST_STATUS]
            self._words = "".join(each if each.isprintable() else " " for each in words)
        if (self._doing, self._words) != before:
            self._said = ": ".join(text for text in (self._doing, self._words) if text)

    def _take_main(self, text: str) -> None:
        """Let another process of the tree be the child, whose end is the attempt's."""
        case = self._case
        pid = int(text) if text.isdecimal() and len(text) < _MOST_DIGITS else 0
        if pid in (0, case.state.pid, os.getpid()) or not case.tree.holds(pid):
            return
        start = pidfd.start_ticks(pid)
        if start is None or process.is_zombie(pid):
            return
        case.note(entries.main(case.state, pid, start))
        case.tree.main, case.tree.start = pid, start
        case.custody.follow(pid, start)


def _extended_b(state: Supervision) -> float:
    return state.extended_b if state.stop is None else state.stop.extended_b


def _seconds(text: str) -> float | None:
    """Return microseconds, as a message has them, in seconds; None when they are none."""
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        return None
    return int(text) / 1e6
