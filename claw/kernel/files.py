"""Files and pipes that must be right: locks, durable appends, splices.

See flock(2), fdatasync(2), splice(2), memfd_create(2).
"""

import errno
import fcntl

from claw.kernel.bare import os

_FROM_END = 2  # SEEK_END
_KIND, _FOLDER, _REGULAR, _LINK = 0o170000, 0o040000, 0o100000, 0o120000  # inode(7)
_STICKY, _BY_OTHERS = 0o1000, 0o022
_MOST_LINKS = 40  # path_resolution(7)
_KINDS = {_FOLDER: "a folder", 0o010000: "a named pipe"}
_CHUNK_BYTES = 1 << 16
_OWN_FILE = os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_NEW_FILE = os.O_WRONLY | _OWN_FILE


def make_folder(path: str, mode: int = 0o700) -> None:
    """Make a folder and those above it; what is there is left as it is; else OSError."""
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        return
    except FileNotFoundError:
        make_folder(folder_of(path), mode)
        try:
            os.mkdir(path, mode)
        except FileExistsError:  # by somebody else, meanwhile
            return


def open_append(path: str, mode: int = 0o600) -> int:
    """Open a file of claw's own to append to and read; no link is followed."""
    return os.open(path, _OWN_FILE | os.O_RDWR | os.O_APPEND, mode)


def open_output(path: str, mode: int) -> int:
    """Open an output file at its end, without O_APPEND, which splice(2) refuses."""
    fd = os.open(path, _OWN_FILE | os.O_RDWR, mode)
    os.lseek(fd, 0, _FROM_END)
    return fd


def open_folder(path: str) -> int:
    """Open a folder, to sync it or to reach what is in it by a short path."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def create_exclusive(path: str, text: bytes) -> None:
    """Make a file that nobody has made before, and make that durable.

    Raises:
        FileExistsError: Somebody has.
        OSError: ENOSPC, EIO: then it is not there.
    """
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        append(fd, text)
        sync_folder(folder_of(path))
    except OSError:
        remove(path)
        raise
    finally:
        os.close(fd)


def sync_folder(path: str) -> None:
    """Make the names in a folder durable (fsync(2))."""
    fd = open_folder(path)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def append(fd: int, data: bytes) -> None:
    """Append all of some bytes, in as few writes as the kernel takes."""
    while data:
        data = data[os.write(fd, data) :]


def sync_data(fd: int) -> None:
    """Make a file's content durable (fdatasync(2))."""
    _fdatasync(fd)


_fdatasync = getattr(os, "fdatasync", os.fsync)


def size_of(fd: int) -> int:
    """Return the size of an open file in bytes."""
    return os.fstat(fd).st_size


def size_at(path: str) -> int:
    """Return the size of a file in bytes."""
    return os.stat(path).st_size


def read_all(path: str) -> bytes:
    """Return a file's content."""
    return read_from_fd(os.open(path, os.O_RDONLY | os.O_CLOEXEC))


class NotRegularError(OSError):
    """A path leads to a folder, a FIFO, a socket or a device."""


def read_regular(path: str, most_bytes: int) -> "tuple[bytes, os.stat_result]":
    """Return a regular file's content, one byte more than ``most_bytes`` at most, and facts.

    Links are followed. Nothing that is no regular file is waited for or read from.

    Raises:
        NotRegularError: It is something else.
        OSError: ENOENT, EACCES, ELOOP, EIO, ...
    """
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    try:
        facts = os.fstat(fd)
        kind = facts.st_mode & _KIND
        if kind != _REGULAR:
            what = _KINDS.get(kind, "a device")
            raise NotRegularError(errno.EINVAL, f"{what}, not a regular file")
        found = b""
        while len(found) <= most_bytes and (part := os.read(fd, most_bytes + 1 - len(found))):
            found += part
        return found, facts
    finally:
        os.close(fd)


def is_roots_own(path: str) -> bool:
    """Tell whether root alone has a say in where an absolute path leads, and in what is there.

    Every folder and link on the way counts. What lies in a folder like /tmp, where everybody
    may put names, has to be a folder: of a file there may be a second name, link(2).

    Raises:
        OSError: ENOENT, ENOTDIR, ...
    """
    done, names, links, is_shared = "", path.split("/"), 0, False
    while names:
        here = f"{done}/{names.pop(0)}"
        facts = os.lstat(here)
        kind = facts.st_mode & _KIND
        if facts.st_uid != 0 or (is_shared and kind != _FOLDER):
            return False
        if kind == _LINK:
            links += 1
            if links > _MOST_LINKS:
                return False
            target = os.readlink(here)
            done = "" if target.startswith("/") else done
            names = target.split("/") + names
            continue
        is_shared = bool(facts.st_mode & _BY_OTHERS)
        if is_shared and not (kind == _FOLDER and facts.st_mode & _STICKY):
            return False
        done = here.rstrip("/")
    return True


def read_from_fd(fd: int) -> bytes:
    """Return what is left to read of a descriptor, and close it."""
    try:
        parts = []
        while part := os.read(fd, _CHUNK_BYTES):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(fd)


