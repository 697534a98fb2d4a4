"""A supervisor: owns the child of one job, until the run is over.

It is forked by the fork server with everything imported, and needs nobody from then on:
the child's output flows, its end is journaled, a service is restarted by its own policy,
whether or not a master lives. What it knows is in `machine.Supervision`, a fold over the
journal; what it does is here: look at the phase, act, write the line, fold it.

Times are seconds of boot time.
"""

from claw import __version__
from claw.kernel import channel, files, pidfd, process, signals, ticks
from claw.kernel.bare import os
from claw.kernel.pidfd import Exit
from claw.supervisor import child, entries, machine
from claw.supervisor.control import Control, Peer
from claw.supervisor.custody import Custody
from claw.supervisor.handed import Handed
from claw.supervisor.loop import Loop
from claw.supervisor.output import Stream
from claw.supervisor.presence import Presence
from claw.supervisor.spool import Spool
from claw.supervisor.tree import Tree
from claw.wire import supervision
from claw.wire.supervision import Launch, Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

KILL_ROUND_S = 0.02
"""Pause between two looks at a tree that has been sent SIGKILL."""
KILL_PATIENCE_S = 10.0
"""After so long, what survives SIGKILL (uninterruptible, proc(5)) is named and left."""
RETRY_S = 0.5
"""Pause before a line is written again that the disk refused."""


