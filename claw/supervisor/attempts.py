"""An attempt's begin and end: the child is forked, and what became of it is put on record."""

from claw.kernel import files, pidfd, ticks
from claw.kernel.bare import os
from claw.supervisor import child, entries, fostering, machine, swift
from claw.supervisor.case import Case
from claw.wire import supervision
from claw.wire.supervision import READY_PIPE, Message


class Attempts:
    """Begins attempts of a case, one at a time, and finishes them."""

    __slots__ = ("_case", "_report_fd")

    def __init__(self, case: Case) -> None:
        self._case = case
        self._report_fd = -1  # open until the child has exec'd

    def begin(self) -> None:
        """Begin the child, and have that on record.

        Raises:
            OSError: There is no memory, descriptor or room on the disk for it now.
        """
        case = self._case
        state, launch = case.state, case.launch
        is_claimed = state.attempt == launch.attempt and case.handed.relay_fd < 0
        if not is_claimed and not child.claim(launch, state.attempt):
            case.write(entries.conflict(state), durable=True)
            return
        case.spool.mend()
        case.notices.drain()
        case.console.begin()
        self.mark_begin(at_once=launch.is_service)
        for stream in case.streams:
            stream.file.base = stream.file.size
        case.loop.be_prompt()
        pid = swift.spawn(case, state.attempt, self._standard()) if swift.suits(case) else 0
        if pid:
            self._note_begun(pid)
        else:
            self._fork()

    def _note_begun(self, pid: int) -> None:
        """Put on record what executes its program already."""
        case = self._case
        line = entries.begun(case.launch, case.state.attempt, pid, pidfd.start_ticks(pid) or 0)
        case.spool.owe(line)
        self._take_up(line)
        try:
            case.spool.mend()
        except OSError:  # it is owed; whoever takes over before finds the child by its mark
            return
        case.tell_soon()

    def find(self) -> None:
        """Take up the child of a killed predecessor that had not put it on record.

        Where nobody can tell whether it has begun, it is not begun again.
        """
        case = self._case
        state = case.state
        found = swift.find(case.launch, state)
        if found is None:
            return
        line = entries.begun(case.launch, state.attempt, *found)
        case.spool.owe(line)
        state.apply(line)

    def _take_up(self, line: Message) -> None:
        case = self._case
        case.ended_as = None
        case.tree.main = line["pid"]
        case.custody.take(line["pid"])
        case.state.apply(line)
        case.tree.start = case.state.start

    def _fork(self) -> None:
        """Fork a child that writes its own ``started`` line.

        Raises:
            OSError: There is no memory or descriptor for it now.
        """
        case = self._case
        self._report_fd, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            case.loop.watch(self._report_fd, self.on_report)  # nothing may fail after the fork
            wiring = self._wiring(writing)
            attempt = case.state.attempt
            pid = child.spawn(case.launch, attempt, wiring, case.handed.open_files)
        except BaseException:
            self._close_report()
            raise
        finally:
            os.close(writing)
        self._take_up(entries.entry("started", pid=pid, start=pidfd.start_ticks(pid) or 0))

    def _wiring(self, report_fd: int) -> child.Wiring:
        case = self._case
        kept = case.handed.kept
        wiring = child.Wiring(
            journal_fd=case.spool.lend(),
            standard=self._standard(),
            report_fd=report_fd,
            foster_fd=fostering.keeper_fd(case),
            sockets={name: kept[key] for name, key in case.launch.sockets.items()},
        )
        wiring.is_terminal = case.console.terminal_fd >= 0
        wiring.ready_fd = kept.get(READY_PIPE[1], -1)
        return wiring

    def mark_begin(self, *, at_once: bool) -> None:
        """Mark where the output of the present attempt begins, once it is known."""
        for stream in self._case.streams:
            stream.file.begin(self._case.state.attempt, at_once=at_once)

    def _standard(self) -> tuple[int, int, int]:
        console = self._case.console
        if console.terminal_fd >= 0:
            return (console.terminal_fd,) * 3
        return console.in_fd, self._case.streams[0].writing, self._error_fd()

    def _error_fd(self) -> int:
        case = self._case
        if case.launch.stderr == "merge":
            return case.streams[0].writing
        return case.streams[1].writing if case.launch.stderr == "separate" else -1

    def on_report(self) -> None:
        """The child has exec'd (end of file), or says why it could not."""
        if self._report_fd < 0:
            return
        try:
            while data := os.read(self._report_fd, 65536):
                self._take_report(data)
        except BlockingIOError:  # what follows has not happened yet
            return
        self._close_report()
        self._case.tell_soon()

    def _take_report(self, data: bytes) -> None:
        for word in data.splitlines():
            line = supervision.decode(word)
            if line is None:
                continue
            if line.pop(child.OWED, False):
                self._case.spool.owe(line)
            if line["ev"] == "spawn_failed":
                self._case.state.error = True

    def _close_report(self) -> None:
        self._case.loop.forget(self._report_fd)
        os.close(self._report_fd)
        self._report_fd = -1

    def finish(self, survivors: list[str], left: list[str]) -> None:
        """Drain the pipes and write the ``exited`` line; then see what follows.

        Raises:
            OSError: The disk refuses the line; to be called again.
        """
        case = self._case
        if case.ended_as is None:
            return
        code, signal = case.ended_as.code, case.ended_as.signal
        self._note_no_begin(signal)
        case.console.drain()
        for stream in case.streams:
            stream.drain(is_patient=case.state.stop is None)
        dropped = sum(stream.dropped for stream in case.streams)
        oom_kills = case.tree.oom_kills()
        case.tree.leave()  # the next attempt makes its groups anew
        is_out_of_memory = oom_kills > case.state.oom
        line = entries.exited(
            case.state, case.ended_as, dropped, survivors, is_out_of_memory=is_out_of_memory
        )
        if oom_left := oom_kills and case.tree.oom_kills():
            line["oom_left"] = oom_left
        if left:
            line["left"] = left
        line.update(self._left_files())
        case.has_left_something = case.has_left_something or bool(survivors or left)
        case.spool.owe(line)  # one write, and on disk, with the line that follows
        for stream in case.streams:
            stream.take_dropped()
            stream.file.end(case.state.pid, -signal if signal else code)
        case.state.apply(line)
        case.ended_as = None
        case.tree.main = 0
        self.follow_exit()

    def _note_no_begin(self, signal: int | None) -> None:
        """Tell an end before the program's begin, unless it was asked for or is made up for."""
        state = self._case.state
        is_told = state.error or state.launch.is_service or state.stop is not None
        if signal and not is_told and not pidfd.has_executed(state.pid, state.born):
            text = f"signal {signal} ended it before its program began"
            line = entries.spawn_failed(state.launch, state.attempt, "", None, text)
            self._case.spool.owe({**line, "pid": state.pid, "start": state.start})
            state.apply(line)

    def _left_files(self) -> "Message":
        """Return what tells the master which files of a run-to-completion job to look at."""
        launch, streams = self._case.launch, self._case.streams
        told: Message = {}
        for name, stream in zip(("out", "err"), streams, strict=False):
            told[name] = stream.file.extent
        if files.exists(launch.env.get("CLAW_RESULT_FILE", "")):
            told["result"] = True
        return {} if launch.is_service else told

    def follow_exit(self) -> None:
        """Write what follows the exit, the next attempt's time or the end; then reap.

        Raises:
            OSError: The disk refuses the line; to be called again.
        """
        case = self._case
        state = case.state
        fraction = ticks.random_fraction() if case.launch.is_service else 0.0
        case.write(state.next_line(ticks.wall(), ticks.boottime(), fraction), durable=True)
        case.custody.reap()
        if state.phase == machine.BACKOFF and state.due_b <= ticks.boottime():
            state.begin_launch()
            self.begin()
