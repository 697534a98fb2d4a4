"""A file that a child may have put anything in place of: opened and read without trust.

See open(2), inode(7).
"""

import errno
import os
import stat

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW | os.O_CLOEXEC


class UnfitError(OSError):
    """What lies there is not such a file; the text says why, for people."""


def read_own(path: str, most_bytes: int, uid: int) -> bytes:
    """Return the content of a regular file with one name, of a user, no link to one.

    Nothing that is no regular file is waited for or read from.

    Args:
        path: The file; the way to it is trusted.
        most_bytes: How large it may be.
        uid: Who has to own it.

    Raises:
        UnfitError: It is something else.
        OSError: ENOENT, EIO, ...
    """
    try:
        fd = os.open(path, _FLAGS)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise UnfitError("it is a symbolic link") from None
        if error.errno == errno.ENXIO:
            raise UnfitError("it is a socket") from None
        raise
    try:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            raise UnfitError("it is no regular file")
        if facts.st_uid != uid:
            raise UnfitError(f"it belongs to another user, uid {facts.st_uid}")
        if facts.st_nlink != 1:
            raise UnfitError(f"it has {facts.st_nlink} names (hard links)")
        return _read(fd, most_bytes)
    finally:
        os.close(fd)


def _read(fd: int, most_bytes: int) -> bytes:
    data = bytearray()
    while len(data) <= most_bytes and (part := os.read(fd, most_bytes + 1 - len(data))):
        data += part
    if len(data) > most_bytes:
        raise UnfitError(f"it is larger than {most_bytes} bytes")
    return bytes(data)


def owner_of(folder: str) -> int | None:
    """Return the uid of a folder's owner; None: there is no such folder, or it is a link."""
    try:
        facts = os.lstat(folder)
    except OSError:
        return None
    return facts.st_uid if stat.S_ISDIR(facts.st_mode) else None
