"""Who is at the other end of a Unix socket, by the kernel's word (unix(7), SO_PEERCRED)."""

import _socket
import errno
import sys

from claw.kernel import files
from claw.kernel.bare import os

_INT_BYTES = 4
_SO_PEERGROUPS = 59  # asm-generic/socket.h
_SO_PEERPIDFD = 77  # the same; Linux 6.5
_MOST_BYTES = 1024  # that Python's getsockopt takes: 256 groups


def credentials(connection: _socket.socket) -> tuple[int, int, int]:
    """Return pid, uid and gid that the peer had when it connected."""
    raw = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 3 * _INT_BYTES)
    return _int(raw[:4], signed=True), _int(raw[4:8]), _int(raw[8:])


def groups(connection: _socket.socket) -> tuple[int, ...]:
    """Return the supplementary groups that the peer had when it connected.

    Raises:
        OSError: The kernel does not tell (before Linux 4.13), or there are more than 256.
    """
    raw = connection.getsockopt(_socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_BYTES)
    return tuple(_int(raw[at : at + _INT_BYTES]) for at in range(0, len(raw), _INT_BYTES))


def has_its_pid(connection: _socket.socket, pid: int) -> bool:
    """Tell whether a pid is still the peer's, be it a zombie: else another may have it by now.

    True also where the kernel does not tell (before Linux 6.5).
    """
    try:
        fd = connection.getsockopt(_socket.SOL_SOCKET, _SO_PEERPIDFD)
    except OSError as error:
        return error.errno == errno.ENOPROTOOPT
    try:
        told = files.read_all(f"/proc/self/fdinfo/{fd}")
    finally:
        os.close(fd)
    return b"\nPid:\t%d\n" % pid in told  # -1 once it has been reaped (pidfd_open(2))


def _int(raw: bytes, *, signed: bool = False) -> int:
    return int.from_bytes(raw, sys.byteorder, signed=signed)
