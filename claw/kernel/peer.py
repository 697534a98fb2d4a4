"""Who is at the other end of a Unix socket, by the kernel's word (unix(7), SO_PEERCRED)."""

import socket
import struct

_UCRED = struct.Struct("3i")


def credentials(connection: socket.socket) -> tuple[int, int, int]:
    """Return pid, uid and gid that the peer had when it connected."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    pid, uid, gid = _UCRED.unpack(raw)
    return pid, uid, gid
