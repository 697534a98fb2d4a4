"""The process that `tests.kit.nursery` forks from: ``python -m tests.kit.warm``.

Its arguments are the folder of its socket, which it removes in the end, the descriptors of
that socket and of its owner's life line, and the modules that it imports.

Who asks sends the length of the request, with the three descriptors, and the request; he is
told ``+PID`` by the child as soon as it is one of its own, and by this process how it ended.
"""

import contextlib
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


@dataclass(frozen=True, slots=True)
class _Birth:
    """What a child is to be: what was asked for, and whom it tells of itself."""

    task: dict[str, Any]
    fds: list[int]
    connection: socket.socket


class _Ward:
    """The nursery itself: forks, reaps, and tells how each has ended."""

    def __init__(self, listener: socket.socket, lifeline: socket.socket) -> None:
        self._listener = listener
        self._lifeline = lifeline
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._selector.register(lifeline, selectors.EVENT_READ)
        self._children: dict[int, tuple[int, socket.socket]] = {}

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
                    self._reap(key.fd)

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
        pidfd = os.pidfd_open(pid)
        self._children[pidfd] = (pid, birth.connection)
        self._selector.register(pidfd, selectors.EVENT_READ)
        if birth.task["is_bound"]:
            self._selector.register(birth.connection, selectors.EVENT_READ, pidfd)
        return False

    def _bury(self, pidfd: int) -> None:
        """Kill a child of one who has died."""
        self._selector.unregister(self._children[pidfd][1])
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)

    def _forget(self) -> None:
        """Close in a child what is the nursery's."""
        self._selector.close()
        self._listener.close()
        self._lifeline.close()
        for pidfd, (_pid, connection) in self._children.items():
            os.close(pidfd)
            connection.close()
        self._children.clear()

    def _reap(self, pidfd: int) -> None:
        pid, connection = self._children.pop(pidfd)
        self._selector.unregister(pidfd)
        os.close(pidfd)
        with contextlib.suppress(KeyError):
            self._selector.unregister(connection)
        _, status = os.waitpid(pid, 0)
        with connection, contextlib.suppress(OSError):  # nobody wants to know any more
            connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _become(birth: _Birth) -> list[str]:
    """Make this process what was asked for, say so, and return the words it is run with."""
    os.setsid()
    os.chdir(birth.task["cwd"])
    os.environ.clear()
    os.environ.update(birth.task["environ"])
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
