"""The sockets that a child is born with. See sd_listen_fds(3)."""

import fcntl

from claw.kernel.bare import os

FIRST_FD = 3
"""SD_LISTEN_FDS_START."""


def place(sockets: list[int]) -> None:
    """Put sockets at 3, 4, ... for the program that is exec'd next."""
    above = FIRST_FD + len(sockets)
    moved = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, above) for fd in sockets]
    for number, fd in enumerate(moved, FIRST_FD):
        os.dup2(fd, number)


def out_of_the_way(fd: int, sockets: list[int]) -> int:
    """Return a copy of a descriptor that `place` will not overwrite."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, FIRST_FD + len(sockets))


def environment(names: list[str]) -> dict[str, str]:
    """Return what tells this process's program of its sockets: it keeps the pid over exec."""
    if not names:
        return {}
    return {
        "LISTEN_FDS": str(len(names)),
        "LISTEN_FDNAMES": ":".join(names),
        "LISTEN_PID": str(os.getpid()),
    }
