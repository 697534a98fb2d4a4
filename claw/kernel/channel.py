"""Unix stream sockets for processes that must stay small.

`_socket` is what lies beneath `socket`, without its Python part, which loads selectors,
enum and collections: a supervisor would pay for them in memory.
"""

import _socket
import sys

from claw.kernel import files
from claw.kernel.bare import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

Socket = _socket.socket
_LONGEST_PATH = 107
"""Bytes that fit into sockaddr_un; a longer path is reached through /proc/self/fd."""
_PRIVATE_MODE = 0o600
DONT_WAIT = _socket.MSG_DONTWAIT
_FD_BYTES = 4
MOST_FDS = 253
"""SCM_MAX_FD, unix(7): more cannot come with a message."""


def adopt(fd: int) -> Socket:
    """Return the socket behind a descriptor, which it closes in the end."""
    found = Socket(fileno=fd)
    found.setblocking(False)
    return found


def listen(path: str, mode: int = 0o600, backlog: int = 128) -> Socket:
    """Listen at a path, replacing a socket that is there; nobody else may connect before.

    The socket is bound under a passing name, given its mode and then moved into place, so
    that at no instant is it there with another mode, or absent once it has been there.
    """
    passing = f"{path}.{os.getpid()}"
    files.remove(passing)
    server = Socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        os.fchmod(
            server.fileno(), _PRIVATE_MODE
        )  # bind(2) gives it to the file, less the umask
        _at(passing, server.bind)
        os.chmod(passing, mode)
        server.listen(backlog)
        server.setblocking(False)
        os.rename(passing, path)
    except BaseException:
        server.close()
        raise
    return server


def connect(path: str, *, patience_s: float | None = None) -> Socket:
    """Return a blocking connection to a path.

    Args:
        path: Where the socket is.
        patience_s: How long a listener with a full backlog is waited for; None: for ever.

    Raises:
        FileNotFoundError: Nothing is there.
        ConnectionRefusedError: Nobody listens any more.
        BlockingIOError: The listener takes no connection in time.
    """
    client = Socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        if patience_s is not None:  # unix(7): connect waits as long as a send would
            timeval = _long(patience_s) + _long(patience_s % 1 * 1_000_000)
            client.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDTIMEO, timeval)
        _at(path, client.connect)
    except BaseException:
        client.close()
        raise
    return client


def _long(value: float) -> bytes:
    """Return a whole number as the C type long."""
    return int(value).to_bytes(8 if sys.maxsize > 1 << 32 else 4, sys.byteorder)


def _at(path: str, act: "Callable[[str], object]") -> None:
    """Bind or connect to a path, whatever its length."""
    if len(path.encode(errors="surrogateescape")) <= _LONGEST_PATH:
        act(path)
        return
    folder, name = files.folder_of(path), path.rpartition("/")[2]
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        act(f"/proc/self/fd/{fd}/{name}")
    finally:
        os.close(fd)


def accept(server: Socket) -> Socket:
    """Return the next connection, which does not block.

    Raises:
        OSError: EAGAIN: there is none; EMFILE, ECONNABORTED, ...
    """
    fd, _address = server._accept()  # type: ignore[attr-defined]  # noqa: SLF001
    return adopt(fd)


def pair() -> tuple[Socket, Socket]:
    """Return two ends of a connection, neither of which blocks."""
    ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


def receive(connection: Socket, count: int) -> tuple[bytes, list[int]]:
    """Return bytes and the descriptors that came with them, close-on-exec: all or none.

    None are given when there was no room for some: those left could be mistaken for others.

    Raises:
        BlockingIOError: Nothing has come.
    """
    data, ancillary, flags, _address = connection.recvmsg(
        count, _socket.CMSG_SPACE(MOST_FDS * _FD_BYTES), _socket.MSG_CMSG_CLOEXEC
    )
    fds = [
        int.from_bytes(packed[at : at + _FD_BYTES], sys.byteorder)
        for level, kind, packed in ancillary
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS
        for at in range(0, len(packed) - _FD_BYTES + 1, _FD_BYTES)
    ]
    if flags & _socket.MSG_CTRUNC:
        for fd in fds:
            os.close(fd)
        return data, []
    return data, fds


def send(connection: Socket, data: bytes, fds: tuple[int, ...] = ()) -> int:
    """Send bytes, and copies of descriptors with them; return how many bytes were taken.

    Raises:
        OSError: None was: EAGAIN, EPIPE, ...
    """
    packed = b"".join(fd.to_bytes(_FD_BYTES, sys.byteorder) for fd in fds)
    rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, packed)] if fds else []
    return connection.sendmsg([data], rights)
