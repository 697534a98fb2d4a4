"""Errands: the commands of a job that are run beside its child, as its user.

``stop_command``, ``reload_command`` and the commands of checks. Each leads a session of its
own, is killed with what it has begun when its time is up, and a supervisor runs one of a kind
at most. A ``stop_command`` is on record before it runs, so that a replacement of the supervisor
waits for it. What one says is kept in part, for people.
"""

from claw.kernel import pidfd, process, signals, ticks
from claw.kernel.bare import os
from claw.supervisor import child, entries
from claw.supervisor.case import Case

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from claw.wire.supervision import Message

OUTPUT_BYTES = 2048
"""The end of an errand's output that is kept."""
GONE = "the process that the command is about has ended"
"""What is answered when a command ends with its attempt, or comes too late for it."""
_RECORDED = ("stop",)
"""What is done once: others are asked for again, by those who have had no answer."""
_ROUNDS = 16
"""Reads at once: more than a pipe holds, and who writes all the time holds up nothing."""


class Errand:
    """One command that runs.

    Attributes:
        pid: Its process, which leads a session and a group.
        until_b: When it has had its time, in boot time.
        pid_fd: Leads to one that a killed supervisor has begun; -1: it is a child of this one.
    """

    __slots__ = ("on_end", "output", "output_fd", "pid", "pid_fd", "timed_out", "until_b")

    def __init__(self, pid: int, until_b: float, on_end: "Callable[[Message], None]") -> None:
        self.pid = pid
        self.until_b = until_b
        self.on_end = on_end
        self.output_fd = -1
        self.pid_fd = -1
        self.output = b""
        self.timed_out = False

    def take_output(self) -> bool:
        """Read some of what it has said and keep the end; False: nobody can say more."""
        for _ in range(_ROUNDS):
            try:
                data = os.read(self.output_fd, 1 << 16)
            except BlockingIOError:
                return True
            if not data:
                return False
            self.output = (self.output + data)[-OUTPUT_BYTES:]
        return True


class Errands:
    """Runs the errands of a case.

    Attributes:
        ended: The processes of those that the end of an attempt has ended.
    """

    __slots__ = ("_case", "_running", "ended")

    def __init__(self, case: Case) -> None:
        self._case = case
        self._running: dict[str, Errand] = {}
        self.ended: list[int] = []

    def has(self, what: str) -> bool:
        """Tell whether an errand of that kind runs."""
        return what in self._running

    @property
    def pids(self) -> "Iterable[int]":
        """The processes that this one has to reap."""
        return [errand.pid for errand in self._running.values()]

    def begin(self, what: str, timeout_s: float, on_end: "Callable[[Message], None]") -> None:
        """Run an errand; ``on_end`` gets {code, signal, timed_out, output} afterwards.

        Raises:
            ValueError: The job has no such command, or one of that kind runs already.
            OSError: It cannot be forked.
        """
        case = self._case
        argv = case.launch.commands.get(what)
        if argv is None:
            raise ValueError(f"the job has no {what} command")
        if what in self._running:
            raise ValueError(f"the {what} command runs already")
        self.ended.clear()
        until_b = ticks.boottime() + timeout_s
        reading, writing = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(reading, False)
        wiring = child.Wiring(standard=(-1, writing, writing), report_fd=-1)
        wiring.errand = argv
        wiring.recorded = (what, until_b)
        if what in _RECORDED:
            wiring.journal_fd = case.spool.lend()
        try:
            case.loop.be_prompt()
            pid = child.spawn_errand(
                case.launch, self._variables(), wiring, case.handed.open_files
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        errand = Errand(pid, until_b, on_end)
        errand.output_fd = reading
        self._running[what] = errand
        case.state.apply(entries.entry("errand", what=what, pid=pid))  # its line is its own
        case.loop.watch(reading, lambda: self._on_output(errand))

    def take_over(self, line: "Message", on_end: "Callable[[Message], None]") -> bool:
        """Wait for an errand of a killed supervisor; False: it is over, or out of reach."""
        errand = Errand(line["pid"], line["until_b"], on_end)
        try:
            errand.pid_fd = pidfd.open_pid(errand.pid)
        except OSError:
            return False
        try:
            is_alive = pidfd.is_alive(errand.pid, line["start"])
        except OSError:  # out of reach
            is_alive = False
        if not is_alive:
            os.close(errand.pid_fd)
            return False
        self._running[line["what"]] = errand
        self._case.loop.watch(errand.pid_fd, self.look)
        return True

    def _variables(self) -> "dict[str, str]":
        state = self._case.state
        main = {"MAINPID": str(state.pid)} if self._case.is_child_up else {}
        return {"CLAW_ATTEMPT": str(state.attempt), **main}

    def _on_output(self, errand: Errand) -> None:
        if errand.output_fd >= 0 and not errand.take_output():
            self._close(errand)  # its own child's: that has no pidfd

    def _close(self, errand: Errand) -> None:
        for fd in (errand.output_fd, errand.pid_fd):
            if fd >= 0:
                self._case.loop.forget(fd)
                os.close(fd)
        errand.output_fd = errand.pid_fd = -1

    def deadlines(self) -> "Iterable[float]":
        """Return when errands have had their time."""
        return [one.until_b for one in self._running.values() if not one.timed_out]

    def step(self, now_b: float) -> None:
        """Kill what has had its time."""
        for errand in self._running.values():
            if now_b >= errand.until_b and not errand.timed_out:
                errand.timed_out = True
                self._kill(errand)

    def end(self, but: str = "") -> None:
        """Kill all, or all but one kind, and forget them: what they are about has ended.

        Who waits is told so at once, and the next attempt's find nothing in their way.
        """
        for what in self._running.keys() - {but}:
            errand = self._running.pop(what)
            self._kill(errand)
            self.ended.append(errand.pid)
            self._answer(errand, pidfd.Exit(None, signals.SIGKILL), error=GONE)

    def look(self) -> None:
        """See which have ended, and tell those who wait for them."""
        for what, errand in tuple(self._running.items()):
            ended = _end_of(errand)
            if ended is None:
                continue
            self._kill(errand)  # what it has left behind
            if errand.pid_fd < 0:
                pidfd.reap(errand.pid)
            del self._running[what]
            self._answer(errand, ended)

    def _answer(self, errand: Errand, ended: pidfd.Exit, **more: str) -> None:
        if errand.output_fd >= 0:
            errand.take_output()
        self._close(errand)
        errand.on_end(
            {
                "code": ended.code,
                "signal": ended.signal,
                "timed_out": errand.timed_out,
                "output": errand.output.decode("utf-8", "replace"),
                **more,
            }
        )

    @staticmethod
    def _kill(errand: Errand) -> None:
        if errand.pid_fd >= 0 and not pidfd.send_signal(errand.pid_fd, 0):
            return  # its number may be another's; what it has left is of the child's tree
        try:
            below = process.descendants_of(errand.pid)
        except OSError:  # nobody knows: what is left of it is of the child's tree
            below = []
        process.kill_group(errand.pid, signals.SIGKILL)
        for pid in (errand.pid, *below):  # it may lead no group yet
            process.kill(pid, signals.SIGKILL)


def _end_of(errand: Errand) -> "pidfd.Exit | None":
    """Return how an errand has ended, None while it runs; nobody knows how another's did."""
    if errand.pid_fd < 0:
        return pidfd.peek_exit(errand.pid)
    return pidfd.Exit(None, None) if pidfd.has_ended(errand.pid_fd) else None
