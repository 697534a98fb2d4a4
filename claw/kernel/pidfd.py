"""Processes held by a descriptor, so that a reused number is never mistaken.

See pidfd_open(2), waitid(2), proc_pid_stat(5).
"""

import ctypes
import os

from claw.kernel import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
else:
    import _signal as signal  # `signal` loads enum, see `claw.kernel.signals`

_SYS_WAITID = {"x86_64": 247, "aarch64": 95, "riscv64": 95}.get(os.uname().machine)
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class _SigInfo(ctypes.Structure):
    """The fields of siginfo_t that SIGCHLD fills (sigaction(2)), padded to its size."""

    _fields_ = [
        ("si_signo", ctypes.c_int),
        ("si_errno", ctypes.c_int),
        ("si_code", ctypes.c_int),
        ("_pad", ctypes.c_int),
        ("si_pid", ctypes.c_int),
        ("si_uid", ctypes.c_uint),
        ("si_status", ctypes.c_int),
        ("_rest", ctypes.c_byte * 100),
    ]


class _RUsage(ctypes.Structure):
    """struct rusage (getrusage(2)), of which three fields are read."""

    _fields_ = [
        ("utime_s", ctypes.c_long),
        ("utime_us", ctypes.c_long),
        ("stime_s", ctypes.c_long),
        ("stime_us", ctypes.c_long),
        ("maxrss_kib", ctypes.c_long),
        ("_rest", ctypes.c_long * 13),
    ]


class Exit:
    """How a child ended: an exit code or a signal, with what it used.

    Attributes:
        code: Exit status, or None when a signal ended it.
        signal: Number of that signal, or None.
        cpu_s: User and system time in seconds, its own and its reaped children's.
        max_rss: Largest resident set in bytes.
    """

    __slots__ = ("code", "cpu_s", "max_rss", "signal")

    def __init__(
        self, code: int | None, signal: int | None, cpu_s: float = 0.0, max_rss: int = 0
    ) -> None:
        self.code = code
        self.signal = signal
        self.cpu_s = cpu_s
        self.max_rss = max_rss


def open_pid(pid: int) -> int:
    """Return a descriptor of a process, readable once it has ended.

    Raises:
        ProcessLookupError: No such process.
    """
    return os.pidfd_open(pid)


def send_signal(fd: int, number: int) -> bool:
    """Signal the process behind a descriptor; False when it has gone."""
    try:
        signal.pidfd_send_signal(fd, number)
    except ProcessLookupError:
        return False
    return True


def peek_exit(pid: int) -> Exit | None:
    """Return how a child ended and leave it for `reap`; None while it lives.

    The kernel's waitid fills a struct rusage too, which the C library's does not pass on:
    so a status can be journaled in full before the child is reaped.

    Raises:
        ChildProcessError: It is no child of this process.
    """
    if _SYS_WAITID is None:
        return _peek_portably(pid)
    info, usage = _SigInfo(), _RUsage()
    result = _libc.syscall(
        ctypes.c_long(_SYS_WAITID),
        ctypes.c_int(os.P_PID),
        ctypes.c_int(pid),
        ctypes.byref(info),
        ctypes.c_int(os.WEXITED | os.WNOHANG | os.WNOWAIT),
        ctypes.byref(usage),
    )
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    if info.si_pid == 0:
        return None
    cpu_s = usage.utime_s + usage.stime_s + (usage.utime_us + usage.stime_us) / 1e6
    return _exit_of(info.si_code, info.si_status, cpu_s, usage.maxrss_kib * 1024)


def _peek_portably(pid: int) -> Exit | None:
    found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return None if found is None else _exit_of(found.si_code, found.si_status, 0.0, 0)


def _exit_of(how: int, status: int, cpu_s: float, max_rss: int) -> Exit:
    if how == os.CLD_EXITED:
        return Exit(status, None, cpu_s, max_rss)
    return Exit(None, status, cpu_s, max_rss)


def reap(pid: int) -> None:
    """Reap a child that has ended; nothing happens when it was no child or lives."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


def any_ended_child() -> int | None:
    """Return the pid of some child that has ended, unreaped; None when there is none."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if found is None else found.si_pid


def start_ticks(pid: int) -> int | None:
    """Return a process's start time in clock ticks since boot, None when it has gone.

    Pid, start time and boot id together name a process for good.
    """
    fields = _stat(pid)
    return None if fields is None else int(fields[19])


def is_alive(pid: int, start: int) -> bool:
    """Tell whether that very process lives; one that waits to be reaped does not."""
    fields = _stat(pid)
    return fields is not None and int(fields[19]) == start and fields[0] not in (b"Z", b"X")


def _stat(pid: int) -> list[bytes] | None:
    """Return the fields of /proc/PID/stat from the state on; None when it has gone."""
    try:
        return files.read_all(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return None
