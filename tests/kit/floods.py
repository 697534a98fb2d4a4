"""Clients that flood the control socket, and what a flood may take of each turn of the loop."""

import contextlib
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest
import trio

from claw.master.control.connection import Connection

STATUS = b'{"jsonrpc":"2.0","id":1,"method":"job.status"}\n'
SUBMIT = b'{"jsonrpc":"2.0","id":1,"method":"run.submit","params":{"job":"web"}}\n'

FLOODS = {
    "requests": STATUS,
    "changes": SUBMIT,
    "garbage": b"garbage\n",
    "empty lines": b"\n",
    "no line": b"\xff" * 40,
    "huge lines": b"x" * (1 << 20) + b"\n",
    "deep nesting": b"[" * 100_000 + b"\n",
}
"""What a client may send without end."""

# A child, because a client in this process would take its own share of the interpreter.
_FLOODER = """
import socket, sys, threading
path, reads, line = sys.argv[1], sys.argv[2] == "reads", sys.stdin.buffer.read()
connection = socket.socket(socket.AF_UNIX)
connection.connect(path)
def read():
    while connection.recv(1 << 20):
        pass
if reads:
    threading.Thread(target=read, daemon=True).start()
block = line * max(1, 65536 // len(line))
try:
    while True:
        connection.sendall(block)
except OSError:
    pass
"""


@contextlib.contextmanager
def flooder(path: str, line: bytes, *, reads: bool) -> Iterator[None]:
    """Have another process flood a socket for as long as the block lasts."""
    argv = [sys.executable, "-I", "-S", "-c", _FLOODER, path, "reads" if reads else "never"]
    child = subprocess.Popen(argv, stdin=subprocess.PIPE)
    assert child.stdin is not None
    try:
        child.stdin.write(line)
        child.stdin.close()
        yield
        assert child.poll() is None, "the flood ended by itself"
    finally:
        child.kill()
        child.wait()


class Turns(trio.abc.Instrument):
    """Counts what each connection gets done in one turn of the loop.

    Attributes:
        count: The reads and the lines of all connections so far.
        most: The most reads, or lines, of one connection in one turn.
        most_pending_bytes: The most that waited to be sent to one client.
    """

    def __init__(self) -> None:
        self.count = 0
        self.most = 0
        self.most_pending_bytes = 0
        self._turn: Counter[tuple[int, str]] = Counter()

    def after_io_wait(self, timeout: float) -> None:  # noqa: ARG002  trio calls it so
        """Begin another turn."""
        self._turn.clear()

    def note(self, connection: Connection, what: str) -> None:
        """Take down one read, or one line."""
        self.count += 1
        self._turn[id(connection), what] += 1
        self.most = max(self.most, self._turn[id(connection), what])
        waits_bytes = connection.outgoing.pending_bytes
        self.most_pending_bytes = max(self.most_pending_bytes, waits_bytes)


@contextlib.contextmanager
def turns_counted() -> Iterator[Turns]:
    """Count for as long as the block lasts."""
    turns = Turns()
    receive, handle = Connection._receive_some, Connection._handle_line

    async def receive_some(self: Connection) -> bytes:
        data = await receive(self)
        turns.note(self, "read")
        return data

    async def handle_line(self: Connection, line: bytes | None, nursery: trio.Nursery) -> None:
        turns.note(self, "line")
        await handle(self, line, nursery)

    trio.lowlevel.add_instrument(turns)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Connection, "_receive_some", receive_some)
            patch.setattr(Connection, "_handle_line", handle_line)
            yield turns
    finally:
        trio.lowlevel.remove_instrument(turns)
