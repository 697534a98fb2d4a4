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
look for the mark, once it has the lock: the child holds that until exec, too. A program may
take the mark off, so the run's name in its environment counts as well; and where one is
there that may be the child, without a sign of whose it is, nothing is begun again.

A control group cannot be given to it either: the supervisor joins it, once for all of its
runs, where the group is there only for what is in it to be found.

What is executed has signals 32 and 33 ignored, as in all that posix_spawn(3) begins: they are
the C library's own, which sets them as it needs them.
"""

from claw.kernel import files, limits, pidfd, process
from claw.kernel.bare import os, signal
from claw.supervisor.case import Case
from claw.supervisor.machine import Supervision
from claw.wire.supervision import Launch, is_mark, mark_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_NULL = "/dev/null"
_STANDARD = range(3)
_RUN, _ATTEMPT = b"CLAW_RUN_ID=", b"CLAW_ATTEMPT="
_SUPERVISOR = "claw:"
"""What the short name of each begins with, see `claw.supervisor.wards`."""
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_KEPT = (signal.SIGKILL, signal.SIGSTOP)
_SIGNALS = tuple(one for one in signal.valid_signals() if one not in _KEPT)


def suits(case: Case) -> bool:
    """Tell whether the case's next child can be begun here."""
    handed = case.handed
    return (
        case.is_simple
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


def find(launch: Launch, state: Supervision) -> tuple[int, int] | None:
    """Look for the child of a killed supervisor that is on nobody's record.

    Whoever is its parent now is an ancestor of this process, and has not reaped it while it
    is the fork server: then nobody but what came of supervisors can be among its children.

    Returns:
        Its pid and its start time in clock ticks; 0 twice: it may have begun, and nobody can
        tell; None: it has not.

    Raises:
        OSError: EMFILE, ENOMEM, ...: another supervisor is to look.
    """
    parent = os.getppid()
    is_kept = state.under == parent
    near = process.children_of(parent)
    far = [pid for one in process.ancestors_of(parent) for pid in process.children_of(one)]
    pids = [pid for pid in far if _is_mine(pid)]
    pids += near if is_kept else [pid for pid in near if _is_mine(pid)]
    found = find_among(pids, launch.run, state.attempt, state.supervisors)
    if found is not None:
        return found
    if is_kept and not any(_may_be_child(pid, launch.run, state) for pid in near):
        return None
    return 0, 0


def find_anywhere(
    run: str, attempt: int, supervisors: "list[tuple[int, int]]"
) -> tuple[int, int] | None:
    """Look among all processes of this user, as `find_among` does."""
    pids = [int(name) for name in files.names_in("/proc") if name.isdigit()]
    mine = [pid for pid in pids if _is_mine(pid)]
    return find_among(mine, run, attempt, supervisors)


def find_among(
    pids: "list[int]", run: str, attempt: int, supervisors: "list[tuple[int, int]]"
) -> tuple[int, int] | None:
    """Return pid and start time of an attempt's child; None: it is none of them.

    It leads a session, and is older than all that has come of it.

    Args:
        pids: Of whom.
        run: Its run.
        attempt: The attempt's number.
        supervisors: Pid and start time of those that it has had: they have the mark too.
    """
    mark = mark_of(run, attempt)
    words = {_RUN + run.encode(), _ATTEMPT + b"%d" % attempt}
    found = [
        (start, pid)
        for pid, start in _leaders(pids, supervisors)
        if limits.mark_at(pid) == mark or words <= {*process.environment_of(pid)}
    ]
    start, pid = min(found, default=(0, 0))
    return (pid, start) if pid else None


def _leaders(
    pids: "list[int]", supervisors: "list[tuple[int, int]]"
) -> "Iterator[tuple[int, int]]":
    """Yield pid and start time of those that lead sessions and are no such supervisor."""
    for pid in pids:
        start = pidfd.start_ticks(pid) or 0
        is_leader = process.session_of(pid) == pid
        if is_leader and (pid, start) not in supervisors:
            yield pid, start


def _may_be_child(pid: int, run: str, state: Supervision) -> bool:
    """Tell whether a child of the fork server has no sign of whose it is, or was.

    A program may have taken off its mark, and its environment is gone with its end.
    """
    earliest = int(state.launched_b * _TICKS_A_SECOND)
    if not any(start >= earliest for _pid, start in _leaders([pid], state.supervisors)):
        return False
    others = [word for word in process.environment_of(pid) if word.startswith(_RUN)]
    is_others = is_mark(limits.mark_at(pid)) or (others and _RUN + run.encode() not in others)
    return not (is_others or process.command_of(pid).startswith(_SUPERVISOR))


def _is_mine(pid: int) -> bool:
    """Tell whether a process is this user's: anybody may take on a mark."""
    return process.real_user_of(pid) == os.getuid()
