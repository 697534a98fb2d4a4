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
from claw.supervisor import child, machine, spool
from claw.supervisor.control import Control, Peer
from claw.supervisor.loop import Loop
from claw.supervisor.output import Stream
from claw.supervisor.relay import Relay
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


_BOOT = ticks.boot_id()  # once, in the fork server: it names the boot for its whole life


class Handed:
    """What the fork server hands to a supervisor: descriptors, -1 for none, and facts."""

    __slots__ = ("link_fd", "lock_fd", "open_files", "outputs", "relay_fd")

    def __init__(
        self,
        *,
        outputs: list[tuple[int, int]],
        open_files: tuple[int, int],
        lock_fd: int = -1,
        link_fd: int = -1,
        relay_fd: int = -1,
    ) -> None:
        self.outputs = outputs  # reading and writing end: out, and err if separate
        self.open_files = open_files  # the limit that claw was started with
        self.lock_fd = lock_fd  # held already; a replacement takes the lock itself
        self.link_fd = link_fd  # a connection of the master, there from the start
        self.relay_fd = relay_fd  # to the fork server; replacements only


class Supervisor:
    """One supervisor's loop; `run` returns when the run is over and on record."""

    def __init__(self, launch: Launch, handed: Handed) -> None:
        self._launch = launch
        self._handed = handed
        self._state = machine.Supervision(launch)
        self._spool = Spool(launch.spool)
        self._loop = Loop()
        self._control = Control(self._loop, self._handle)
        self._tree = Tree(launch.run, launch.kill_mode)
        self._relay: Relay | None = None
        self._streams = [
            Stream(reading, writing, path, launch.log_mode)
            for (reading, writing), path in zip(
                handed.outputs, (launch.out_path, launch.err_path), strict=False
            )
        ]
        self._is_first = True  # no predecessor has left a line
        self._child_fd = -1  # pidfd of a child that is nobody's any more
        self._report_fd = -1  # open until the child has exec'd
        self._ended_as: Exit | None = None
        self._signalled: machine.Stop | None = None  # the stop that the child was told of
        self._rest_kill_b: float | None = None  # when what is left of the tree is killed
        self._wake_b = 0.0  # next look at a tree
        self._retry_b = 0.0  # until then nothing is tried that was refused
        self._beat_b = 0.0

    # -- life ----------------------------------------------------------------------

    def run(self) -> None:
        """Supervise until the run is over."""
        process.become_subreaper()
        self._take_spool()
        self._watch_everything()
        if self._handed.relay_fd >= 0:
            self._take_over(channel.adopt(self._handed.relay_fd))
        self._spool.owe(self._first_line() if self._is_first else self._taken_over())
        while self._state.phase != machine.ENDED:
            self._guard(self._step)
            if self._state.phase != machine.ENDED:
                self._guard(self._wait)
        self._leave()

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

    def _first_line(self) -> Message:
        launch = self._launch
        return spool.line(
            "launch",
            run=launch.run,
            attempt=launch.attempt,
            job=launch.job,
            cause=launch.cause,
            origin=launch.origin,
            origin_key=launch.origin_key,
            slot=launch.slot,
            kind="service" if launch.is_service else "once",
            boot=_BOOT,
            version=__version__,
            **_myself(),
        )

    def _taken_over(self) -> Message:
        return spool.line("taken_over", **_myself())

    def _take_over(self, connection: channel.Socket) -> None:
        """Stand where a killed predecessor fell; its child is the fork server's now."""
        self._tree.foster = os.getppid()
        self._relay = Relay(connection, self._on_status)
        if self._state.phase != machine.UP:
            self._relay.settle()
            self._relay = None
        else:
            self._tree.main = self._state.pid
            self._loop.watch(self._relay.fileno(), self._on_relay)
            self._relay.ask(self._state.pid)

    def _on_relay(self) -> None:
        """Hear how the child ended; without the fork server, only that it did."""
        if self._relay is None or self._relay.on_readable():
            return
        self._loop.forget(self._relay.fileno())
        self._relay.close()
        self._relay = None
        if self._ended_as is not None or self._state.phase != machine.UP:
            return
        try:
            self._child_fd = pidfd.open_pid(self._state.pid)
        except ProcessLookupError:
            self._on_status(Exit(None, None))
            return
        if pidfd.start_ticks(self._state.pid) != self._state.start:
            self._on_status(Exit(None, None))
            return
        self._tree.main_fd = self._child_fd
        self._loop.watch(self._child_fd, lambda: self._on_status(Exit(None, None)))

    def _leave(self) -> None:
        self._control.close()
        files.remove(f"{self._launch.run_dir}/heartbeat")
        try:
            os.rmdir(self._launch.run_dir)
        except OSError:
            return

    # -- what to do next --------------------------------------------------------------

    def _guard(self, act: "Callable[[], None]") -> None:
        """Do something; a full or failing disk is waited out, and the child goes on."""
        try:
            act()
        except OSError:
            self._retry_b = ticks.boottime() + RETRY_S

    def _wait(self) -> None:
        self._loop.turn(self._next_deadline())

    def _step(self) -> None:
        now_b = ticks.boottime()
        if now_b >= self._beat_b:
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
        if self._signalled is not stop and self._report_fd < 0:  # before exec it is ignored
            self._signalled = stop
            self._tree.signal_main(self._launch.stop_signal)
            self._tree.signal_main(signals.SIGCONT)
        if now_b >= stop.kill_b:
            self._tree.signal_main(signals.SIGKILL)
            self._tree.signal(signals.SIGKILL)
            self._wake_b = now_b + KILL_ROUND_S

    def _next_deadline(self) -> float:
        state = self._state
        now_b = ticks.boottime()
        if self._retry_b > now_b:
            return self._retry_b
        deadlines = [self._beat_b]
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
        if state.attempt != launch.attempt and not self._claim_attempt():
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
        self._signalled = None
        self._tree.main = pid
        state.apply(spool.line("started", pid=pid, start=pidfd.start_ticks(pid) or 0))

    def _claim_attempt(self) -> bool:
        """Make the attempt's launch file; False: another has, and the run is not ours.

        One of our own is a predecessor's. So is an empty one: its maker was killed before it
        wrote, and so before it forked.
        """
        path = f"{self._launch.launch_dir}/{self._launch.run}.{self._state.attempt}"
        try:
            files.create_exclusive(path, self._launch.sid.encode())
        except FileExistsError:
            if files.read_all(path) not in (b"", self._launch.sid.encode()):
                ended = {"run": self._launch.run, "attempt": self._state.attempt}
                line = spool.line("ended", **ended, why="conflict", by="claw")
                self._write(line, durable=True)
                return False
        return True

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

    def _look_at_child(self) -> None:
        """See whether the child has ended, leaving it unreaped until that is on record."""
        if self._state.phase != machine.UP or self._ended_as is not None or self._is_foster:
            return
        try:
            ended = pidfd.peek_exit(self._state.pid)
        except ChildProcessError:
            ended = Exit(None, None)
        if ended is not None:
            self._on_status(ended)

    @property
    def _is_foster(self) -> bool:
        """Whether the child is another's: then its end is told, not seen."""
        return self._relay is not None or self._child_fd >= 0

    def _on_status(self, ended: Exit) -> None:
        """The child has ended: what is left of its tree is dealt with next."""
        if self._child_fd >= 0:
            self._loop.forget(self._child_fd)
            os.close(self._child_fd)
            self._child_fd = self._tree.main_fd = -1
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
            self._finish_attempt(self._tree.names() if rest else [])
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
        """Drain the pipes, put the ``exited`` line on disk, reap; what follows comes next."""
        if self._ended_as is None:
            return
        for stream in self._streams:
            stream.drain()
        ended = self._ended_as
        line = spool.line(
            "exited",
            run=self._launch.run,
            attempt=self._state.attempt,
            pid=self._state.pid,
            code=ended.code,
            signal=ended.signal,
            timed_out=self._state.timed_out,
            cpu_s=round(ended.cpu_s, 6),
            max_rss=ended.max_rss,
            dropped=sum(stream.dropped for stream in self._streams),
        )
        if survivors:
            line["survivors"] = survivors
        self._spool.append(line, durable=True)
        for stream in self._streams:
            stream.take_dropped()
        self._reap_child()
        self._state.apply(line)
        self._ended_as = None
        self._rest_kill_b = None
        self._tree.main = 0
        self._follow_exit()

    def _reap_child(self) -> None:
        if self._relay is None:
            pidfd.reap(self._state.pid)
            return
        self._relay.reap()
        self._loop.forget(self._relay.fileno())
        self._relay.close()
        self._relay = None

    def _follow_exit(self) -> None:
        """Write what follows the exit: the next attempt's time, or the end."""
        line = self._state.next_line(ticks.wall(), ticks.boottime(), ticks.random_fraction())
        self._write(line, durable=True)
        if self._state.phase == machine.BACKOFF and self._state.due_b <= ticks.boottime():
            self._state.begin_launch()
            self._begin_attempt()

    def _reap_strays(self) -> None:
        """Reap what the child's tree has left to this process, never the child itself."""
        for pid in process.children_of(os.getpid()):
            if pid != self._state.pid:
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
        return {"sent": process.kill(self._state.pid, int(message["number"]))}

    def _ask_end(self, why: str, by: str, grace_s: float) -> None:
        """Put on record that the child is to end, unless that is so, and no less urgent."""
        stop = self._state.stop
        urgent = ticks.boottime() + grace_s
        if stop is not None and stop.why == why and stop.kill_b <= urgent:
            return
        line = spool.line(
            "stopping",
            run=self._launch.run,
            attempt=self._state.attempt,
            why=why,
            by=by,
            grace_s=grace_s,
        )
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
            self._look_at_child()
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
        """Touch the heartbeat; make folder, socket and files again if someone took them."""
        self._beat_b = ticks.boottime() + self._launch.heartbeat_s
        for stream in self._streams:
            stream.reopen()
        try:
            files.make_folder(self._launch.run_dir)
            files.touch(f"{self._launch.run_dir}/heartbeat")
            if not self._control.is_reachable():
                self._control.listen(f"{self._launch.run_dir}/control.sock")
        except OSError:
            return  # the next beat tries again


def _myself() -> Message:
    pid = os.getpid()
    return {"pid": pid, "start": pidfd.start_ticks(pid)}
