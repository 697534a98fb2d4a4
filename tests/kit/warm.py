"""The process that `tests.kit.nursery` forks from: ``python -m tests.kit.warm``.

Its arguments are the folder of its socket, which it removes in the end, the descriptors of
that socket and of its owner's life line, and the modules that it imports.

Who asks sends the length of the request, with the three descriptors, and the request; he is
told ``+PID`` by the child as soon as it is one of its own, and by this process how it ended.
"""

import contextlib
import ctypes
import gc
import importlib
import marshal
import os
import runpy
import selectors
import shutil
import signal
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LENGTH = 8
"""Bytes in which a request says how long it is."""
ROOM = "ROOM"
"""Variable of the nursery's own whose place its children show their environment in."""
_ENV_START = 50
"""Field of proc_pid_stat(5): where the environment begins; the next is where it ends."""


@dataclass(frozen=True, slots=True)
class _Birth:
    """What a child is to be: what was asked for, and whom it tells of itself."""

    task: dict[str, Any]
    fds: list[int]
    connection: socket.socket


@dataclass(slots=True)
class _Grown:
    """A child that runs, and who is told of its end."""

    pid: int
    pidfd: int
    connection: socket.socket
    has_ended: bool = False


class _Ward:
    """The nursery itself: forks, reaps, and tells how each has ended."""

    def __init__(self, listener: socket.socket, lifeline: socket.socket) -> None:
        self._listener = listener
        self._lifeline = lifeline
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(lifeline, selectors.EVENT_READ)
        self._children: dict[int, _Grown] = {}

    def serve(self) -> _Birth | None:
        """Return in each child, with what it is to be; None: the owner has gone."""
        while True:
            for key, _events in self._selector.select():
                if key.fileobj is self._lifeline:
                    return None
                if key.fileobj is self._listener:
                    birth = self._receive()
                    if birth is not None and self._fork(birth):
                        return birth
                elif key.data is not None:
                    self._bury(key.data)
                else:
                    self._reap(self._children.pop(key.fd))

    def _receive(self) -> _Birth | None:
        connection, _ = self._listener.accept()
        head, fds, _flags, _address = socket.recv_fds(connection, LENGTH, 3)
        if len(head) < LENGTH or len(fds) < 3:  # who asked has died
            connection.close()
            return None
        with connection.makefile("rb") as file:
            task = marshal.loads(file.read(int(head)))
        return _Birth(task, fds, connection)

    def _fork(self, birth: _Birth) -> bool:
        pid = os.fork()
        if pid == 0:
            self._forget()
            return True
        for fd in birth.fds:
            os.close(fd)
        grown = _Grown(pid, os.pidfd_open(pid), birth.connection)
        self._children[grown.pidfd] = grown
        self._selector.register(grown.pidfd, selectors.EVENT_READ)
        if birth.task["is_bound"]:
            self._selector.register(grown.connection, selectors.EVENT_READ, grown)
        return False

    def _forget(self) -> None:
        """Close in a child what is the nursery's."""
        self._selector.close()
        self._listener.close()
        self._lifeline.close()
        for grown in self._children.values():
            os.close(grown.pidfd)
            grown.connection.close()
        self._children.clear()

    def _bury(self, grown: _Grown) -> None:
        """Kill a child of one who has died."""
        if not grown.has_ended:
            self._selector.unregister(grown.connection)
            signal.pidfd_send_signal(grown.pidfd, signal.SIGKILL)

    def _reap(self, grown: _Grown) -> None:
        grown.has_ended = True
        self._selector.unregister(grown.pidfd)
        with contextlib.suppress(KeyError):  # he who asked is not watched, or has died
            self._selector.unregister(grown.connection)
        os.close(grown.pidfd)
        _, status = os.waitpid(grown.pid, 0)
        with grown.connection, contextlib.suppress(OSError):  # nobody wants to know any more
            grown.connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _show(environ: dict[str, str]) -> None:
    """Have proc_pid_environ(5) tell what a program that is executed with it would tell.

    Who looks for the processes of a home looks there. The block that the kernel made is this
    process's own memory, and nobody reads it any more: all of it has been set anew.
    """
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = (int(one) for one in fields[_ENV_START - 3 :][:2])
    block = b"".join(os.fsencode(f"{name}={value}\0") for name, value in environ.items())
    assert len(block) <= end - start, "the nursery was begun with too little room"
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, block, len(block))


def _become(birth: _Birth) -> list[str]:
    """Make this process what was asked for, say so, and return the words it is run with."""
    os.setsid()
    os.chdir(birth.task["cwd"])
    os.environ.clear()
    os.environ.update(birth.task["environ"])
    if sys.platform == "linux":
        _show(birth.task["environ"])
    time.tzset()
    for number, fd in enumerate(birth.fds):
        os.dup2(fd, number)
        os.close(fd)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = open(  # noqa: SIM115
        2, "w", buffering=1, errors="backslashreplace", closefd=False
    )
    words: list[str] = birth.task["words"]
    sys.orig_argv[:] = [sys.executable, "-m", *words]
    sys.path[0] = str(Path.cwd())
    with birth.connection as connection:
        connection.sendall(b"+%d\n" % os.getpid())
    return words


def _main() -> None:
    folder = sys.argv[1]
    listener, lifeline = (socket.socket(fileno=int(one)) for one in sys.argv[2:4])
    for one in (listener, lifeline):
        one.set_inheritable(False)
    for name in sys.argv[4:]:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    birth = _Ward(listener, lifeline).serve()
    if birth is None:
        shutil.rmtree(folder, ignore_errors=True)
        return
    module, *arguments = _become(birth)
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
