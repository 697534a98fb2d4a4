"""What a child says of itself: sd_notify(3) datagrams, and s6's newline on a descriptor.

Socket and pipe are kept by the fork server, so what is said while a supervisor is replaced
waits for the next one. Only who came of the job's own child is listened to.
"""

from claw.kernel import datagrams
from claw.kernel.bare import os
from claw.supervisor.tree import Tree
from claw.wire.supervision import NOTIFY, READY_PIPE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_AT_ONCE = 16
_CHUNK = 4096


class Notices:
    """The ends that a child speaks to; there may be either, or none."""

    __slots__ = ("_socket", "pipe_fd", "socket_fd")

    def __init__(self, kept: dict[str, int]) -> None:
        self.pipe_fd = kept.get(READY_PIPE[0], -1)
        self.socket_fd = kept.get(NOTIFY, -1)
        self._socket = datagrams.adopt(self.socket_fd) if self.socket_fd >= 0 else None

    def messages(self, tree: Tree) -> "Iterator[dict[str, str]]":
        """Yield what the tree's processes have said, a few messages at most.

        Descriptors that come along are closed: that answers a BARRIER=1, and claw stores
        none (FDSTORE=1), as sd_notify(3) allows.
        """
        for data, pid in self._received():
            if pid and tree.holds(pid):
                yield _fields(data)

    def _received(self) -> "Iterator[tuple[bytes, int]]":
        for _ in range(_AT_ONCE if self._socket is not None else 0):
            try:
                data, pid, fds = datagrams.receive(self._socket)  # type: ignore[arg-type]
            except OSError:
                return
            try:
                yield data, pid
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
            for _ in self._received():
                continue
        if self.pipe_fd >= 0:
            self.has_newline()


def _fields(data: bytes) -> dict[str, str]:
    lines = data.decode("utf-8", "replace").split("\n")
    return dict(line.split("=", 1) for line in lines if "=" in line)
