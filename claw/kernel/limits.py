"""Resource limits of processes. See getrlimit(2)."""

import errno
import resource

from claw.kernel import files
from claw.kernel.bare import os

_MARK = 10
"""RLIMIT_LOCKS: of no meaning since Linux 2.4.25, see getrlimit(2)."""
_MARK_IN_PROC = b"Max file locks "


def raise_open_files() -> tuple[int, int]:
    """Raise the soft limit of open files to the hard one; return both as they were."""
    old = resource.getrlimit(resource.RLIMIT_NOFILE)
    restore_open_files((old[1], old[1]))
    return old


def set_limit(name: str, soft: int, hard: int) -> None:
    """Set a limit of this process by its name in getrlimit(2), without RLIMIT_; -1: none.

    Raises:
        OSError: EPERM: beyond the hard limit, and without the right to raise it.
    """
    number = getattr(resource, f"RLIMIT_{name.upper()}")
    try:
        resource.setrlimit(number, (soft, hard))
    except ValueError as error:  # what this module makes of EINVAL and EPERM
        present = resource.getrlimit(number)[1]
        shown = "unlimited" if present < 0 else present
        raise OSError(errno.EPERM, f"{error}; it is {shown}") from error


def hard_limit_below(name: str, hard: int) -> int | None:
    """Return this process's hard limit, when one above it (-1: none) could not be set.

    Whoever has CAP_SYS_RESOURCE may raise it, but not that of open files above
    /proc/sys/fs/nr_open: so it is tried, and taken back.
    """
    number = getattr(resource, f"RLIMIT_{name.upper()}")
    soft, present = resource.getrlimit(number)
    if present < 0 or 0 <= hard <= present:
        return None
    try:
        resource.setrlimit(number, (soft, hard))
    except (OSError, ValueError):
        return present
    resource.setrlimit(number, (soft, present))
    return None


def leave_no_core() -> None:
    """Have this process leave no image of its memory, whatever ends it (core(5))."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))  # what it starts may have it back


def restore_open_files(old: tuple[int, int]) -> None:
    """Give a child the limit that claw itself was started with."""
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, old)
    except (OSError, ValueError):
        return


def mark(number: int) -> None:
    """Have this process, and all that comes of it from now on, carry a number.

    Raises:
        ValueError: It is not allowed to, or nobody would see it: a kernel of 32 bits takes
            what is beyond them for no limit, and /proc may lack its files.
    """
    resource.setrlimit(_MARK, (number, resource.RLIM_INFINITY))
    if _SHOWN:
        return
    if mark_at(os.getpid()) != number:
        raise ValueError("a mark cannot be seen here")
    _SHOWN.append(number)


_SHOWN: "list[int]" = []  # the first that was seen: the kernel is the same for all others


def marking() -> "tuple[int, int]":
    """Return what `mark` changes, for `restore_marking`."""
    return resource.getrlimit(_MARK)


def restore_marking(old: "tuple[int, int]") -> None:
    """Have this process carry what it has carried before `mark`."""
    resource.setrlimit(_MARK, old)


def mark_at(pid: int) -> int:
    """Return the number that a process carries, until it is reaped; 0: none."""
    try:
        lines = files.read_all(f"/proc/{pid}/limits").splitlines()
    except OSError:
        return 0
    for line in lines:
        if line.startswith(_MARK_IN_PROC):
            soft = line[len(_MARK_IN_PROC) :].split()[0]
            return int(soft) if soft.isdigit() else 0
    return 0
