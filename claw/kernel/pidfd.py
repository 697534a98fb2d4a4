"""Processes held by a descriptor, so that a reused number is never mistaken.

See pidfd_open(2), waitid(2), proc_pid_stat(5).
"""

import errno
import fcntl
import select
import sys

from claw.kernel import libc, process
from claw.kernel.bare import os, signal

_IS_64_BIT = sys.maxsize > 2**32
_SYS_WAITID = {"x86_64": 247, "aarch64": 95, "riscv64": 95}.get(os.uname().machine, 0)
_SYSCALL = libc.find("syscall") if _IS_64_BIT and _SYS_WAITID else 0
# Offsets in siginfo_t (sigaction(2)) and in struct rusage (getrusage(2)), on 64 bits.
_SI_CODE, _SI_PID, _SI_STATUS = 8, 16, 24
_RU_UTIME_S, _RU_UTIME_US, _RU_STIME_S, _RU_STIME_US, _RU_MAXRSS_KIB = range(0, 40, 8)
# PIDFD_GET_INFO = _IOWR(0xFF, 11, struct pidfd_info), include/uapi/linux/pidfd.h, Linux 6.13;
# the structure as it was first, PIDFD_INFO_SIZE_VER0: mask first, exit_code last.
_PIDFD_GET_INFO = 3 << 30 | 64 << 16 | 0xFF << 8 | 11
_INFO_BYTES, _INFO_MASK_BYTES, _INFO_EXIT_CODE = 64, 8, 60
_PIDFD_INFO_EXIT = 1 << 3
"""Linux 6.15: how it ended, once its parent has reaped it."""
_FLAGS, _PF_FORKNOEXEC = 6, 0x40
"""Of `process.stat_of`, and what include/linux/sched.h has there from fork until exec."""


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


def open_that(pid: int, start: int) -> "int | None":
    """Return a descriptor of the process that has a number since then; None: it has gone.

    Raises:
        OSError: EMFILE, ENOMEM, ...: nobody knows.
    """
    fd = -1
    try:
        fd = open_pid(pid)
        if is_there(pid, start):
            kept, fd = fd, -1
            return kept
    except ProcessLookupError:
        return None
    finally:
        if fd >= 0:
            os.close(fd)
    return None


