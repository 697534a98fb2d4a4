"""Processes of claw as children of an interpreter that has imported claw already.

A suite starts hundreds of daemons and of command lines, and each spends most of its life on
imports. Here a process of its own does them once for each worker, and forks; the child runs
``python -m MODULE WORDS...`` from its first line to its last, with its own arguments,
environment, folder, descriptors, session and end. What differs is its parent, and what
/proc tells of its arguments. Where those matter, or how a process starts, the true program
is started: `subprocess.Popen` has the same face.
"""

import contextlib
import marshal
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from tests.kit.warm import LENGTH, ROOM

ROOT = Path(__file__).resolve().parents[2]
DAEMON = ("claw.master.main", "httpx", "psutil", "prometheus_client")
"""What a daemon imports, now or at the first of something that it does."""
COMMANDS = ("claw.cli.main", "claw.cli.dispatch", "claw.client.client")
"""What every command line imports; each still imports what it alone needs."""
WRITING = (*COMMANDS, "claw.config.setting", "claw.config.load", "claw.config.origins")
"""What those import that read or write the configuration themselves: three times as much."""
_WRITE = frozenset({"config", "edit", "import", "init", "job", "up"})

_ROOM_BYTES = 1 << 13
"""So much longer may the environment of a child be than that of its nursery."""
_AT_START = ("PYTHON", "LC_", "LANG")
"""Variables that the interpreter reads as it starts; not those that it need not."""
_NO_MATTER = frozenset({"PYTHONPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"})


class Process(Protocol):
    """What tests want of a process, whoever is its parent."""

    @property
    def pid(self) -> int:
        """Its number."""

    @property
    def returncode(self) -> int | Any:
        """How it ended, as far as that was asked for; minus a signal's number."""

    def poll(self) -> int | None:
        """Tell how it ended; None: it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; `subprocess.TimeoutExpired` when that takes longer."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal, unless it has ended."""

    def terminate(self) -> None:
        """Send it SIGTERM."""

    def kill(self) -> None:
        """Send it SIGKILL."""


class Child:
    """A process that the nursery has forked; used as one of `subprocess.Popen`."""

    def __init__(self, words: Sequence[str], connection: socket.socket) -> None:
        self.args = list(words)
        self.returncode: int | None = None
        self._connection = connection
        self._lock = threading.Lock()
        self._said = b""
        first = self._line()
        if not first.startswith(b"+"):
            raise ChildProcessError(f"it did not come to be: {self.args}")
        self.pid = int(first)

    def _line(self) -> bytes:
        while b"\n" not in self._said:
            data = self._connection.recv(64)
            if not data:
                raise EOFError(f"no nursery: {self.args}")
            self._said += data
        line, _, self._said = self._said.partition(b"\n")
        return line

    def poll(self) -> int | None:
        """Tell how it ended; None: it runs."""
        with self._lock:
            if self.returncode is None and self._has_news():
                self.returncode = int(self._line())
                self._connection.close()
            return self.returncode

    def _has_news(self) -> bool:
        return bool(self._said or select.select([self._connection], [], [], 0)[0])

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: It did not come in time.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            status = self.poll()
            if status is not None:
                return status
            left_s = 1.0 if deadline is None else deadline - time.monotonic()
            if left_s <= 0:
                assert timeout is not None
                raise subprocess.TimeoutExpired(self.args, timeout)
            with contextlib.suppress(ValueError):  # closed: another thread has heard
                select.select([self._connection], [], [], min(left_s, 1.0))

    def send_signal(self, sig: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, sig)

    def terminate(self) -> None:
        """Send it SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Send it SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def __del__(self) -> None:
        self._connection.close()


class Nursery:
    """The process that forks, and the way to it; it ends with its owner.

    Args:
        modules: What it imports beforehand.
        environ: What its interpreter starts with.
    """

    def __init__(self, modules: Sequence[str], environ: Mapping[str, str] = os.environ) -> None:
        self._folder = tempfile.mkdtemp(prefix="claw-nursery-")
        self.path = f"{self._folder}/socket"
        self._environ = _started_with(environ)
        self._lifeline, theirs = socket.socketpair()
        with socket.socket(socket.AF_UNIX) as listener, theirs:
            listener.bind(self.path)
            listener.listen(64)
            fds = (listener.fileno(), theirs.fileno())
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.kit.warm",
                    self._folder,
                    *map(str, fds),
                    *modules,
                ],
                cwd=ROOT,
                env=_own(environ),
                stdin=subprocess.DEVNULL,
                pass_fds=fds,
                start_new_session=True,
            )

    def close(self) -> None:
        """End it; its children go on."""
        self._lifeline.close()
        self._process.wait()

    def takes(self, environ: Mapping[str, str]) -> bool:
        """Tell whether its interpreter has started as one with this environment would."""
        return _started_with(environ) == self._environ

    def begin(
        self, words: Sequence[str], cwd: Path, environ: Mapping[str, str], fds: Sequence[int]
    ) -> Child:
        """Fork a child that runs ``python -m WORDS`` in a session of its own.

        Args:
            words: The module and its arguments.
            cwd: Its working folder.
            environ: Its environment.
            fds: Its standard input, output and error.
        """
        task = {
            "words": list(words), "cwd": str(cwd), "environ": dict(environ), "is_bound": False,
        }  # fmt: skip
        data = marshal.dumps(task)
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(self.path)
            socket.send_fds(connection, [b"%*d" % (LENGTH, len(data))], list(fds))
            connection.sendall(data)
            return Child(words, connection)
        except BaseException:
            connection.close()
            raise


def _started_with(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environ.items()
        if name.startswith(_AT_START) and name not in _NO_MATTER
    }


def _own(environ: Mapping[str, str]) -> dict[str, str]:
    """Return a nursery's environment, by which nobody finds it who looks for a home's."""
    kept = {name: value for name, value in environ.items() if not name.startswith("CLAW_")}
    return {**kept, "PYTHONPATH": str(ROOT), ROOM: " " * _ROOM_BYTES}


_nurseries: dict[Sequence[str], Nursery] = {}
_making = threading.Lock()


def nursery(modules: Sequence[str]) -> Nursery:
    """Return this process's nursery that has imported some modules."""
    with _making:
        if modules not in _nurseries:
            _nurseries[modules] = Nursery(modules)
        return _nurseries[modules]


