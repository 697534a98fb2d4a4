"""Files that claw makes for somebody else to have."""

import os

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def create(path: str, content: bytes, owner: tuple[int, int] | None) -> None:
    """Make a file that its owner alone may read and write.

    Args:
        path: Its name; the way to it is trusted, and nothing has it.
        content: What it holds.
        owner: Uid and gid; None: it stays claw's.

    Raises:
        OSError: EEXIST, ENOSPC, EPERM, ...
    """
    fd = os.open(path, _NEW, 0o600)
    try:
        while content:
            content = content[os.write(fd, content) :]
        if owner is not None:
            os.fchown(fd, *owner)
    finally:
        os.close(fd)
