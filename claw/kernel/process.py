"""Making, finding and ending processes. See fork(2), execve(2), prctl(2), proc(5)."""

import errno

from claw.kernel import files, libc, signals
from claw.kernel.bare import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

DEFAULT_PATH = "/bin:/usr/bin"
"""Where programs are looked for when the environment has no PATH."""
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_OOM_SCORE = "/proc/self/oom_score_adj"
_PRCTL = libc.find("prctl")
_THREADS = 17
"""num_threads among the fields of `stat_of` (proc_pid_stat(5))."""


def become_subreaper() -> None:
    """Take in every orphan among this process's descendants (prctl(2))."""
    if _PRCTL and libc.call(_PRCTL, _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def set_timer_slack(nanoseconds: int) -> None:
    """Let the kernel delay this thread's timers by so much (proc_pid_timerslack_ns(5))."""
    _tell_kernel("/proc/self/timerslack_ns", b"%d" % nanoseconds)


def set_name(name: str) -> None:
    """Set what ps(1) shows as the command's short name, at most 15 bytes."""
    _tell_kernel("/proc/self/comm", name.encode()[:15])


def _tell_kernel(path: str, word: bytes) -> None:
    """Write to a setting that not every kernel has, and that is a nicety."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        os.write(fd, word)
    except OSError:
        return
    finally:
        os.close(fd)


def fork() -> int:
    """Fork; 0 in the child.

    Raises:
        OSError: EAGAIN or ENOMEM, when the machine or a limit says no.
    """
    return os.fork()


def fork_held() -> int:
    """Fork as `fork` does.

    The child has every signal blocked, since it has its parent's handlers: a signal would
    be noted on its parent's wakeup descriptor. It waits until `signals.unblock`.

    Raises:
        OSError: EAGAIN or ENOMEM, when the machine or a limit says no.
    """
    kept = signals.block()
    pid = -1
    try:
        pid = os.fork()
    finally:
        if pid:
            signals.unblock(kept)
    return pid


def leave(status: int) -> "NoReturn":
    """End this process at once; nothing is flushed or cleaned up."""
    os._exit(status)  # noqa: SLF001


def new_session() -> None:
    """Become the leader of a new session; nothing happens to one that leads already."""
    try:
        os.setsid()
    except PermissionError:
        return


def check_identity(uid: int, gid: int, groups: list[int]) -> None:
    """Make sure that this process is a user, in every respect and for good (credentials(7)).

    Raises:
        OSError: EPERM: it is another, or could be root again.
    """
    is_other = os.getresuid() != (uid,) * 3 or os.getresgid() != (gid,) * 3
    if is_other or {*os.getgroups()} - {gid} != {*groups} - {gid} or (uid and _can_be_root()):
        raise OSError(errno.EPERM, "the old user or group could be regained")


def _can_be_root() -> bool:
    try:
        os.setuid(0)
    except OSError:
        return False
    return True


def refuse_privileges() -> None:
    """Let no program that this process executes gain rights (PR_SET_NO_NEW_PRIVS, prctl(2)).

    Raises:
        OSError: The kernel does not know of that.
    """
    if not _PRCTL or libc.call(_PRCTL, _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))


def set_nice(value: int) -> None:
    """Set the niceness of this process, from -20 to 19 (setpriority(2)).

    Raises:
        OSError: EACCES: only root may lower it.
    """
    os.setpriority(os.PRIO_PROCESS, 0, value)


def set_oom_score(value: int | None) -> None:
    """Set how soon the kernel kills this process when memory runs out (proc(5)).

    Args:
        value: From -1000 to 1000; None: no less soon than others, where claw is protected.

    Raises:
        OSError: EACCES: only root may lower it.
    """
    if value is None:
        if is_protected():
            _tell_kernel(_OOM_SCORE, b"0")
        return
    fd = os.open(_OOM_SCORE, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, b"%d" % value)
    finally:
        os.close(fd)


def is_protected() -> bool:
    """Tell whether the kernel kills others before this process when memory runs out."""
    return int(files.read_all(_OOM_SCORE)) < 0


def execute(argv: list[str], env: dict[str, str]) -> "NoReturn":
    """Replace this process, searching the new environment's PATH.

    Raises:
        OSError: Why it could not be: ENOENT, EACCES, ENOEXEC, E2BIG, ...
    """
    name = argv[0]
    if "/" in name:
        os.execve(name, argv, env)
    failure: OSError = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    for folder in env.get("PATH", DEFAULT_PATH).split(":"):
        try:
            os.execve(f"{folder or '.'}/{name}", argv, env)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:  # EACCES here, perhaps found further on
            failure = error
    raise failure


def find_program(name: str, env: dict[str, str]) -> str:
    """Return what `execute` would most likely execute.

    Raises:
        FileNotFoundError: There is nothing of that name.
    """
    if "/" in name:
        return name
    for folder in env.get("PATH", DEFAULT_PATH).split(":"):
        path = f"{folder or '.'}/{name}"
        if os.access(path, os.X_OK):
            return path
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


def kill(pid: int, number: int) -> bool:
    """Signal a process that this one knows to be unreaped; False: gone, or not allowed."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def kill_group(group: int, number: int) -> bool:
    """Signal a process group; False: nobody is in it whom this process may signal."""
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def parent_of(pid: int) -> int | None:
    """Return a process's parent, None when it has gone."""
    fields = stat_of(pid)
    return None if fields is None else int(fields[1])


def ancestors_of(pid: int) -> list[int]:
    """Return a process's parent, that one's parent and so on."""
    found = []
    parent = parent_of(pid)
    while parent:
        found.append(parent)
        parent = parent_of(parent)
    return found


def children_of(pid: int) -> list[int]:
    """Return the children of a process, ended ones included; [] when it has gone.

    A child belongs to the thread that made it, so every thread's list is read.

    Raises:
        OSError: EMFILE, ENOMEM, ...: nobody knows.
    """
    found = []
    try:
        for thread in os.listdir(f"/proc/{pid}/task"):
            words = files.read_all(f"/proc/{pid}/task/{thread}/children").split()
            found += [int(word) for word in words]
    except FileNotFoundError:
        return found or _children_by_scan(pid)
    except (ProcessLookupError, PermissionError):
        return found
    return found


def my_children() -> list[int]:
    """Return the children of this process, as `children_of` does; it has one thread."""
    pid = os.getpid()
    try:
        words = files.read_all(f"/proc/{pid}/task/{pid}/children").split()
    except FileNotFoundError:
        return children_of(pid)
    return [int(word) for word in words]


def _children_by_scan(pid: int) -> list[int]:
    """Find children without CONFIG_PROC_CHILDREN, by everyone's parent."""
    if not files.exists(f"/proc/{pid}"):
        return []
    everyone = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [other for other in everyone if parent_of(other) == pid]


def descendants_of(pid: int) -> list[int]:
    """Return the living descendants of a process, nearest first, without itself.

    Raises:
        OSError: As for `children_of`.
    """
    return living_among(children_of(pid))


def living_among(front: list[int]) -> list[int]:
    """Return who lives of some processes, and of what is below them, nearest first.

    Raises:
        OSError: As for `children_of`.
    """
    found: list[int] = []
    while front:
        front = [pid for pid in front if not is_zombie(pid)]  # a zombie's are another's
        found += front
        front = [child for parent in front for child in children_of(parent)]
    return found


def is_zombie(pid: int) -> bool:
    """Tell whether a process has ended and waits to be reaped, or has gone, or is hidden.

    Raises:
        OSError: As for `children_of`.
    """
    try:
        fields = read_stat(pid)
    except PermissionError:  # hidepid, proc(5)
        return True
    return fields is None or says_ended(fields)


def says_ended(fields: list[bytes]) -> bool:
    """Tell whether a process has ended, by its stat (`stat_of`).

    One whose first thread alone has ended is shown as a zombie too (pthread_exit(3)), and
    lives on in its others.
    """
    return fields[0] in (b"Z", b"X") and int(fields[_THREADS]) <= 1


def group_of(pid: int) -> int | None:
    """Return the process group of a process, None when it has gone."""
    fields = stat_of(pid)
    return None if fields is None else int(fields[2])


def session_of(pid: int) -> int | None:
    """Return the session id of a process, None when it has gone."""
    fields = stat_of(pid)
    return None if fields is None else int(fields[3])


def environment_of(pid: int) -> list[bytes]:
    """Return ``NAME=value`` as a process was started with; [] when it may not be read.

    Of one whose first thread has ended, another thread has it.
    """
    fields = stat_of(pid)
    try:
        threads = [pid] if fields is None or fields[0] != b"Z" else _threads_of(pid)
        for thread in threads:
            text = files.read_all(f"/proc/{pid}/task/{thread}/environ")
            if text:
                return text.split(b"\0")
    except OSError:
        return []
    return []


def _threads_of(pid: int) -> list[int]:
    """Return the threads of a process but the first."""
    return [int(name) for name in os.listdir(f"/proc/{pid}/task") if int(name) != pid]


def real_user_of(pid: int) -> int | None:
    """Return whose a process is, whatever program it has executed; None when it has gone."""
    try:
        lines = files.read_all(f"/proc/{pid}/status").split(b"\n")
    except OSError:
        return None
    users = [int(line.split()[1]) for line in lines if line.startswith(b"Uid:")]
    return users[0] if users else None


def command_of(pid: int) -> str:
    """Return the short command name of a process, '' when it has gone."""
    try:
        return files.read_all(f"/proc/{pid}/comm").decode(errors="replace").strip()
    except OSError:
        return ""


def may_trace(pid: int) -> bool:
    """Tell whether this process is shown all of another's stat (ptrace(2), access modes)."""
    if os.geteuid() == 0:
        return True
    try:
        lines = files.read_all(f"/proc/{pid}/status").split(b"\n")
    except OSError:
        return False
    mine = {b"Uid:": os.geteuid(), b"Gid:": os.getegid()}
    fields = [line.split() for line in lines]
    return all(
        {int(one) for one in words[1:4]} == {mine[words[0]]}
        for words in fields
        if words and words[0] in mine
    )


def stat_of(pid: int) -> list[bytes] | None:
    """Return the fields of /proc/PID/stat from the state on; None when it cannot be read."""
    try:
        return read_stat(pid)
    except OSError:
        return None


def read_stat(pid: int) -> list[bytes] | None:
    """Return the fields of /proc/PID/stat from the state on; None when it has gone.

    Raises:
        OSError: EMFILE, ENOMEM, ...: nobody knows.
    """
    try:
        return files.read_short(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
