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
from claw.supervisor.errands import Errands
from claw.supervisor.machine import TIMED, Supervision

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

RECORD_EVERY_S = 1.0
"""What a child says of one kind is put on record no more often; the last word counts."""
SELDOM_S = 10.0
"""So it is when it goes on: the journal of a run is never cut."""
_MOST_MAINS = 16
_MAINS_WINDOW_S = 3600.0
"""So often another process becomes the child; each is a line too, and does not wait."""
_DEAF_S = 1.0
_AGAIN_S = 0.5
_LONGEST_STATUS = 500
_MOST_DIGITS = 17
"""Of a number of microseconds: some three thousand years."""


class _Pace:
    """When a line of some kind may be written: seldom, if there is always another."""

    __slots__ = ("due_b", "is_wanted", "pause_s")

    def __init__(self) -> None:
        self.is_wanted = False
        self.due_b = 0.0
        self.pause_s = RECORD_EVERY_S

    def take(self, now_b: float) -> bool:
        """Tell whether the line is to be written now, which is taken as done."""
        if not self.is_wanted or now_b < self.due_b:
            return False
        is_rare = now_b >= self.due_b + SELDOM_S
        self.pause_s = RECORD_EVERY_S if is_rare else min(2 * self.pause_s, SELDOM_S)
        self.due_b = now_b + self.pause_s
        self.is_wanted = False
        return True


