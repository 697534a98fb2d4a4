"""Looking into a pipe without taking anything out of it. See pipe(7), tee(2)."""

import fcntl
import sys

from claw.kernel import libc
from claw.kernel.bare import os

_TEE = libc.find("tee")
_NONBLOCK = getattr(os, "SPLICE_F_NONBLOCK", 2)
_FIONREAD = 0x541B  # ioctl_tty(2); pipe(7)


def waiting(reading: int) -> int:
    """Return how many bytes a pipe holds."""
    answer = fcntl.ioctl(reading, _FIONREAD, b"\0\0\0\0")
    return int.from_bytes(answer, sys.byteorder)


def peek(reading: int, count: int) -> bytes:
    """Return bytes from a pipe's beginning, and leave them in it (tee(2)).

    At most ``count``, and no more than a pipe of the usual size holds. b'' when the pipe is
    empty, or there is no way to tell.
    """
    if not _TEE:
        return b""
    try:
        out_of, into = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:  # no descriptors are left
        return b""
    try:
        copied = libc.call(_TEE, reading, into, count, _NONBLOCK)
        return os.read(out_of, copied) if copied > 0 else b""
    finally:
        os.close(into)
        os.close(out_of)
