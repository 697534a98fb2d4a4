"""Regular expressions of users, searched by one process that is killed when it takes too long.

It is started by the first search and ended when nobody uses it any more.
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import trio

from claw.errors import ClawError
from claw.kernel import socket
from claw.master.checks import searching
from claw.master.reaper import Reaper

LIMIT_S = 2.0
"""A search may take so long."""
_PROGRAM = str(Path(searching.__file__))


class TooSlowError(ClawError):
    """The expression takes too long on what it is to search."""

    code = "too_slow"


class Matcher:
    """Searches, one at a time; see the module."""

    def __init__(self, reaper: Reaper) -> None:
        self._reaper = reaper
        self._lock = trio.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._stream: trio.SocketStream | None = None
        self._users = 0

    @contextlib.asynccontextmanager
    async def used(self) -> AsyncIterator[None]:
        """Keep the process for as long as somebody will search."""
        self._users += 1
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._end()

    async def search(self, pattern: str, text: str) -> bool:
        """Tell whether an expression is found; ``^`` and ``$`` are the ends of lines.

        Raises:
            TooSlowError: It takes longer than `LIMIT_S`.
            OSError: The process cannot be started.
            trio.BrokenResourceError: The process has ended.
        """
        question = json.dumps({"pattern": pattern, "text": text}).encode() + b"\n"
        async with self._lock:
            stream = self._stream or self._start()
            is_answered = False
            try:
                with trio.move_on_after(LIMIT_S):
                    answer = await _ask(stream, question)
                    is_answered = True
                    return answer == b"true\n"
                raise TooSlowError(f"the pattern takes longer than {LIMIT_S:g} s")
            finally:
                if not is_answered:
                    self._end()

    def _start(self) -> trio.SocketStream:
        ours, theirs = socket.pair()
        theirs.setblocking(True)
        try:
            child = subprocess.Popen(  # noqa: S603
                [sys.executable, "-I", "-S", _PROGRAM],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                cwd="/",
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._reaper.own(child.pid)
        trio.lowlevel.spawn_system_task(self._reaper.reap_own, child)
        self._child = child
        self._stream = trio.SocketStream(trio.socket.from_stdlib_socket(ours))
        return self._stream

    def _end(self) -> None:
        """End the process, whatever it is doing."""
        stream, self._stream = self._stream, None
        if stream is not None and self._child is not None:
            stream.socket.close()
            if self._child.returncode is None:
                self._child.kill()


async def _ask(stream: trio.SocketStream, question: bytes) -> bytes:
    """Send a question and return the line that answers it."""
    await stream.send_all(question)
    answer = b""
    while not answer.endswith(b"\n"):
        piece = await stream.receive_some()
        if not piece:
            raise trio.BrokenResourceError("the searching process has ended")
        answer += piece
    return answer