def close() -> None:
    """End all nurseries of this process."""
    with _making:
        while _nurseries:
            _nurseries.popitem()[1].close()


def begin(
    words: Sequence[str], *, cwd: Path, environ: Mapping[str, str], out: int, err: int
) -> Process:
    """Begin ``python -m WORDS`` in a session of its own, with nothing to read.

    A nursery forks it, unless another claw is meant, or an interpreter that starts otherwise.

    Args:
        words: The module and its arguments.
        cwd: Its working folder.
        environ: Its environment.
        out: The descriptor of its standard output.
        err: That of its standard error.
    """
    with Path(os.devnull).open() as nothing:
        if environ.get("PYTHONPATH") == str(ROOT):
            found = nursery(_modules_of(words))
            if found.takes(environ):
                return found.begin(words, cwd, environ, (nothing.fileno(), out, err))
        return subprocess.Popen(
            [sys.executable, "-m", *words], stdin=nothing, stdout=out, stderr=err,
            cwd=cwd, env=environ, start_new_session=True,
        )  # fmt: skip


def _modules_of(words: Sequence[str]) -> Sequence[str]:
    if words[0] != "claw" or tuple(words[1:2]) == ("clawd",):
        return DAEMON
    return WRITING if _WRITE & {*words[1:2]} else COMMANDS


def run(
    words: Sequence[str], *, cwd: Path, environ: Mapping[str, str], patience_s: float
) -> "subprocess.CompletedProcess[str]":
    """Run ``python -m WORDS`` as `begin` does; return what it said once it has ended.

    Raises:
        subprocess.TimeoutExpired: It did not end in time, and is killed.
    """
    deadline = time.monotonic() + patience_s
    pipes = [os.pipe(), os.pipe()]
    try:
        process = begin(words, cwd=cwd, environ=environ, out=pipes[0][1], err=pipes[1][1])
    finally:
        for _, end in pipes:
            os.close(end)
    said = {end: b"" for end, _ in pipes}
    going = set(said)
    try:
        while going:
            left_s = deadline - time.monotonic()
            for end in select.select(going, [], [], max(left_s, 0))[0]:
                data = os.read(end, 1 << 16)
                said[end] += data
                if not data:
                    going.remove(end)
            if left_s <= 0:
                process.kill()
                raise subprocess.TimeoutExpired([*words], patience_s)
        status = process.wait(max(deadline - time.monotonic(), 0.1))
    finally:
        for end in said:
            os.close(end)
    out, err = (_text(data) for data in said.values())
    return subprocess.CompletedProcess([*words], status, out, err)


def _text(data: bytes) -> str:
    return data.decode().replace("\r\n", "\n").replace("\r", "\n")
