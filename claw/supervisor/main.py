"""A supervisor: owns the child of one job, until the run is over.

It is forked by the fork server with everything imported, and needs nobody from then on:
the child's output flows, its end is journaled, a service is restarted by its own policy,
whether or not a master lives. What it knows is in `machine.Supervision`, a fold over the
journal; what it does: look at the phase, act, write the line, fold it.

    case       what the parts share: launch, journal, child, tree
    armed      the wait for its time, of one that is launched ahead
    attempts   a child's begin, and the record of its end
    readiness  whether the child is ready, and gives signs of life
    ending     timeout, stop escalation, the tree
    errands    commands of the job beside its child
    requests   what the master asks for
    fostering  what is handed to another fork server
    warm       the next run, once this one is over

Times are seconds of boot time.
"""

from claw.kernel import channel, files, process, signals, ticks
from claw.supervisor import entries, machine
from claw.supervisor.armed import Armed
from claw.supervisor.attempts import Attempts
from claw.supervisor.case import Case
from claw.supervisor.control import Peer
from claw.supervisor.ending import Ending
from claw.supervisor.errands import Errands
from claw.supervisor.fostering import Fostering
from claw.supervisor.handed import Handed
from claw.supervisor.presence import Presence
from claw.supervisor.readiness import Readiness
from claw.supervisor.requests import Requests
from claw.supervisor.warm import Warm
from claw.wire.supervision import Launch, Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

RETRY_S = 0.5
"""Pause before a line is written again that the disk refused."""


