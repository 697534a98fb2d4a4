"""Errands: the commands of a job that are run beside its child, as its user.

``stop_command``, ``reload_command`` and the commands of checks. Each leads a session of its
own, is killed with what it has begun when its time is up, and there is one of a kind at most.
What it says is kept in part, for people.
"""

from claw.kernel import pidfd, process, signals, ticks
from claw.kernel.bare import os
from claw.supervisor import child
from claw.supervisor.case import Case

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from claw.wire.supervision import Message

OUTPUT_BYTES = 2048
"""The end of an errand's output that is kept."""


class Errand:
    """One command that runs.

    Attributes:
        pid: Its process, which leads a session and a group.
        until_b: When it has had its time, in boot time.
    """

    __slots__ = ("on_end", "output", "output_fd", "pid", "timed_out", "until_b")

    def __init__(
        self, pid: int, output_fd: int, until_b: float, on_end: "Callable[[Message], None]"
    ) -> None:
        self.pid = pid
        self.output_fd = output_fd
        self.until_b = until_b
        self.on_end = on_end
        self.output = b""
        self.timed_out = False

    def take_output(self) -> bool:
        """Read what it has said and keep the end; False: nobody can say more."""
        while True:
            try:
                data = os.read(self.output_fd, 1 << 16)
            except BlockingIOError:
                return True
            if not data:
                return False
            self.output = (self.output + data)[-OUTPUT_BYTES:]


class Errands:
    """Runs the errands of a case."""

    __slots__ = ("_case", "_running")

    def __init__(self, case: Case) -> None:
        self._case = case
        self._running: dict[str, Errand] = {}

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
            KeyError: The job has no such command.
            BlockingIOError: One of that kind runs already.
            OSError: It cannot be forked.
        """
        case = self._case
        argv = case.launch.commands[what]
        if what in self._running:
            raise BlockingIOError(f"the {what} command runs already")
        reading, writing = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(reading, False)
        try:
            case.loop.be_prompt()
            pid = child.spawn_errand(
                case.launch, argv, self._variables(), writing, case.handed.open_files
            )
        except BaseException:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        errand = Errand(pid, reading, ticks.boottime() + timeout_s, on_end)
        self._running[what] = errand
        case.loop.watch(reading, lambda: self._on_output(errand))

    def _variables(self) -> "dict[str, str]":
        state = self._case.state
        main = {"MAINPID": str(state.pid)} if self._case.is_child_up else {}
        return {"CLAW_ATTEMPT": str(state.attempt), **main}

    def _on_output(self, errand: Errand) -> None:
        if errand.output_fd >= 0 and not errand.take_output():
            self._close(errand)

    def _close(self, errand: Errand) -> None:
        if errand.output_fd >= 0:
            self._case.loop.forget(errand.output_fd)
            os.close(errand.output_fd)
            errand.output_fd = -1

    def deadlines(self) -> "Iterable[float]":
        """Return when errands have had their time."""
        return [one.until_b for one in self._running.values() if not one.timed_out]

    def step(self, now_b: float) -> None:
        """Kill what has had its time."""
        for errand in self._running.values():
            if now_b >= errand.until_b and not errand.timed_out:
                errand.timed_out = True
                self._kill(errand)

    def end(self) -> None:
        """Kill all of them: their attempt is over."""
        for errand in self._running.values():
            self._kill(errand)

    def look(self) -> None:
        """See which have ended, and tell those who wait for them."""
        for what, errand in tuple(self._running.items()):
            ended = pidfd.peek_exit(errand.pid)
            if ended is None:
                continue
            self._kill(errand)  # what it has left behind
            pidfd.reap(errand.pid)
            if errand.output_fd >= 0:
                errand.take_output()
            self._close(errand)
            del self._running[what]
            errand.on_end(
                {
                    "code": ended.code,
                    "signal": ended.signal,
                    "timed_out": errand.timed_out,
                    "output": errand.output.decode("utf-8", "replace"),
                }
            )

    @staticmethod
    def _kill(errand: Errand) -> None:
        below = process.descendants_of(errand.pid)
        process.kill_group(errand.pid, signals.SIGKILL)
        for pid in (errand.pid, *below):  # it may lead no group yet
            process.kill(pid, signals.SIGKILL)
