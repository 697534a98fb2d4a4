"""Unix stream sockets, at paths of any length, with descriptors passed along.

A path over 107 bytes (unix(7)) is reached through /proc/self/fd.
"""

from __future__ import annotations

import array
import socket

from claw.kernel import channel


def listen_unix(path: str, mode: int = 0o600, backlog: int = 128) -> socket.socket:
    """Listen at a path as `channel.listen` does."""
    return socket.socket(fileno=channel.listen(path, mode, backlog).detach())


def connect_unix(path: str) -> socket.socket:
    """Connect to a path as `channel.connect` does."""
    return socket.socket(fileno=channel.connect(path).detach())


def pair() -> tuple[socket.socket, socket.socket]:
    """Return two ends of a connection, neither of which blocks."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


def rights(*fds: int) -> list[tuple[int, int, array.array[int]]]:
    """Return ancillary data that passes descriptors along with a message (SCM_RIGHTS)."""
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))]
