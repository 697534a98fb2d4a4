"""What a child says of itself: sd_notify(3) datagrams, and s6's newline on a descriptor.

Socket and pipe are kept by the fork server, so what is said while a supervisor is replaced
waits for the next one. The socket's name is known to all of the machine: only who came of
the job's own child is listened to, and so many messages a second are read, whosever.
"""

from claw.kernel import datagrams, ticks
from claw.kernel.bare import os
from claw.wire.supervision import NOTIFY, READY_PIPE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_AT_ONCE = 16
_MOST_A_SECOND = 500
_MOST_QUEUED = 1024
"""More than any queue holds (net.unix.max_dgram_qlen; systemd sets 512)."""
_CHUNK = 4096


class Notices:
    """The ends that a child speaks to; there may be either, or none."""

    __slots__ = ("_left", "_second", "_socket", "pipe_fd", "socket_fd")

    def __init__(self, kept: dict[str, int]) -> None:
        self._second = 0.0  # monotonic time at which the count began
        self._left = _MOST_A_SECOND
        self.pipe_fd = kept.get(READY_PIPE[0], -1)
        self.socket_fd = kept.get(NOTIFY, -1)
        self._socket = datagrams.adopt(self.socket_fd) if self.socket_fd >= 0 else None

    @property
    def has_enough(self) -> bool:
        """Whether no more is read for a second: let who floods it wait."""
        return self._left <= 0

    def messages(self, is_heard: "Callable[[int, int], bool]") -> "Iterator[dict[str, str]]":
        """Yield what was said by those whose pid and uid are heard, a few messages at most.

        Descriptors that come along are closed: that answers a BARRIER=1, and claw stores
        none (FDSTORE=1), as sd_notify(3) allows.
        """
        now = ticks.monotonic()
        if now >= self._second + 1.0:
            self._second, self._left = now, _MOST_A_SECOND
        for data, pid, uid in self._received(min(_AT_ONCE, self._left)):
            self._left -= 1
            if pid and is_heard(pid, uid):
                yield _fields(data)

    def _received(self, most: int) -> "Iterator[tuple[bytes, int, int]]":
        for _ in range(most if self._socket is not None else 0):
            try:
                data, pid, uid, fds = datagrams.receive(self._socket)  # type: ignore[arg-type]
            except OSError:
                return
            try:
                yield data, pid, uid
            finally:
                datagrams.close_all(fds)

    def has_newline(self) -> bool:
        """Take what has come on the descriptor, and tell whether a newline was in it."""
        try:
            return b"\n" in os.read(self.pipe_fd, _CHUNK)
        except OSError:
            return False

    def drain(self) -> None:
        """Forget what an earlier child has said."""
        if self._socket is not None:
            for _ in self._received(_MOST_QUEUED):
                continue
        if self.pipe_fd >= 0:
            self.has_newline()


def _fields(data: bytes) -> dict[str, str]:
    lines = data.decode("utf-8", "replace").split("\n")
    return dict(line.split("=", 1) for line in lines if "=" in line)
