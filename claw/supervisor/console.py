"""What is typed at the child: its standard input, or the terminal that it runs on.

What it says on a terminal goes on into the pipe of its output, and from there to its file.
That is read and written, not spliced: a supervisor that is killed in between loses it.
"""

from claw.kernel import pipes, terminal, ticks
from claw.kernel.bare import os
from claw.wire.supervision import STDIN, TERMINAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.supervisor.handed import Handed
    from claw.supervisor.loop import Loop
    from claw.supervisor.output import Stream

CHUNK_BYTES = 1 << 14
RETRY_S = 0.1
"""Pause before output goes on that the pipe had no room for."""
_ROUNDS = 16
"""Reads at once: more than a terminal holds, and who writes all the time holds up nothing."""


class Console:
    """Takes what is for the child, and passes on what it says on its terminal.

    Attributes:
        retry_b: When output goes on that had no room, boot time; None: nothing waits.
    """

    __slots__ = ("_held", "_kept", "_loop", "_stream", "retry_b")

    def __init__(self, handed: "Handed", stream: "Stream", loop: "Loop") -> None:
        self._kept = handed.kept
        self._stream = stream
        self._loop = loop
        self._held = b""
        self.retry_b: float | None = None

    @property
    def terminal_fd(self) -> int:
        """The program's end of the terminal, -1 when there is none."""
        return self._kept.get(TERMINAL[1], -1)

    @property
    def in_fd(self) -> int:
        """What the child reads, -1 when there is nothing."""
        return self._kept.get(STDIN[0], self.terminal_fd)

    def open(self) -> None:
        """Pass on what is said whenever there is something."""
        if self.terminal_fd >= 0:
            os.set_blocking(self._stream.writing, False)  # the child has the terminal instead
            self._loop.watch(self._kept[TERMINAL[0]], self.pump)

    def begin(self) -> None:
        """Throw away what was typed for a child before and not read."""
        if self.terminal_fd >= 0:
            terminal.forget_input(self.terminal_fd)
        elif self.in_fd >= 0 and (count := pipes.waiting(self.in_fd)):
            os.read(self.in_fd, count)

    def pump(self) -> None:
        """Pass on some of what was said, as far as there is room."""
        for _ in range(_ROUNDS):
            if not self._push():
                return
            try:
                self._held = os.read(self._kept[TERMINAL[0]], CHUNK_BYTES)
            except OSError:  # EAGAIN: that is all
                return

    def _push(self) -> bool:
        """Write what is held into the pipe; False: some of it has to wait."""
        for _ in range(2):
            if not self._held:
                return True
            try:
                self._held = self._held[os.write(self._stream.writing, self._held) :]
            except BlockingIOError:
                self._stream.pump()
        if self._held and self.retry_b is None:
            self._loop.forget(self._kept[TERMINAL[0]])
            self.retry_b = ticks.boottime() + RETRY_S
        return not self._held

    def retry(self, now_b: float) -> None:
        """Go on with what waited for room, when it is time."""
        if self.retry_b is not None and now_b >= self.retry_b:
            self.retry_b = None
            self._loop.watch(self._kept[TERMINAL[0]], self.pump)
            self.pump()

    def drain(self) -> None:
        """Pass on all that has been said, for the attempt is over."""
        if self.terminal_fd >= 0:
            self.pump()

    def type(self, data: bytes) -> int:
        """Give the child something to read, and return how much of it there was room for.

        Raises:
            ValueError: It has no standard input that anybody could write to.
        """
        fd = self._kept.get(STDIN[1], self._kept.get(TERMINAL[0], -1))
        if fd < 0:
            raise ValueError("its standard input is not open")
        try:
            return os.write(fd, data[:CHUNK_BYTES])
        except BlockingIOError:
            return 0

    def resize(self, rows: int, columns: int) -> None:
        """Say how large the terminal is that somebody looks at; without one nothing happens."""
        if self.terminal_fd >= 0:
            terminal.resize(self.terminal_fd, rows, columns)
