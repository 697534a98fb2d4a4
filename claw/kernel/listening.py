"""Listening sockets that claw opens for jobs. See socket(7), ipv6(7), unix(7).

They block, as a program expects of what it inherits: whether they do is a property of the
open socket, which all who hold it share, so nothing here may change it.
"""

import contextlib
import errno
import select
import socket
import stat

from claw.kernel import files
from claw.kernel.bare import os

_FOLDER_MODE = 0o755
_PRIVATE_MODE = 0o600


def resolve(host: str, port: int) -> list[tuple[socket.AddressFamily, tuple[object, ...]]]:
    """Return what a host's name or address means, in the order of preference; may take long.

    Raises:
        OSError: The name is not known, or no server answers (socket.gaierror).
    """
    try:
        found = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)
    except UnicodeError as error:
        raise OSError(errno.EINVAL, f"no name of a host: {error}") from None
    return [(one[0], one[4]) for one in found]


def open_tcp(
    family: socket.AddressFamily, place: tuple[object, ...], backlog: int
) -> socket.socket:
    """Listen at an address that `resolve` returned; with IPv6, for IPv6 alone.

    Raises:
        OSError: EADDRINUSE, EADDRNOTAVAIL, EACCES, ...
    """
    made = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(place)
        made.listen(backlog)
    except BaseException:
        made.close()
        raise
    return made


def open_unix(path: str, mode: int, owner: tuple[int, int], backlog: int) -> socket.socket:
    """Listen at a path, in place of a dead socket, never of one that somebody serves.

    Nobody can connect before the file has its owner and mode. It is bound under its own
    name, since programs read from getsockname(2) where they listen.

    Args:
        path: Absolute; the folders to it are made when they are not there.
        mode: Permissions of the file.
        owner: User and group id; -1 to leave one as it is.
        backlog: See listen(2).

    Raises:
        OSError: EADDRINUSE: somebody serves it, or it is no socket; EACCES, ...
    """
    files.make_folder(files.folder_of(path), _FOLDER_MODE)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        remove_dead(path)
        os.fchmod(made.fileno(), _PRIVATE_MODE)  # which bind(2) gives the file, less the umask
        made.bind(path)
        adorn(path, mode, owner)
        made.listen(backlog)
    except BaseException:
        made.close()
        raise
    return made


def adorn(path: str, mode: int, owner: tuple[int, int]) -> None:
    """Give a socket's file its owner and mode; no link is followed.

    Raises:
        OSError: It is not allowed, or there is no socket.
    """
    fd = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            raise FileNotFoundError(f"{path} is no socket")
        held = f"/proc/self/fd/{fd}"
        os.chown(held, *owner)
        os.chmod(held, mode)
    finally:
        os.close(fd)


def remove_dead(path: str) -> bool:
    """Remove a socket at a path that nobody listens on any more; tell whether it is gone."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            return False
    except FileNotFoundError:
        return True
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.setblocking(False)  # a full backlog is a sign of life too
        try:
            caller.connect(path)
        except ConnectionRefusedError:
            files.remove(path)
            return True
        except FileNotFoundError:
            return True
        except OSError:
            return False
    return False


def is_at(path: str) -> bool:
    """Tell whether there is a socket at a path."""
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False


def is_ended(listening: socket.socket) -> bool:
    """Tell whether `end` was called for a socket, by whoever has a copy."""
    poll = select.poll()
    poll.register(listening, 0)
    return any(events & select.POLLHUP for _fd, events in poll.poll(0))


def end(listening: socket.socket) -> None:
    """Close a socket for everyone who holds it: from now on connections are refused.

    Without the shutdown it would stay open, and its address taken, for as long as any
    process has a copy: one that is just being forked, or one that outlives a stop.
    """
    with contextlib.suppress(OSError):
        listening.shutdown(socket.SHUT_RDWR)
    listening.close()
