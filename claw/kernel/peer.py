"""Who is at the other end of a Unix socket, by the kernel's word (unix(7), SO_PEERCRED)."""

import _socket
import sys

_INT_BYTES = 4
_SO_PEERGROUPS = 59  # asm-generic/socket.h
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


def _int(raw: bytes, *, signed: bool = False) -> int:
    return int.from_bytes(raw, sys.byteorder, signed=signed)
