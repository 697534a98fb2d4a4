"""The sockets that a child is born with. See sd_listen_fds(3)."""

import fcntl

from claw.kernel.bare import os

FIRST_FD = 3
"""SD_LISTEN_FDS_START."""


def place(sockets: "dict[str, int]") -> None:
    """Put sockets at 3, 4, ... for the program that is exec'd next."""
    moved = [out_of_the_way(fd, sockets) for fd in sockets.values()]
    for number, fd in enumerate(moved, FIRST_FD):
        os.dup2(fd, number)


def out_of_the_way(fd: int, sockets: "dict[str, int]") -> int:
    """Return a copy of a descriptor that `place` will not overwrite."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST_FD + len(sockets))


def environment(sockets: "dict[str, int]") -> "dict[str, str]":
    """Return what tells this process's program of its sockets: it keeps the pid over exec."""
    if not sockets:
        return {}
    return {
        "LISTEN_FDS": str(len(sockets)),
        "LISTEN_FDNAMES": ":".join(sockets),
        "LISTEN_PID": str(os.getpid()),
    }