class Readiness:
    """Follows the child of a case; `step` does what is due.

    Attributes:
        hindrance: Why it is not ready, as a probe of the master has found last.
    """

    __slots__ = (
        "_alive", "_case", "_deaf_until_b", "_doing", "_ending", "_errands", "_extended",
        "_is_plain", "_main", "_main_b", "_mains", "_mains_b", "_stage", "_status", "_watchdog",
        "_words", "hindrance",
    )  # fmt: skip

    def __init__(self, case: Case, ending: Ending, errands: Errands) -> None:
        self._case = case
        self._ending = ending
        self._errands = errands
        # Nothing but time tells: most jobs, whose supervisors touch no more memory than that.
        self._is_plain = case.launch.ready in TIMED and not case.launch.hears
        self._stage = (0, False)  # the attempt, and whether its watchdog counts
        self._alive = 0.0  # last sign of life, monotonic time
        self._doing = self._words = ""  # of the child: reloading or stopping; its STATUS
        self._status, self._watchdog, self._extended = _Pace(), _Pace(), _Pace()
        self._main = ""  # a MAINPID that there was no descriptor for
        self._main_b = 0.0  # when it is tried again
        self._mains, self._mains_b = 0, 0.0  # how many there were, and since when
        self._deaf_until_b: float | None = None
        self.hindrance = ""

    def watch(self) -> None:
        """Listen to the child from now on."""
        notices, loop = self._case.notices, self._case.loop
        if notices.socket_fd >= 0:
            loop.watch(notices.socket_fd, self.listen)
        if notices.pipe_fd >= 0:
            loop.watch(notices.pipe_fd, self._on_pipe)

    def note(self, by: str) -> None:
        """Put on record that the child is ready, once."""
        if self._case.is_child_up and not self._case.state.is_ready:
            self._case.note(entries.ready(self._case.state, by))

    def step(self, now_b: float) -> None:
        """Do what is due: ready by time or not in time, no sign of life, words to record."""
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
        self._record(now_b)
        if self._main and now_b >= self._main_b:
            self._take_main(self._main)
        if self._deaf_until_b is not None and now_b >= self._deaf_until_b:
            self._case.loop.watch(self._case.notices.socket_fd, self.listen)
            self._deaf_until_b = None

    def _record(self, now_b: float) -> None:
        """Put on record what the child has said of itself, each at its time."""
        case, state = self._case, self._case.state
        if case.spool.is_in_debt:
            return
        if self._extended.take(now_b) and _extended_b(state) > now_b:
            # With what the next one waits: whoever takes over may know no later one.
            until_b = _extended_b(state) + self._extended.pause_s
            case.note(entries.extended(state, until_b))
        if self._watchdog.take(now_b):
            case.note(entries.watchdog(state, state.watchdog_s))
        if self._status.take(now_b):
            text = ": ".join(text for text in (self._doing, self._words) if text)
            case.note(entries.status(state, text))

    def deadlines(self, now_b: float) -> "Iterator[float]":
        """Yield the times at which `step` has something to do."""
        state = self._case.state
        if not self._case.is_child_up:
            return
        due_b = state.ready_b
        if due_b is not None:
            yield due_b
        if not self._is_plain:
            yield from self._further_deadlines(now_b)

    def _further_deadlines(self, now_b: float) -> "Iterator[float]":
        state = self._case.state
        for due_b in (state.ready_limit_b, self._watchdog_b(now_b), self._deaf_until_b):
            if due_b is not None:
                yield due_b
        for pace in (self._status, self._watchdog, self._extended):
            if pace.is_wanted:
                yield pace.due_b
        if self._main:
            yield self._main_b

    def _note_stage(self) -> None:
        """Have the watchdog count from now when a child begins, and when it becomes ready."""
        state = self._case.state
        stage = (state.attempt, state.is_ready or self._case.launch.ready == "none")
        if stage != self._stage:
            if stage[0] != self._stage[0]:
                self._doing = self._words = self._main = self.hindrance = ""
                for pace in (self._status, self._watchdog, self._extended):
                    pace.is_wanted = False
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
        """Take in what has been said; see sd_notify(3)."""
        case = self._case
        if self._main and case.is_child_up:
            self._take_main(self._main)
        for fields in () if self._is_plain else case.notices.messages(self._is_heard):
            if case.is_child_up:
                self._note_stage()
                self._take(fields)
        if case.notices.has_enough and self._deaf_until_b is None:
            self._deaf_until_b = ticks.boottime() + _DEAF_S
            case.loop.forget(case.notices.socket_fd)

    def _is_heard(self, pid: int, uid: int) -> bool:
        """Tell whether who speaks is of the present child.

        Of a job that is not root's, users that it cannot be are refused unseen.
        """
        identity, mine = self._case.launch.identity, os.geteuid()
        owner = mine if identity is None else identity[0]
        return (owner == 0 or uid in (0, mine, owner)) and self._is_of_child(pid)

    def _is_of_child(self, pid: int) -> bool:
        """Tell whether a process came of the present child: of no errand, no earlier child."""
        tree = self._case.tree
        branch = tree.branch_of(pid)
        if branch in (0, tree.main) or branch in self._errands.pids:
            return branch != 0 and branch == tree.main
        start, state = pidfd.start_ticks(branch), self._case.state
        if start == state.born:  # in one tick of the clock a child may end and the next begin
            return f"CLAW_ATTEMPT={state.attempt}".encode() in process.environment_of(branch)
        return start is None or start > state.born

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
            state.apply(entries.watchdog(state, period_s))
            self._watchdog.is_wanted = True
        longer_s = _seconds(fields.get("EXTEND_TIMEOUT_USEC", ""))
        until_b = ticks.boottime() + (longer_s or 0.0)
        if longer_s and until_b > _extended_b(state):
            state.apply(entries.extended(state, until_b))
            self._extended.is_wanted = True

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
            self._status.is_wanted = True

    def _take_main(self, text: str) -> None:
        """Let another process of the tree be the child, whose end is the attempt's."""
        case = self._case
        pid = int(text) if text.isdecimal() and len(text) < _MOST_DIGITS else 0
        if not pid:
            return
        self._main = ""
        if pid in (case.state.pid, os.getpid()) or not self._is_of_child(pid):
            return
        start = pidfd.start_ticks(pid)
        if start is None or not self._may_change_main():
            return
        try:
            if process.is_zombie(pid) or not case.custody.follow(pid, start):
                return
        except OSError:
            self._main, self._main_b = text, ticks.boottime() + _AGAIN_S
            return
        self._mains += 1
        case.tree.main, case.tree.start = pid, start
        case.note(entries.main(case.state, pid, start))

    def _may_change_main(self) -> bool:
        now_b = ticks.boottime()
        if now_b >= self._mains_b + _MAINS_WINDOW_S:
            self._mains, self._mains_b = 0, now_b
        return self._mains < _MOST_MAINS


def _extended_b(state: Supervision) -> float:
    return state.extended_b if state.stop is None else state.stop.extended_b


def _seconds(text: str) -> float | None:
    """Return microseconds, as a message has them, in seconds; None when they are none."""
    if not text.isdecimal() or len(text) > _MOST_DIGITS:
        return None
    return int(text) / 1e6
