"""Datagrams on an abstract Unix socket, with the pid of who sent them. See unix(7)."""

import _socket
import sys

from claw.kernel.bare import os

Socket = _socket.socket
_LONGEST = 4096
"""Bytes of a message: as many as PIPE_BUF, as systemd has it; longer ones say nothing."""
_MOST_FDS = 253
_FD_BYTES = 4
_CREDENTIALS_BYTES = 12
"""Of struct ucred: pid, uid, gid."""
_ROOM = _socket.CMSG_SPACE(_CREDENTIALS_BYTES) + _socket.CMSG_SPACE(_MOST_FDS * _FD_BYTES)


def listen(name: str) -> int:
    """Return a descriptor that receives under an abstract name, written with ``@`` before it.

    Raises:
        OSError: EADDRINUSE: somebody else has that name; EMFILE, ...
    """
    made = Socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        made.setsockopt(_socket.SOL_SOCKET, _socket.SO_PASSCRED, 1)
        made.setblocking(False)
        made.bind("\0" + name.removeprefix("@"))
    except BaseException:
        made.close()
        raise
    return made.detach()


def adopt(fd: int) -> Socket:
    """Return the socket behind a descriptor, which it closes in the end."""
    return Socket(fileno=fd)


def receive(receiver: Socket) -> tuple[bytes, int, int, list[int]]:
    """Return the next message, its sender's pid and uid, and the descriptors that came along.

    The pid is 0 when the kernel cannot tell. The descriptors are the caller's to close.

    Raises:
        BlockingIOError: There is no message.
    """
    data, ancillary, flags, _address = receiver.recvmsg(
        _LONGEST + 1, _ROOM, _socket.MSG_CMSG_CLOEXEC | _socket.MSG_DONTWAIT
    )
    pid, uid, fds = 0, -1, list[int]()
    for level, kind, packed in ancillary:
        if level != _socket.SOL_SOCKET:
            continue
        if kind == _socket.SCM_CREDENTIALS:
            pid = int.from_bytes(packed[:4], sys.byteorder)
            uid = int.from_bytes(packed[4:8], sys.byteorder)
        elif kind == _socket.SCM_RIGHTS:
            fds += [
                int.from_bytes(packed[at : at + _FD_BYTES], sys.byteorder)
                for at in range(0, len(packed) - _FD_BYTES + 1, _FD_BYTES)
            ]
    is_whole = len(data) <= _LONGEST and not flags & _socket.MSG_TRUNC
    return (data if is_whole else b""), pid, uid, fds


def close_all(fds: list[int]) -> None:
    """Close descriptors."""
    for fd in fds:
        os.close(fd)
