"""Who is at the other end of a Unix socket, by the kernel's word (unix(7), SO_PEERCRED)."""

import _socket
import sys

_INT_BYTES = 4


def credentials(connection: _socket.socket) -> tuple[int, int, int]:
    """Return pid, uid and gid that the peer had when it connected."""
    raw = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 3 * _INT_BYTES)
    return _int(raw[:4]), _int(raw[4:8]), _int(raw[8:])


def _int(raw: bytes) -> int:
    return int.from_bytes(raw, sys.byteorder, signed=True)
