"""How a child is brought to its end: stop signal, SIGKILL, and its whole tree after it."""

from claw.kernel import pidfd, process, signals, ticks
from claw.supervisor import entries, machine
from claw.supervisor.attempts import Attempts
from claw.supervisor.case import Case
from claw.supervisor.errands import Errands
from claw.wire.supervision import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

KILL_ROUND_S = 0.02
"""Pause between two looks at a tree that has been sent SIGKILL."""
FOSTER_ROUND_S = 0.1
"""Pause between two looks for what is an ancestor's by now: it is one of very many there."""
STOP_COMMAND_SHARE = 0.5
"""Of the time before SIGKILL: as much is left for the stop signal when the command hangs."""
KILL_PATIENCE_S = 10.0
"""After so long, what survives SIGKILL (uninterruptible, proc(5)) is named and left."""


class Ending:
    """Ends the children of a case; `step` does what is due."""

    __slots__ = (
        "_attempts", "_case", "_errands", "_killed_b", "_rest_kill_b", "_signalled", "_wake_b",
    )  # fmt: skip

    def __init__(self, case: Case, attempts: Attempts, errands: Errands) -> None:
        self._case = case
        self._attempts = attempts
        self._errands = errands
        self._signalled: machine.Stop | None = None  # the stop that the child was told of
        self._killed_b: float | None = None  # when the child was first sent SIGKILL
        self._rest_kill_b: float | None = None  # when what is left of the tree is killed
        self._wake_b = 0.0  # next look at a tree

    def ask(self, why: str, by: str, grace_s: float, text: str = "") -> None:
        """Put on record that the child is to end, unless that is so, and no less urgent.

        A failure is of a child that lives, and says nothing about one that is to end anyway.
        """
        case = self._case
        if case.withdraw(why):
            return
        stop = case.state.stop
        if why in machine.FAILURES and not (stop is None and case.is_child_up):
            return
        urgent = ticks.boottime() + grace_s
        if stop is not None and stop.why == why and stop.kill_b <= urgent:
            return
        line = entries.stopping(case.state, why, by, grace_s, text)
        try:
            case.write(line, durable=True)
        except OSError:  # on a full disk a job can be stopped all the same
            case.spool.owe(line)
            case.state.apply(line)
        if case.ended_as is not None and case.state.stop is not None:
            self._rest_kill_b = case.state.stop.kill_b

    def take_over(self) -> None:
        """Wait for the stop command of a killed predecessor, if that runs: none is run anew."""
        case = self._case
        stop, begun = case.state.stop, case.state.stop_command
        if stop is None or begun is None or case.state.phase != machine.UP:
            return
        if self._errands.take_over(begun, lambda _said: self._after_stop_command(stop)):
            self._signalled = stop

    def on_end(self) -> None:
        """The child has ended: what is left of its tree is dealt with next."""
        stop = self._case.state.stop
        self._errands.end(but="stop")
        self._rest_kill_b = None if stop is None else stop.kill_b
        self._wake_b = 0.0

    def step(self, now_b: float) -> None:
        """Do what is due, to the child or to what it has left behind.

        Raises:
            OSError: The disk refuses the line that ends the attempt; to be called again.
        """
        if self._case.ended_as is None:
            self._enforce(now_b)
        else:
            self._clear_up(now_b)

    def deadlines(self, now_b: float) -> "Iterator[float]":
        """Yield the times at which `step` has something to do."""
        case = self._case
        if self._wake_b > now_b:
            yield self._wake_b
        if case.state.timeout_b is not None:
            yield case.state.timeout_b
        if case.state.stop is not None and case.ended_as is None:
            yield max(case.state.stop.kill_b, self._wake_b)
        if self._rest_kill_b is not None:
            yield max(self._rest_kill_b, self._wake_b)

    # -- a child that lives ---------------------------------------------------------

    def _enforce(self, now_b: float) -> None:
        """See to the timeout, and to a stop's escalation."""
        launch, state = self._case.launch, self._case.state
        deadline_b = state.timeout_b
        if deadline_b is not None and now_b >= deadline_b:
            self.ask("timeout", "claw", launch.grace_s, f"longer than {launch.timeout_s:g} s")
        stop = state.stop
        if stop is None:
            return
        if self._signalled is not stop:
            self._signalled = stop
            if not self._begin_stop_command(stop, now_b):
                self._signal_to_stop()
        if now_b >= stop.kill_b:
            self._kill(now_b)

    def _begin_stop_command(self, stop: machine.Stop, now_b: float) -> bool:
        """Run the job's own command for a stop; False: there is none, or no time for it.

        It is run once in an attempt, however often that is to end.
        """
        has_time = stop.kill_b > now_b and self._case.state.stop_command is None
        if not has_time or "stop" not in self._case.launch.commands:
            return False

        def ended(said: Message) -> None:
            if said["code"] != 0:
                how = "ran out of time" if said["timed_out"] else f"exit {said['code']}"
                text = f"stop_command: {how}: {said['output'].strip()}".removesuffix(": ")
                state = self._case.state
                self._case.spool.owe(entries.note(state.launch, state.attempt, text))
            self._after_stop_command(stop)

        try:
            self._errands.begin("stop", (stop.kill_b - now_b) * STOP_COMMAND_SHARE, ended)
        except OSError:
            return False
        return True

    def _after_stop_command(self, stop: machine.Stop) -> None:
        if self._signalled is stop and self._case.ended_as is None:
            self._signal_to_stop()
        self._wake_b = 0.0

    def _signal_to_stop(self) -> None:
        stop, number = self._case.state.stop, self._case.launch.stop_signal
        # A core of one that hangs tells more than its end, systemd.service(5).
        hangs = stop is not None and stop.why == "watchdog"
        self._signal_main(signals.SIGABRT if hangs else number)
        self._signal_main(signals.SIGCONT)

    def _kill(self, now_b: float) -> None:
        """Kill the child with its tree, until it ends or patience does."""
        if self._killed_b is None:
            self._killed_b = now_b
        self._signal_main(signals.SIGKILL)
        self._case.tree.kill()
        self._wake_b = now_b + KILL_ROUND_S
        if now_b > self._killed_b + KILL_PATIENCE_S:
            self._case.custody.give_up()

    def _signal_main(self, number: int) -> None:
        """Signal the child, and with kill_mode = group its group, once it leads one."""
        case = self._case
        is_group = case.launch.kill_mode == "group"
        if not (is_group and process.kill_group(case.tree.main, number)):
            case.custody.signal(number)

    # -- what it has left behind ------------------------------------------------------

    def _clear_up(self, now_b: float) -> None:
        """End what the child left behind; when nothing is left, the attempt is over."""
        case = self._case
        self._attempts.on_report()
        custody, children = case.custody, self.reap_strays()
        if custody.pid in children and not custody.is_given_up:
            children.remove(custody.pid)  # it has ended, and no child of it is another's
        if self._errands.has("stop") and now_b < (self._rest_kill_b or now_b):
            return  # it is for the stop command to end the rest
        rest = case.tree.rest_for_sure(children)
        if not rest or self._is_beyond_patience(now_b):
            stuck = (custody.pid,) if custody.is_given_up else ()
            self._finish([*stuck, *rest])
            return
        if self._rest_kill_b is None:
            self._rest_kill_b = now_b + case.launch.grace_s
        if now_b >= self._rest_kill_b:
            case.tree.kill()
            self._wake_b = now_b + KILL_ROUND_S
        elif self._wake_b == 0.0:
            case.tree.signal(case.launch.stop_signal)
            case.tree.signal(signals.SIGCONT)
            self._wake_b = now_b + KILL_ROUND_S
        elif case.tree.foster and now_b >= self._wake_b:
            self._wake_b = now_b + FOSTER_ROUND_S

    def _is_beyond_patience(self, now_b: float) -> bool:
        return self._rest_kill_b is not None and now_b > self._rest_kill_b + KILL_PATIENCE_S

    def _finish(self, survivors: list[int]) -> None:
        """Put the end on record, and forget what was about this child."""
        tree = self._case.tree
        self._errands.end()
        left = tree.spared(self._errands.ended)
        try:
            self._attempts.finish(tree.names(survivors), tree.names(left))
        finally:
            if self._case.ended_as is None:  # it is on record; the next one may have begun
                self._signalled = None
                self._killed_b = None
                self._rest_kill_b = None

    def reap_strays(self) -> list[int]:
        """Reap what the child's tree has left to this process, never the child itself.

        Returns:
            The children of this process after that.
        """
        children = process.my_children()
        strays = {*children}.difference((self._case.custody.pid,), self._errands.pids)
        for pid in strays:
            pidfd.reap(pid)
        return process.my_children() if strays else children  # it may have had children
