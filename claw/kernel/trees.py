"""Folders that somebody else has filled, removed without trust in their shape.

However deep they are, two folders are open at a time, and each name is looked up in one of
them: what lies deeper is first moved up. No link is followed. See openat(2), unlinkat(2).
"""

import errno
import os
import stat
from itertools import islice

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_AT_A_TIME = 256


def remove(path: str, most: int) -> bool:
    """Remove what has that name, be it a file or a folder with all that it holds. Blocking.

    Args:
        path: Its name; the way to it is trusted.
        most: About so many names are removed or moved at most.

    Returns:
        Whether it is gone; else there is more to do.

    Raises:
        OSError: Something of it cannot be removed: it is in use, or on another file system.
    """
    try:
        fd = os.open(path, _FOLDER)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno not in {errno.ENOTDIR, errno.ELOOP}:
            raise
        os.unlink(path)  # noqa: PTH108
        return True
    try:
        is_empty = _empty(fd, most)
    finally:
        os.close(fd)
    if is_empty:
        os.rmdir(path)  # noqa: PTH106
    return is_empty


def _empty(top: int, most: int) -> bool:
    """Empty a folder, as far as that goes; tell whether it is."""
    device = os.fstat(top).st_dev
    while names := _some(top):
        for name in names:
            if most <= 0:
                return False
            most -= 1 if _remove(name, top) else _hollow(name, top, device)
    return True


def _hollow(name: str, top: int, device: int) -> int:
    """Bring what a folder holds nearer to its end, some of it; return how much was done."""
    fd = os.open(name, _FOLDER, dir_fd=top)
    try:
        if os.fstat(fd).st_dev != device:
            raise OSError(errno.EXDEV, "it holds another file system")
        names = _some(fd)
        for inner in names:
            if not _remove(inner, fd):
                os.rename(inner, os.urandom(8).hex(), src_dir_fd=fd, dst_dir_fd=top)
        return 1 + len(names)
    finally:
        os.close(fd)


def _remove(name: str, folder: int) -> bool:
    """Remove a file or an empty folder; False: it is a folder that is not empty."""
    try:
        if not stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
            os.unlink(name, dir_fd=folder)
        else:
            os.rmdir(name, dir_fd=folder)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno not in {errno.ENOTEMPTY, errno.EEXIST}:
            raise
        return False
    return True


def _some(folder: int) -> list[str]:
    """Return some of the names in a folder; [] when there are none."""
    with os.scandir(folder) as found:
        return [entry.name for entry in islice(found, _AT_A_TIME)]
