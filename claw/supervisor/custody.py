"""Whose child it is: that decides how its end is learnt, and who reaps it.

- This supervisor's own: SIGCHLD, a look with WNOWAIT, and waitpid once it is on record.
- The fork server's, because an earlier supervisor was killed: a relay does both.
- Somebody else's, because the fork server was killed too: a pidfd, opened while it lived,
  says when it ended, and the kernel how, if it can (`pidfd.exit_of_stranger`).
"""

from claw.kernel import channel, pidfd, process, ticks
from claw.kernel.bare import os
from claw.kernel.pidfd import Exit
from claw.supervisor.loop import Loop
from claw.supervisor.relay import Relay
from claw.wire.supervision import CHILD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

UNKNOWN = Exit(None, None)
RETRY_S = 0.5
"""Pause before a descriptor is asked for again that was not to be had."""


class Custody:
    """Knows one child at a time, and calls ``on_end`` with how it ended, once."""

    __slots__ = (
        "_is_watched", "_loop", "_on_end", "_pid_fd", "_relay", "_start", "is_given_up",
        "is_waiting", "pid", "retry_b",
    )  # fmt: skip

    def __init__(self, loop: Loop, on_end: "Callable[[Exit], None]") -> None:
        self._loop = loop
        self._on_end = on_end
        self._relay: Relay | None = None
        self._pid_fd = -1  # of another's child
        self._is_watched = False  # the pidfd is, since no relay speaks of the child
        self._start = 0
        self.retry_b: float | None = None  # then another's child is tried again to be watched
        self.pid = 0  # 0: there is none
        self.is_waiting = False  # it is not known to have ended
        self.is_given_up = False  # it outlives SIGKILL, or may not be signalled

    def take(self, pid: int) -> None:
        """Take up a child of this process."""
        self.pid = pid
        self.is_waiting = True
        self.is_given_up = False

    def give_up(self) -> None:
        """Count a child that cannot be ended as ended, nobody knows how."""
        self.is_given_up = self.is_waiting
        self._end(UNKNOWN)

    def lose(self) -> None:
        """Count a child that nobody knows of any more as ended, nobody knows how."""
        self.is_waiting = True
        self._end(UNKNOWN)

    def take_from(
        self, connection: channel.Socket, pid: int, start: int, kept: dict[str, int]
    ) -> None:
        """Take up a killed predecessor's child, if there is one: another's now.

        Args:
            connection: Leads to the fork server.
            pid: The child's number, 0 for none.
            start: Its start time in clock ticks, which tells it from a later one.
            kept: What the fork server keeps, a pidfd of the child perhaps.
        """
        relay = Relay(connection, self._end)
        if not pid:
            relay.settle()
            relay.close()
            return
        self.take(pid)
        self._start = start
        self._relay = relay
        self._loop.watch(relay.fileno(), self._on_relay)
        fd = kept.get(f"{CHILD}{pid}:{start}", -1)
        try:
            self._pid_fd = _open(pid, start) if fd < 0 else os.dup(fd)
        except OSError:
            self._pid_fd = -1  # the relay may do without, and else it is tried again
        relay.ask(pid, start)

    def open_child(self) -> int:
        """Return a pidfd of the child for another to keep; -1 when it has gone.

        Raises:
            OSError: There is no descriptor for it.
        """
        if self._pid_fd >= 0:
            return os.dup(self._pid_fd)
        try:
            return pidfd.open_pid(self.pid)
        except ProcessLookupError:
            return -1

    def follow(self, pid: int, start: int) -> bool:
        """Take up another process of the tree (sd_notify(3), MAINPID), whosever child it is.

        Returns:
            False when it has gone: the child is the one that it was.

        Raises:
            OSError: There is no descriptor for it now; the child is the one that it was.
        """
        fd = _open(pid, start)
        if fd < 0:
            return False
        self._close_pid()
        self.take(pid)
        self._start = start
        self._pid_fd = fd
        if self._relay is None:
            self._watch_pid()
        else:
            self._relay.reap()
            self._relay.ask(pid, start)
        return True

    def look(self) -> None:
        """See whether a child of this process has ended; it stays unreaped."""
        is_own = self._relay is None and self._pid_fd < 0 and self.retry_b is None
        if not self.is_waiting or not is_own:
            return
        try:
            ended = pidfd.peek_exit(self.pid)
        except ChildProcessError:
            ended = UNKNOWN
        if ended is not None:
            self._end(ended)

    def signal(self, number: int) -> None:
        """Signal the child, and nobody else who may have its number by now."""
        if self._pid_fd >= 0:
            pidfd.send_signal(self._pid_fd, number)
        elif self.pid:
            process.kill(self.pid, number)

    def reap(self) -> None:
        """Let go of a child whose end is on record."""
        if self._relay is not None:
            self._relay.reap()
            self._drop_relay()
        elif self.pid:
            pidfd.reap(self.pid)
        self.pid = 0

    def _on_relay(self) -> None:
        """Hear how the child ended, or that the fork server cannot tell."""
        if self._relay is None or self._relay.on_readable():
            return
        self._drop_relay()
        if self.is_waiting:
            self._watch_pid()

    def retry(self, now_b: float) -> None:
        """Try again what there was no descriptor or memory for."""
        if self.retry_b is not None and now_b >= self.retry_b:
            self._watch_pid()

    def _watch_pid(self) -> None:
        """Watch another's child, by its pidfd alone; as soon as there can be one."""
        try:
            if self._pid_fd < 0:
                self._pid_fd = _open(self.pid, self._start)
            if self._pid_fd >= 0:
                self._loop.watch(self._pid_fd, self._on_pid_fd)
                self._is_watched = True
        except OSError:
            self.retry_b = ticks.boottime() + RETRY_S
            return
        self.retry_b = None
        if self._pid_fd < 0:
            self._end(UNKNOWN)

    def _on_pid_fd(self) -> None:
        """Another's child has ended: see how, now or when its parent has reaped it."""
        try:
            ended = pidfd.peek_exit(self.pid)  # its parent may have left it to this process
        except ChildProcessError:
            ended = pidfd.exit_of_stranger(self._pid_fd, self.pid, self._start)
        if ended is not None:
            self._end(ended)
            return
        self._loop.forget(self._pid_fd)
        self._loop.watch_for_hangup(self._pid_fd, self._on_pid_fd)

    def _drop_relay(self) -> None:
        if self._relay is not None:
            self._loop.forget(self._relay.fileno())
            self._relay.close()
            self._relay = None

    def _close_pid(self) -> None:
        self.retry_b = None
        if self._is_watched:
            self._loop.forget(self._pid_fd)
            self._is_watched = False
        if self._pid_fd >= 0:
            os.close(self._pid_fd)
            self._pid_fd = -1

    def _end(self, ended: Exit) -> None:
        self._close_pid()
        if self.is_waiting:
            self.is_waiting = False
            self._on_end(ended)


def _open(pid: int, start: int) -> int:
    """Return a pidfd of that very process, -1 when it has gone.

    Raises:
        OSError: There is none to be had now, wherever it is.
    """
    try:
        fd = pidfd.open_pid(pid)
    except ProcessLookupError:
        return -1
    try:
        fields = process.read_stat(pid)
    except OSError:
        os.close(fd)
        raise
    if fields is not None and int(fields[19]) == start:
        return fd
    os.close(fd)
    return -1