class Supervisor:
    """One supervisor's loop; `run` returns when the run is over and on record."""

    def __init__(self, launch: Launch, handed: Handed) -> None:
        self._launch = launch
        self._handed = handed
        self._state = machine.Supervision(launch)
        self._spool = Spool(launch.spool)
        self._loop = Loop()
        self._control = Control(self._loop, self._handle)
        self._presence = Presence(launch.run_dir, launch.heartbeat_s, self._control)
        self._tree = Tree(launch.run, launch.kill_mode)
        self._custody = Custody(self._loop, self._on_end)
        self._streams = [
            Stream(reading, writing, path, launch.log_mode)
            for (reading, writing), path in zip(
                handed.outputs, (launch.out_path, launch.err_path), strict=False
            )
        ]
        self._is_first = True  # no predecessor has left a line
        self._report_fd = -1  # open until the child has exec'd
        self._ended_as: Exit | None = None
        self._signalled: machine.Stop | None = None  # the stop that the child was told of
        self._killed_b: float | None = None  # when the child was first sent SIGKILL
        self._rest_kill_b: float | None = None  # when what is left of the tree is killed
        self._wake_b = 0.0  # next look at a tree
        self._retry_b = 0.0  # until then nothing is tried that was refused

    # -- life ----------------------------------------------------------------------

    def run(self) -> None:
        """Supervise until the run is over."""
        process.become_subreaper()
        self._take_spool()
        self._watch_everything()
        if self._handed.relay_fd >= 0:
            self._take_over(channel.adopt(self._handed.relay_fd))
        self._spool.owe(entries.first(self._launch) if self._is_first else entries.taken_over())
        while self._state.phase != machine.ENDED:
            self._guard(self._step)
            if self._state.phase != machine.ENDED:
                self._guard(lambda: self._loop.turn(self._next_deadline()))
        self._presence.leave()

    def _take_spool(self) -> None:
        """Take the lock, which a predecessor's child holds until it execs; fold the journal."""
        if self._handed.lock_fd < 0:
            self._handed.lock_fd = files.open_lock(f"{self._launch.spool}/lock")
            files.wait_lock(self._handed.lock_fd)
        self._spool.open()
        for line in self._spool.read():
            self._is_first = False
            self._state.apply(line)

    def _watch_everything(self) -> None:
        for stream in self._streams:
            stream.open()
            self._loop.watch(stream.reading, stream.pump)
        wake_fd = signals.as_descriptor((signals.SIGCHLD, signals.SIGTERM))
        self._loop.watch(wake_fd, lambda: self._on_signals(signals.taken(wake_fd)))
        self._beat()
        if self._handed.link_fd >= 0:
            self._control.add(channel.adopt(self._handed.link_fd))

    def _take_over(self, connection: channel.Socket) -> None:
        """Stand where a killed predecessor fell."""
        state = self._state
        self._tree.foster = os.getppid()
        self._tree.main = state.pid if state.phase == machine.UP else 0
        self._custody.take_from(connection, self._tree.main, state.start)

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
        if now_b >= self._retry_b:
            self._guard(self._pay)
        if self._state.phase == machine.UP:
            self._step_up(now_b)
        elif now_b >= self._retry_b:  # nothing begins while the journal cannot be written
            self._step_between(now_b)

    def _step_between(self, now_b: float) -> None:
        """Go on from a phase without a child."""
        state = self._state
        if state.phase == machine.EXITED or state.stop is not None:
            self._follow_exit()
        elif state.phase == machine.LAUNCHING or now_b >= state.due_b:
            state.begin_launch()
            self._begin_attempt()

    def _step_up(self, now_b: float) -> None:
        if self._ended_as is None:
            self._enforce(now_b)
        else:
            self._clear_up(now_b)

    def _enforce(self, now_b: float) -> None:
        """See to the timeout, and to a stop's escalation, on a child that lives."""
        deadline_b = self._state.timeout_b
        if deadline_b is not None and now_b >= deadline_b:
            self._ask_end("timeout", "claw", self._launch.grace_s)
        stop = self._state.stop
        if stop is None:
            return
        if self._signalled is not stop:
            self._signalled = stop
            self._signal_main(self._launch.stop_signal)
            self._signal_main(signals.SIGCONT)
        if now_b >= stop.kill_b:
            self._kill(now_b)

    def _kill(self, now_b: float) -> None:
        """Kill the child with its tree, until it ends or patience does."""
        if self._killed_b is None:
            self._killed_b = now_b
        self._signal_main(signals.SIGKILL)
        self._tree.signal(signals.SIGKILL)
        self._wake_b = now_b + KILL_ROUND_S
        if now_b > self._killed_b + KILL_PATIENCE_S:
            self._custody.give_up()

    def _signal_main(self, number: int) -> None:
        """Signal the child, and with kill_mode = group its group, once it leads one."""
        is_group = self._launch.kill_mode == "group"
        if not (is_group and process.kill_group(self._tree.main, number)):
            self._custody.signal(number)

    def _next_deadline(self) -> float:
        state = self._state
        now_b = ticks.boottime()
        if self._retry_b > now_b:
            return self._retry_b
        deadlines = [self._presence.due_b]
        if self._wake_b > now_b:
            deadlines.append(self._wake_b)
        if state.phase == machine.BACKOFF:
            deadlines.append(state.due_b)
        if state.timeout_b is not None:
            deadlines.append(state.timeout_b)
        if state.stop is not None and self._ended_as is None:
            deadlines.append(max(state.stop.kill_b, self._wake_b))
        if self._rest_kill_b is not None:
            deadlines.append(max(self._rest_kill_b, self._wake_b))
        return min(deadlines)

    # -- an attempt's begin and end -----------------------------------------------------

    def _begin_attempt(self) -> None:
        """Fork the child; it writes its own ``started`` line."""
        state, launch = self._state, self._launch
        if state.attempt != launch.attempt and not child.claim(launch, state.attempt):
            self._write(entries.conflict(state), durable=True)
            return
        self._spool.mend()
        self._report_fd, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._loop.watch(self._report_fd, self._on_report)  # nothing may fail after the fork
        wiring = child.Wiring(
            journal_fd=self._spool.journal_fd,
            out_fd=self._streams[0].writing,
            err_fd=self._error_fd(),
            report_fd=writing,
        )
        self._loop.be_prompt()
        try:
            pid = child.spawn(launch, state.attempt, wiring, self._handed.open_files)
        except BaseException:
            self._close_report()
            raise
        finally:
            os.close(writing)
        self._ended_as = None
        self._signalled = self._killed_b = None
        self._tree.main = pid
        self._custody.take(pid)
        state.apply(entries.entry("started", pid=pid, start=pidfd.start_ticks(pid) or 0))

    def _error_fd(self) -> int:
        if self._launch.stderr == "merge":
            return self._streams[0].writing
        return self._streams[1].writing if self._launch.stderr == "separate" else -1

    def _on_report(self) -> None:
        """The child has exec'd (end of file), or says why it could not."""
        data = os.read(self._report_fd, 65536)
        self._close_report()
        failure = supervision.decode(data)
        if failure is not None:
            if failure.pop(child.OWED, False):
                self._spool.owe(failure)
            self._state.error = True
        self._tell_growth()

    def _close_report(self) -> None:
        self._loop.forget(self._report_fd)
        os.close(self._report_fd)
        self._report_fd = -1

    def _on_end(self, ended: Exit) -> None:
        """The child has ended: what is left of its tree is dealt with next."""
        self._ended_as = ended
        stop = self._state.stop
        self._rest_kill_b = None if stop is None else stop.kill_b
        self._wake_b = 0.0

    def _clear_up(self, now_b: float) -> None:
        """End what the child left behind; when nothing is left, the attempt is over."""
        if self._report_fd >= 0:
            self._on_report()
        self._reap_strays()
        # Twice: what becomes this process's child in the midst of a look may be missed by it.
        rest = self._tree.rest() or self._tree.rest()
        if not rest or self._is_beyond_patience(now_b):
            stuck = (self._custody.pid,) if self._custody.is_given_up else ()
            self._finish_attempt(self._tree.names(*stuck) if rest or stuck else [])
            return
        if self._rest_kill_b is None:
            self._rest_kill_b = now_b + self._launch.grace_s
        if now_b >= self._rest_kill_b:
            self._tree.signal(signals.SIGKILL)
            self._wake_b = now_b + KILL_ROUND_S
        elif self._wake_b == 0.0:
            self._tree.signal(self._launch.stop_signal)
            self._tree.signal(signals.SIGCONT)
            self._wake_b = now_b + KILL_ROUND_S
        elif self._tree.foster and now_b >= self._wake_b:
            self._wake_b = now_b + KILL_ROUND_S

    def _is_beyond_patience(self, now_b: float) -> bool:
        return self._rest_kill_b is not None and now_b > self._rest_kill_b + KILL_PATIENCE_S

    def _finish_attempt(self, survivors: list[str]) -> None:
        """Drain the pipes and write the ``exited`` line; then see what follows."""
        if self._ended_as is None:
            return
        for stream in self._streams:
            stream.drain()
        dropped = sum(stream.dropped for stream in self._streams)
        line = entries.exited(self._state, self._ended_as, dropped, survivors)
        self._spool.append(line, durable=False)  # on disk with the line that follows
        for stream in self._streams:
            stream.take_dropped()
        self._state.apply(line)
        self._ended_as = None
        self._rest_kill_b = None
        self._tree.main = 0
        self._follow_exit()

    def _follow_exit(self) -> None:
        """Write what follows the exit, the next attempt's time or the end; then reap."""
        line = self._state.next_line(ticks.wall(), ticks.boottime(), ticks.random_fraction())
        self._write(line, durable=True)
        self._custody.reap()
        if self._state.phase == machine.BACKOFF and self._state.due_b <= ticks.boottime():
            self._state.begin_launch()
            self._begin_attempt()

    def _reap_strays(self) -> None:
        """Reap what the child's tree has left to this process, never the child itself."""
        for pid in process.children_of(os.getpid()):
            if pid != self._custody.pid:
                pidfd.reap(pid)

    # -- requests ---------------------------------------------------------------------

    def _handle(self, _peer: Peer, message: Message) -> Message | None:
        """Answer one request of the master."""
        handler = getattr(self, f"_op_{message.get('op')}", None)
        if handler is None:
            return {"error": f"unknown operation {message.get('op')!r}"}
        try:
            return handler(message)  # type: ignore[no-any-return]
        except (OSError, KeyError, TypeError, ValueError) as error:
            return {"error": f"{type(error).__name__}: {error}"}

    def _op_hello(self, _message: Message) -> Message:
        state = self._state
        return {
            "pid": os.getpid(),
            "run": self._launch.run,
            "attempt": state.attempt,
            "child": state.pid if state.phase == machine.UP else None,
            "phase": state.phase,
            "journal": self._spool.size,
            "version": __version__,
        }

    def _op_stop(self, message: Message) -> Message:
        grace_s = message.get("grace_s")
        self._ask_end(
            message["why"],
            message.get("by", ""),
            self._launch.grace_s if grace_s is None else float(grace_s),
        )
        return {}

    def _op_signal(self, message: Message) -> Message:
        if self._state.phase != machine.UP or self._ended_as is not None:
            return {"sent": False}
        self._custody.signal(int(message["number"]))
        return {"sent": True}

    def _ask_end(self, why: str, by: str, grace_s: float) -> None:
        """Put on record that the child is to end, unless that is so, and no less urgent."""
        stop = self._state.stop
        urgent = ticks.boottime() + grace_s
        if stop is not None and stop.why == why and stop.kill_b <= urgent:
            return
        line = entries.stopping(self._state, why, by, grace_s)
        try:
            self._write(line, durable=True)
        except OSError:  # on a full disk a job can be stopped all the same
            self._spool.owe(line)
            self._state.apply(line)
        if self._ended_as is not None and self._state.stop is not None:
            self._rest_kill_b = self._state.stop.kill_b

    def _on_signals(self, taken: set[int]) -> None:
        if signals.SIGTERM in taken:
            self._ask_end("shutdown", "SIGTERM", self._launch.grace_s)
        if signals.SIGCHLD in taken:
            self._custody.look()
            self._reap_strays()

    # -- the journal and the outside ----------------------------------------------------

    def _write(self, line: Message, *, durable: bool) -> None:
        """Append a line, fold it, and tell whoever listens."""
        self._spool.append(line, durable=durable)
        self._state.apply(line)
        self._tell_growth()

    def _pay(self) -> None:
        """Write what is owed to the journal; nothing goes on before that."""
        size = self._spool.size
        self._spool.mend()
        if self._spool.size != size:
            self._tell_growth()

    def _tell_growth(self) -> None:
        self._spool.note_growth()
        self._control.tell({"ev": "journal", "size": self._spool.size})

    def _beat(self) -> None:
        self._presence.beat()
        for stream in self._streams:
            stream.reopen()