def send_signal(fd: int, number: int) -> bool:
    """Signal the process behind a descriptor; False: gone, or not allowed."""
    try:
        signal.pidfd_send_signal(fd, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def signal_process(pid: int, start: int, number: int) -> bool:
    """Signal the process that has a number since then; False: gone, or not allowed.

    Args:
        pid: Its number.
        start: Its start time in clock ticks.
        number: The signal's.
    """
    try:
        fd = open_pid(pid)
    except ProcessLookupError:
        return False
    except OSError:  # not by a pidfd: it is signalled all the same, if it can be looked at
        return start_ticks(pid) == start and process.kill(pid, number)
    try:
        return start_ticks(pid) == start and send_signal(fd, number)
    finally:
        os.close(fd)


def has_ended(fd: int) -> bool:
    """Tell whether the process behind a descriptor has ended, whoever is to reap it."""
    waiting = select.poll()
    waiting.register(fd, select.POLLIN)
    return bool(waiting.poll(0))


def peek_exit(pid: int) -> Exit | None:
    """Return how a child ended and leave it for `reap`; None while it lives.

    The kernel's waitid fills a struct rusage too, which the C library's does not pass on:
    so a status can be journaled in full before the child is reaped.

    Raises:
        ChildProcessError: It is no child of this process.
    """
    if not _SYSCALL:
        return _peek_portably(pid)
    info, usage = libc.Buffer(), libc.Buffer()
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    if libc.call(_SYSCALL, _SYS_WAITID, os.P_PID, pid, info, options, usage) == -1:
        raise ChildProcessError(errno.ECHILD, os.strerror(errno.ECHILD))
    if info.number(_SI_PID, 4) == 0:
        return None
    seconds = usage.number(_RU_UTIME_S, 8) + usage.number(_RU_STIME_S, 8)
    microseconds = usage.number(_RU_UTIME_US, 8) + usage.number(_RU_STIME_US, 8)
    max_rss = usage.number(_RU_MAXRSS_KIB, 8) * 1024
    how, status = info.number(_SI_CODE, 4), info.number(_SI_STATUS, 4)
    return _exit_of(how, status, seconds + microseconds / 1e6, max_rss)


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


def wait_for(pid: int) -> None:
    """Wait for a child that is about to end, and reap it."""
    os.waitpid(pid, 0)


def any_ended_child() -> int | None:
    """Return the pid of some child that has ended, unreaped; None when there is none."""
    try:
        found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return None
    return None if found is None else found.si_pid


def start_ticks(pid: int) -> int | None:
    """Return a process's start time in clock ticks since boot, None when it cannot be read.

    Pid, start time and boot id together name a process for good. To tell whether it has gone
    is for `is_there`, since it may be descriptors that are wanting.
    """
    fields = process.stat_of(pid)
    return None if fields is None else int(fields[19])


def is_there(pid: int, start: int) -> bool:
    """Tell whether a number is still that process's, be it one that waits to be reaped.

    Raises:
        OSError: EMFILE, ENOMEM, ...: nobody knows.
    """
    return _stat(pid, start) is not None


def has_executed(pid: int, start: int) -> bool:
    """Tell whether that process has a program of its own; yes, if it is reaped already."""
    fields = process.stat_of(pid)
    if fields is None or int(fields[19]) != start:
        return True
    return not int(fields[_FLAGS]) & _PF_FORKNOEXEC


def is_alive(pid: int, start: int) -> bool:
    """Tell whether that very process lives; one that waits to be reaped does not.

    Raises:
        OSError: As for `is_there`.
    """
    fields = _stat(pid, start)
    return fields is not None and not process.says_ended(fields)


def _stat(pid: int, start: int) -> "list[bytes] | None":
    try:
        fields = process.read_stat(pid)
    except PermissionError:  # hidepid, proc(5)
        return None
    return fields if fields is not None and int(fields[19]) == start else None


def exit_of_stranger(fd: int, pid: int, start: int) -> Exit | None:
    """Return how a process that has ended and is no child of this one did so.

    While it waits to be reaped, its stat(5) has the status for those who may trace it; after
    that, from Linux 6.15 on, a pidfd that was opened in time has.

    Args:
        fd: A pidfd of it.
        pid: Its number.
        start: Its start time in clock ticks.

    Returns:
        None while it is not reaped and only that will tell; an `Exit` with neither code nor
        signal when nobody can tell any more.
    """
    asked = _PIDFD_INFO_EXIT.to_bytes(_INFO_MASK_BYTES, sys.byteorder)
    try:
        info = fcntl.ioctl(fd, _PIDFD_GET_INFO, asked.ljust(_INFO_BYTES, b"\0"))
    except OSError:  # ENOTTY: not known; ESRCH: reaped, and what it was is forgotten
        return _exit_in_stat(pid, start) or Exit(None, None)
    if int.from_bytes(info[:_INFO_MASK_BYTES], sys.byteorder) & _PIDFD_INFO_EXIT:
        status = info[_INFO_EXIT_CODE : _INFO_EXIT_CODE + 4]
        return _exit_by_status(int.from_bytes(status, sys.byteorder))
    return _exit_in_stat(pid, start)


def _exit_in_stat(pid: int, start: int) -> Exit | None:
    """Return what proc_pid_stat(5) says of a process that waits to be reaped.

    To those who may not trace it, the status reads 0, so they are told nothing here.
    """
    fields = process.stat_of(pid)
    if fields is None or int(fields[19]) != start or not process.says_ended(fields):
        return None
    if not process.may_trace(pid):
        return None
    return _exit_by_status(int(fields[49]))


def _exit_by_status(status: int) -> Exit:
    """Return what a wait status says (wait(2))."""
    number = status & 0x7F
    return Exit(None, number) if number else Exit(status >> 8 & 0xFF, None)