def read_short(path: str) -> bytes:
    """Return what the kernel shows in one of its files, of those that one read has whole."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(fd, _CHUNK_BYTES)
    finally:
        os.close(fd)


def head_of(path: str, count: int) -> bytes:
    """Return up to ``count`` bytes of a file's beginning; b'' when it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return b""
    try:
        return os.read(fd, count)
    finally:
        os.close(fd)


def read_from(path: str, offset: int) -> bytes:
    """Return a file's content from an offset on; b'' when the file is not there."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    os.lseek(fd, offset, 0)
    return read_from_fd(fd)


def read_piece(path: str, offset: int, count: int) -> bytes:
    """Return up to ``count`` bytes of a file; b'' at its end, or when it is not there."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return b""
    try:
        return os.pread(fd, count, offset)
    finally:
        os.close(fd)


def read_at(fd: int, offset: int, count: int) -> bytes:
    """Return up to ``count`` bytes of an open file from an offset on."""
    return os.pread(fd, count, offset)


def touch(path: str) -> None:
    """Set a file's time of change to now, making it if need be."""
    fd = os.open(path, _NEW_FILE, 0o600)
    try:
        os.utime(fd)
    finally:
        os.close(fd)


def exists(path: str) -> bool:
    """Tell whether something has that name."""
    return inode_at(path) is not None


def inode_at(path: str) -> tuple[int, int] | None:
    """Return what names a file whatever its path (device, inode); None: nothing is there."""
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def inode_of(fd: int) -> tuple[int, int]:
    """Return what names an open file (device, inode)."""
    found = os.fstat(fd)
    return found.st_dev, found.st_ino


def place_of(path: str) -> tuple[int, int] | None:
    """Return a file's inode and its size, where what is written next goes; None: no file."""
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return found.st_ino, found.st_size


def is_folder(path: str) -> bool:
    """Tell whether a folder has that name, and no link to one."""
    try:
        return os.lstat(path).st_mode & _KIND == _FOLDER
    except OSError:
        return False


def folder_of(path: str) -> str:
    """Return the folder that a path names something in."""
    return path.rpartition("/")[0] or ("/" if path.startswith("/") else ".")


def move(old: str, new: str) -> None:
    """Give a file another name, where no crash of the host matters."""
    os.rename(old, new)


def names_in(path: str) -> list[str]:
    """Return the names in a folder."""
    return os.listdir(path)


def rename(old: str, new: str) -> None:
    """Give a file another name, and make that durable; what had the name is replaced."""
    os.replace(old, new)
    sync_folder(folder_of(new))


def remove(path: str) -> None:
    """Remove a file; one that is not there is fine."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def remove_folder(path: str) -> None:
    """Remove a folder of claw's own with all that it holds; what cannot go stays."""
    try:
        for name in os.listdir(path):
            inner = f"{path}/{name}"
            if is_folder(inner):
                remove_folder(inner)
            else:
                remove(inner)
        os.rmdir(path)
    except OSError:
        return


def open_lock(path: str) -> int:
    """Open a lock file without locking it."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(fd: int) -> bool:
    """Lock a file by flock(2) for as long as the descriptor or a copy is open."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wait_lock(fd: int) -> None:
    """Lock a file, waiting until nobody else holds it."""
    fcntl.flock(fd, fcntl.LOCK_EX)


def is_locked(path: str) -> bool:
    """Tell whether some living process holds the lock of a file."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(fd)
    finally:
        os.close(fd)


def make_pipe(size: int) -> tuple[int, int]:
    """Return the reading and the writing end of a pipe of about ``size`` bytes.

    The reading end never blocks; the writing end, a child's, does.
    """
    reading, writing = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(reading, False)
    enlarge_pipe(reading, size)
    return reading, writing


def enlarge_pipe(pipe_fd: int, size: int) -> None:
    """Let a pipe hold more, if it may (pipe(7): a user's share is bounded)."""
    try:
        fcntl.fcntl(pipe_fd, fcntl.F_SETPIPE_SZ, size)
    except (OSError, AttributeError):
        return


def splice(reading: int, writing: int, count: int) -> int | None:
    """Move up to ``count`` bytes from a pipe to a file, inside the kernel.

    Returns:
        Bytes moved, or None when the pipe is empty for now.

    Raises:
        OSError: ENOSPC, EDQUOT, EIO, EFBIG of the file: the pipe keeps its bytes. EINVAL:
            this file cannot be spliced to.
    """
    try:
        return os.splice(reading, writing, count, flags=_SPLICE_FLAGS)
    except BlockingIOError:
        return None


_SPLICE_FLAGS = getattr(os, "SPLICE_F_NONBLOCK", 2) | getattr(os, "SPLICE_F_MOVE", 1)


def discard(reading: int, count: int) -> bytes | None:
    """Take up to ``count`` bytes out of a pipe; None when it is empty for now."""
    try:
        return os.read(reading, count)
    except BlockingIOError:
        return None


def close_all_but(keep: set[int]) -> None:
    """Close every descriptor that is not in ``keep``."""
    low = 0
    for fd in sorted(keep):
        if fd > low:  # an empty range would reach the kernel as (0, -1): everything
            os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, 1 << 20)
