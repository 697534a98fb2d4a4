"""Files that only their owner may read: keys and tokens. See open(2), stat(2)."""

import os
import stat
from collections.abc import Collection

_OTHERS = 0o077


def read(path: str, owners: Collection[int], most: int) -> bytes:
    """Return what a private file holds, without white space around it.

    Args:
        path: The file itself: a link is not followed.
        owners: The users to whom it may belong.
        most: So many bytes at most.

    Raises:
        OSError: It cannot be read.
        PermissionError: It is another user's, or others may read or write it; says which.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            raise PermissionError(0, "it is no regular file")
        if facts.st_uid not in owners:
            raise PermissionError(0, f"it belongs to user {facts.st_uid}")
        if facts.st_mode & _OTHERS:
            raise PermissionError(0, f"others may read or write it: chmod 600 {path}")
        return os.read(fd, most).strip()
    finally:
        os.close(fd)
