"""Reaps what is re-parented to the master, by its number, and nothing that the master started.

The master is a child subreaper (prctl(2)), and as PID 1 of a container every orphan's parent:
what lies unreaped would fill the process table. Processes that the master started itself
belong to whoever started them, who reads their status: they are made known by `Reaper.own`.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator

import trio

from claw.kernel import pidfd, process
from claw.kernel.pidfd import Exit  # noqa: TC001

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess


class Reaper:
    """Reaps orphans as they end; see the module."""

    def __init__(self) -> None:
        self._own: dict[int, int | None] = {}
        self._starting = 0
        self._missed = False
        self.on_orphan: Callable[[int, int, Exit], None] = lambda _pid, _start, _exit: None

    def own(self, pid: int) -> None:
        """Leave a child to whoever started it.

        Call it before anything else is awaited, or start the child within `starting`.
        """
        self._own[pid] = pidfd.start_ticks(pid)

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        """Reap nothing while a child is started in another thread and not known yet."""
        self._starting += 1
        try:
            yield
        finally:
            self._starting -= 1
            if self._missed:
                self._missed = False
                self.reap_orphans()

    async def serve(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Take in orphans from now on and reap them; never returns.

        Raises:
            OSError: The kernel does not let this process be a subreaper.
        """
        process.become_subreaper()
        with trio.open_signal_receiver(signal.SIGCHLD) as received:
            task_status.started()
            self.reap_orphans()  # those of the program that this one has replaced
            async for _ in received:
                self.reap_orphans()

    async def reap_own(self, child: "subprocess.Popen[bytes]") -> int:
        """Wait for the end of a child that is `own`, and return its status.

        Cancelled, it leaves the child to the next who waits.
        """
        try:
            fd = pidfd.open_pid(child.pid)
        except OSError:
            return await trio.to_thread.run_sync(child.wait, abandon_on_cancel=True)
        try:
            await trio.lowlevel.wait_readable(fd)
            return child.wait()
        finally:
            os.close(fd)
            if child.returncode is not None:
                self._own.pop(child.pid, None)

    def reap_orphans(self) -> None:
        """Reap every child that has ended and that nobody here has started."""
        if self._starting:
            self._missed = True
            return
        while (pid := pidfd.any_ended_child()) is not None:
            if self._is_own(pid):
                self._reap_behind()
                return
            self._reap(pid)

    def _reap_behind(self) -> None:
        """Look at all children: the kernel names first one that is left to its owner."""
        try:
            children = process.children_of(os.getpid())
            ended = [pid for pid in children if process.is_zombie(pid)]
        except OSError:  # EMFILE, ...: the next end of a child has them looked at
            return
        for pid in ended:
            if not self._is_own(pid):
                self._reap(pid)

    def _reap(self, pid: int) -> None:
        """Reap an orphan, and say how it ended."""
        try:
            start, ended = pidfd.start_ticks(pid), pidfd.peek_exit(pid)
        except ChildProcessError:
            return
        pidfd.reap(pid)
        if ended is not None:
            self.on_orphan(pid, start or 0, ended)

    def _is_own(self, pid: int) -> bool:
        """Tell whether that very process was started here; numbers are used again."""
        if pid not in self._own:
            return False
        start = self._own[pid]
        try:
            return start is None or pidfd.is_there(pid, start)
        except OSError:  # EMFILE, ...: it is left to its owner
            return True
