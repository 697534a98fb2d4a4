"""A child that is begun without a copy of this interpreter: most short jobs'.

A fork copies what the parent's memory is mapped by, and a child that runs Python until exec
copies the pages that it touches: most of what a short run costs. posix_spawn(3) shares the
memory until exec, and does in between only what it was told. So it is for launches that need
nothing but a session, descriptors, a folder and a mask; `child` begins all others, and those
that fail here, with word of why.

Such a child cannot put itself on record. It carries a mark instead, made of its run's name:
the soft limit RLIMIT_LOCKS, which the kernel has heeded nowhere since Linux 2.4.25, and
which is told of a process until it is reaped (proc_pid_limits(5)). This process writes the
``started`` line as soon as there is a program. One that is killed before has a replacement
look for the mark, once it has the lock: the child holds that until exec, too.

A control group cannot be given to it either: the supervisor joins it, once for all of its
runs, where the group is there only for what is in it to be found.

What is executed has signals 32 and 33 ignored, as in all that posix_spawn(3) begins: they are
the C library's own, which sets them as it needs them.
"""

from claw.kernel import limits, pidfd, process
from claw.kernel.bare import os, signal
from claw.supervisor.case import Case
from claw.wire.supervision import Launch, mark_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NULL = "/dev/null"
_STANDARD = range(3)
_KEPT = (signal.SIGKILL, signal.SIGSTOP)
_SIGNALS = tuple(one for one in signal.valid_signals() if one not in _KEPT)


def suits(case: Case) -> bool:
    """Tell whether the case's next child can be begun here."""
    handed = case.handed
    return (
        case.launch.is_simple
        and handed.relay_fd < 0
        and handed.foster_fd < 0
        and not handed.is_protected
        and os.getppid() == handed.parent
    )


def spawn(case: Case, attempt: int, standard: tuple[int, int, int]) -> int:
    """Begin a child, and return its pid; 0: it cannot be, and nothing has happened.

    Args:
        case: Whose.
        attempt: Its number.
        standard: Standard input, output and error, -1 for none.
    """
    launch = case.launch
    if not case.tree.is_shared:
        case.tree.share()
    soft, hard = case.handed.open_files
    own_mask = os.umask(launch.umask)
    try:
        os.chdir(launch.cwd)
        limits.mark(mark_of(launch.run, attempt))
        if soft != hard:
            limits.restore_open_files(case.handed.open_files)
        return os.posix_spawn(
            process.find_program(launch.argv[0], launch.env),
            launch.argv,
            {**launch.env, "CLAW_ATTEMPT": str(attempt)},
            file_actions=_actions(standard),
            setsid=True,
            setsigmask=(),
            setsigdef=_SIGNALS,
        )
    except (OSError, ValueError, NotImplementedError):
        return 0
    finally:
        if soft != hard:
            limits.restore_open_files((hard, hard))
        os.chdir("/")
        os.umask(own_mask)


def _actions(standard: tuple[int, int, int]) -> "list[Any]":
    return [
        (os.POSIX_SPAWN_DUP2, fd, number)
        if fd >= 0
        else (os.POSIX_SPAWN_OPEN, number, _NULL, os.O_RDWR, 0)
        for number, fd in zip(_STANDARD, standard, strict=True)
    ]


def find(launch: Launch, attempt: int) -> tuple[int, int]:
    """Look for the child of a killed supervisor that is on nobody's record.

    Whoever is its parent now is an ancestor of this process, and has not reaped it while it
    is the fork server.

    Returns:
        Its pid and its start time in clock ticks; 0 twice: there is none.
    """
    ancestors = process.ancestors_of(os.getpid())
    pids = [pid for ancestor in ancestors for pid in process.children_of(ancestor)]
    return find_among(pids, mark_of(launch.run, attempt))


def find_among(pids: "list[int]", mark: int) -> tuple[int, int]:
    """Return pid and start time of the child that carries a mark; 0 twice: it is none of them.

    It leads a session, and is older than all that has come of it.
    """
    found = [
        (pidfd.start_ticks(pid) or 0, pid)
        for pid in pids
        if limits.mark_at(pid) == mark and process.session_of(pid) == pid
    ]
    start, pid = min(found, default=(0, 0))
    return pid, start
