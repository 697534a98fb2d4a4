"""Files that somebody else wrote: read without trust, made without overwriting.

See open(2), fstat(2), symlink(7).
"""

import contextlib
import os
import stat

CHUNK_BYTES = 1 << 20


class NotRegularError(OSError):
    """A path leads to a folder, a FIFO, a socket or a device."""


def read_regular(path: str, most_bytes: int) -> tuple[bytes, os.stat_result]:
    """Return a regular file's content, one byte more than ``most_bytes`` at most, and facts.

    Links are followed. Nothing that is no regular file is waited for or read from.

    Raises:
        NotRegularError: It is something else.
        OSError: ENOENT, EACCES, ELOOP, EIO, ...
    """
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        facts = os.fstat(fd)
        if not stat.S_ISREG(facts.st_mode):
            raise NotRegularError(f"{_kind_of(facts.st_mode)}, not a regular file")
        return _read(fd, most_bytes + 1), facts
    finally:
        os.close(fd)


def _read(fd: int, count: int) -> bytes:
    parts: list[bytes] = []
    while count > 0 and (part := os.read(fd, min(count, CHUNK_BYTES))):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _kind_of(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    if stat.S_ISFIFO(mode):
        return "a named pipe"
    return "a device"


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
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        while text:
            text = text[os.write(fd, text) :]
        os.fsync(fd)
    finally:
        os.close(fd)


def replace(path: str, text: bytes, mode: int, owner: tuple[int, int] | None) -> None:
    """Have a file hold something else, at one stroke and durably.

    After a kill or a loss of power at any point it holds the old or the new, whole.

    Args:
        path: The file, which need not be there yet; its folder has to be.
        text: What it is to hold.
        mode: Its permissions.
        owner: Its uid and gid, as far as this process may give it away; None: this process's.
    """
    folder, name = os.path.split(path)
    new = f"{folder}/.{name}.new"
    with contextlib.suppress(FileNotFoundError):  # of one that was killed
        os.unlink(new)  # noqa: PTH108
    create(new, text, 0o600)
    if owner is not None and owner != (os.geteuid(), os.getegid()):
        with contextlib.suppress(PermissionError):
            os.chown(new, *owner)
    os.chmod(new, mode)  # noqa: PTH101
    os.replace(new, path)  # noqa: PTH105
    folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder_fd)
    finally:
        os.close(folder_fd)
