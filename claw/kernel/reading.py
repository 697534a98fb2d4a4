"""Files that somebody else wrote: read without trust, made without overwriting.

See open(2), fstat(2), symlink(7).
"""

import contextlib
import os


def is_there(path: str) -> bool:
    """Tell whether anything has that path, be it a dangling link.

    Raises:
        OSError: It cannot be told: EACCES, EIO, ...
    """
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def names_in(folder: str) -> list[str]:
    """Return what a folder holds, sorted.

    Raises:
        OSError: ENOENT, EACCES, ENOTDIR, EIO, ...
    """
    return sorted(os.listdir(folder))  # noqa: PTH208


def facts_of(path: str) -> os.stat_result:
    """Return the facts of what a path leads to, links followed (stat(2))."""
    return os.stat(path)  # noqa: PTH116


def real_path(path: str) -> str:
    """Return a path without links in it, as far as it exists."""
    return os.path.realpath(path)


def make_folders(path: str, mode: int) -> None:
    """Make a folder, and those that lead to it, unless they are there."""
    if not os.path.isdir(path):  # noqa: PTH112
        os.makedirs(path, mode, exist_ok=True)  # noqa: PTH103


def create(path: str, text: bytes, mode: int) -> None:
    """Make a file that is not there yet.

    Raises:
        FileExistsError: Something is there, be it a dangling link.
    """
    fd = os.open(path, _NEW, mode)
    try:
        _fill(fd, text)
    finally:
        os.close(fd)


_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


def _fill(fd: int, text: bytes, *, is_durable: bool = True) -> None:
    while text:
        text = text[os.write(fd, text) :]
    if is_durable:
        os.fsync(fd)


def replace(
    path: str,
    text: bytes,
    mode: int,
    owner: tuple[int, int] | None,
    *,
    is_durable: bool = True,
) -> None:
    """Have a file hold something else, at one stroke.

    After a kill at any point it holds the old or the new, whole; after a loss of power too, if
    it is durable.

    Args:
        path: The file, which need not be there yet; its folder has to be.
        text: What it is to hold.
        mode: Its permissions.
        owner: Its uid and gid, as far as this process may give it away; None: this process's.
        is_durable: False for what is written anew soon: a loss of power may spoil it, and the
            disk need not be waited for.
    """
    folder, name = os.path.split(path)
    new = f"{folder}/.{name}.new"
    with contextlib.suppress(FileNotFoundError):  # of one that was killed
        os.unlink(new)  # noqa: PTH108
    fd = os.open(new, _NEW, 0o600)
    try:  # by its descriptor: the folder may be somebody's who puts a link there
        if owner is not None and owner != (os.geteuid(), os.getegid()):
            with contextlib.suppress(PermissionError):
                os.fchown(fd, *owner)
        os.fchmod(fd, mode)
        _fill(fd, text, is_durable=is_durable)
    finally:
        os.close(fd)
    os.replace(new, path)  # noqa: PTH105
    if not is_durable:
        return
    folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder_fd)
    finally:
        os.close(folder_fd)
