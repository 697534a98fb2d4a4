"""Unix stream sockets, at paths of any length, with descriptors passed along.

A path over 107 bytes (unix(7)) is reached through /proc/self/fd.
"""

from __future__ import annotations

import array
import contextlib
import os
import socket

from claw.kernel import channel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST_PATH = 107


@contextlib.contextmanager
def _short(path: str) -> Iterator[str]:
    """Yield an address for a path that fits into sockaddr_un."""
    if len(os.fsencode(path)) <= _LONGEST_PATH:
        yield path
        return
    folder, name = os.path.split(path)
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{fd}/{name}"
    finally:
        os.close(fd)


def listen_unix(path: str, mode: int = 0o600, backlog: int = 128) -> socket.socket:
    """Listen at a path as `channel.listen` does."""
    return socket.socket(fileno=channel.listen(path, mode, backlog).detach())


def connect_unix(path: str, *, patience_s: float | None = None) -> socket.socket:
    """Return a blocking connection to a path.

    Args:
        path: Where the socket is.
        patience_s: How long a listener with a full backlog is waited for; None: for ever.

    Raises:
        FileNotFoundError: Nothing is there.
        ConnectionRefusedError: Nobody listens any more.
        BlockingIOError: The listener takes no connection in time.
    """
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        if patience_s is not None:  # unix(7): connect waits as long as a send would
            timeval = array.array("l", [int(patience_s), int(patience_s % 1 * 1_000_000)])
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)
        with _short(path) as address:
            client.connect(address)
    except BaseException:
        client.close()
        raise
    return client


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two ends of a connection, neither of which blocks."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


def rights(*fds: int) -> list[tuple[int, int, array.array[int]]]:
    """Return ancillary data that passes descriptors along with a message (SCM_RIGHTS)."""
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
