"""Memory that is known by a descriptor, and lies in no file system."""

import errno
import fcntl

from claw.kernel import files
from claw.kernel.bare import os

_SEALS = (
    (fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    if hasattr(fcntl, "F_SEAL_SEAL")
    else 0
)


def sealed(name: str, data: bytes) -> int:
    """Return a descriptor of memory that holds ``data`` and that nobody can change."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    files.append(fd, data)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _SEALS)
    return fd


def shared(name: str, data: bytes) -> int:
    """Return a descriptor of memory that holds ``data`` and can be written anew."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC)
    files.append(fd, data)
    return fd


def rewrite(fd: int, data: bytes) -> None:
    """Have shared memory hold something else; a writer that is killed over it leaves both.

    Raises:
        OSError: There is no memory for it.
    """
    os.ftruncate(fd, 0)
    if os.pwrite(fd, data, 0) != len(data):
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))


def read(fd: int) -> bytes:
    """Return all that a memory descriptor holds, whatever its offset."""
    return os.pread(fd, os.fstat(fd).st_size, 0)