class Supervisor:
    """One supervisor's loop; `run` returns when the run is over and on record."""

    def __init__(self, launch: Launch, handed: Handed) -> None:
        self._case = Case(launch, handed, self._handle, self._on_end)
        self._warm = Warm(self._case)
        self._loop = self._case.loop
        self._attempts = Attempts(self._case)
        self._errands = Errands(self._case)
        self._ending = Ending(self._case, self._attempts, self._errands)
        self._readiness = Readiness(self._case, self._ending, self._errands)
        self._requests = Requests(
            self._case,
            (self._ending, self._errands, self._readiness),
            Fostering(self._case),
            self._warm,
        )
        self._presence = Presence(launch.run_dir, launch.heartbeat_s, self._case.control)
        self._is_first = True  # no predecessor has left a line
        self._retry_b = 0.0  # until then nothing is tried that was refused

    # -- life ----------------------------------------------------------------------

    def run(self) -> None:
        """Supervise until the run is over, and each that follows it."""
        handed = self._case.handed
        process.become_subreaper()
        self._take_spool()
        if self._phase == machine.ENDED:
            return  # a predecessor has seen to everything
        self._watch_everything()
        if handed.relay_fd >= 0:
            self._take_over(channel.adopt(handed.relay_fd))
        armed = Armed(self._case)
        if self._is_first and not armed.wait():
            armed.leave()
            self._presence.leave()
            return
        first = entries.first(self._case.launch) if self._is_first else entries.taken_over()
        self._case.spool.owe(first)
        if self._is_first and self._case.launch.crowd_s:
            self._guard(self._step)
            self._guard(armed.step_back)
        self._supervise()
        while self._warm.go_on():
            self._errands.ended.clear()
            self._supervise()
        self._presence.leave()

    @property
    def _phase(self) -> str:
        return self._case.state.phase

    def _supervise(self) -> None:
        while self._phase != machine.ENDED:
            self._guard(self._step)
            if self._phase != machine.ENDED:
                self._guard(lambda: self._loop.turn(self._next_deadline()))

    def _take_spool(self) -> None:
        """Take the lock, which a predecessor's child holds until it execs; fold the journal."""
        handed, spool = self._case.handed, self._case.spool
        if handed.lock_fd < 0:
            handed.lock_fd = files.open_lock(f"{self._case.launch.spool}/lock")
            files.wait_lock(handed.lock_fd)
        spool.open()
        for line in spool.read():
            self._is_first = False
            self._case.state.apply(line)

    def _watch_everything(self) -> None:
        for stream in self._case.streams:
            stream.open()
        self._case.console.open()
        wake_fd = signals.as_descriptor((signals.SIGCHLD, signals.SIGTERM))
        self._loop.watch(wake_fd, lambda: self._on_signals(signals.taken(wake_fd)))
        self._readiness.watch()
        self._beat()
        if self._case.handed.link_fd >= 0:
            self._case.control.add(channel.adopt(self._case.handed.link_fd))

    def _take_over(self, connection: channel.Socket) -> None:
        """Stand where a killed predecessor fell."""
        state, tree = self._case.state, self._case.tree
        has_begun = state.phase == machine.LAUNCHING and not self._is_first
        if has_begun and self._case.is_simple:
            self._attempts.find()
        tree.take_over(state.pid if state.phase == machine.UP else 0, state.start)
        if tree.main:
            self._attempts.mark_begin(at_once=False)
        self._ending.take_over()
        self._case.custody.take_from(connection, tree.main, state.start, self._case.handed.kept)
        if state.phase == machine.UP and not state.pid:
            self._case.custody.lose()

    # -- what to do next --------------------------------------------------------------

    def _guard(self, act: "Callable[[], None]") -> None:
        """Do something; a full or failing disk is waited out, and the child goes on."""
        try:
            act()
        except OSError:
            self._retry_b = ticks.boottime() + RETRY_S

    def _step(self) -> None:
        now_b = ticks.boottime()
        if now_b >= self._presence.due_b:
            self._beat()
        self._case.retry(now_b)
        self._errands.step(now_b)
        if now_b >= self._retry_b and not self._case.spool.is_settled:
            self._guard(self._case.pay)
        if self._case.tells_b is not None and now_b >= self._case.tells_b:
            self._case.tell_growth()
        if self._phase == machine.UP:
            self._readiness.step(now_b)
            self._ending.step(now_b)
        elif now_b >= self._retry_b:  # nothing begins while the journal cannot be written
            self._step_between(now_b)

    def _step_between(self, now_b: float) -> None:
        """Go on from a phase without a child."""
        state = self._case.state
        if state.phase == machine.EXITED or state.stop is not None:
            self._attempts.follow_exit()
        elif state.phase == machine.LAUNCHING or now_b >= state.due_b:
            state.begin_launch()
            self._attempts.begin()

    def _next_deadline(self) -> float:
        now_b = ticks.boottime()
        if self._retry_b > now_b:
            return self._retry_b
        if self._case.spool.is_in_debt:
            return now_b
        deadlines = [self._presence.due_b, *self._ending.deadlines(now_b)]
        deadlines += self._errands.deadlines()
        deadlines += self._case.retries_b()
        if self._case.tells_b is not None:
            deadlines.append(self._case.tells_b)
        if self._phase == machine.BACKOFF:
            deadlines.append(self._case.state.due_b)
        deadlines += self._readiness.deadlines(now_b)
        return min(deadlines)

    # -- what happens -------------------------------------------------------------------

    def _handle(self, peer: Peer, message: Message) -> Message | None:
        return self._requests.handle(peer, message)

    def _on_end(self) -> None:
        self._ending.on_end()

    def _on_signals(self, taken: set[int]) -> None:
        if signals.SIGTERM in taken and self._phase == machine.ENDED:
            self._warm.leave()
        elif signals.SIGTERM in taken:
            self._ending.ask("shutdown", "SIGTERM", self._case.launch.grace_s)
        if signals.SIGCHLD in taken:
            self._readiness.listen()  # what was said before an end may be about it
            self._case.custody.look()
            self._errands.look()
            if self._case.ended_as is None:  # else it is done next, and again
                self._ending.reap_strays()

    def _beat(self) -> None:
        self._presence.beat()
        for stream in self._case.streams:
            stream.file.tend()
