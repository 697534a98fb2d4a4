"""What is in folders, and what files there are: stat(2), readdir(3)."""

import contextlib
import errno
import fcntl
import os
import signal
import stat
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sight:
    """One regular file, as stat(2) tells of it; a symbolic link stands for what it leads to."""

    inode: int
    mtime_ns: int
    size: int
    ctime_ns: int
    has_names: bool  # several, or the name is a link: nobody wrote it under this one


def look(path: str) -> Sight | None:
    """Return what is told of a regular file; None: there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116
        is_link = stat.S_ISLNK(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return Sight(
        found.st_ino,
        found.st_mtime_ns,
        found.st_size,
        found.st_ctime_ns,
        found.st_nlink > 1 or is_link,
    )


def entries_in(folder: str) -> tuple[list[str], list[str]]:
    """Return the names of the folders in a folder, and of all else in it.

    A link to a folder is no folder: such links can lead round in a circle. Each folder is
    looked at, so that what hangs, say a file system below it that is dead, hangs here.

    Raises:
        OSError: It cannot be read.
    """
    folders: list[str] = []
    others: list[str] = []
    with os.scandir(folder) as found:
        for entry in found:
            is_folder = entry.is_dir(follow_symlinks=False)
            (folders if is_folder else others).append(entry.name)
            if is_folder:
                with contextlib.suppress(OSError):
                    entry.stat()
    return folders, others


def is_written(path: str) -> bool:
    """Tell whether somebody has a file open to write, as far as the kernel can say.

    A lease for reading (F_SETLEASE, fcntl(2)) is granted when nobody has. Who opens the file
    while it is held is made to wait until it is given back, a moment later; the signal of
    which that sends is one that does nothing.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.fcntl(fd, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    else:
        return False
    finally:
        os.close(fd)


def read_own(path: str, most_bytes: int) -> tuple[bytes, int]:
    """Return what a file of root or of this process's user holds, and which of them has it.

    Args:
        path: It.
        most_bytes: One more than these at most is read.

    Raises:
        OSError: It cannot be read, is no regular file, or another user's.
    """
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        if found.st_uid not in {0, os.geteuid()}:
            raise OSError(errno.EPERM, "it is another user's")
        return os.pread(fd, most_bytes + 1, 0), found.st_uid
    finally:
        os.close(fd)
