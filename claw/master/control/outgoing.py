"""What waits to be sent on one connection: bounded, and never waited for by the master.

Three marks on the bytes that wait:

- above ``STREAM_BYTES`` streams hold back; they read on from the database or the files later;
- above ``READ_BYTES`` no further request of the connection is read;
- above ``MAX_BYTES`` another answer ends the connection: its client does not read.
"""

from collections import deque

import trio

STREAM_BYTES = 256 << 10
READ_BYTES = 1 << 20
MAX_BYTES = 16 << 20
_SEND_BYTES = 64 << 10


class Outgoing:
    """Lines in, bytes out; `put` never blocks."""

    def __init__(self, *, max_bytes: int = MAX_BYTES) -> None:
        self._lines: deque[memoryview] = deque()
        self._max_bytes = max_bytes
        self._news = trio.Event()
        self._less = trio.Event()
        self.pending_bytes = 0
        self.is_broken = False
        self.is_closed = False

    def put(self, line: bytes) -> bool:
        """Add a line; False when the connection is over, or has to be, for want of a reader.

        A single line of any size is taken while little else waits.
        """
        if self.is_broken:
            return False
        if self.pending_bytes > self._max_bytes:
            self.break_off()
            return False
        self._lines.append(memoryview(line))
        self.pending_bytes += len(line)
        self._news.set()
        return True

    def break_off(self) -> None:
        """Drop all that waits and take no more; whoever waits for room goes on."""
        self.is_broken = True
        self._lines.clear()
        self.pending_bytes = 0
        self._news.set()
        self._tell_less()

    def close(self) -> None:
        """Say that nothing more will come: `send_all` returns once all is sent."""
        self.is_closed = True
        self._news.set()

    async def wait_below(self, mark_bytes: int) -> None:
        """Wait until fewer bytes than that wait to be sent."""
        while self.pending_bytes >= mark_bytes:
            await self._less.wait()

    async def send_all(self, connection: trio.socket.SocketType) -> None:
        """Send whatever comes, until closed and empty, broken off, or the peer is gone.

        May be cancelled and called again: every byte is sent once.
        """
        while not self.is_broken:
            if self._lines:
                await self._send_some(connection)
            elif self.is_closed:
                return
            else:
                self._news = trio.Event()
                await self._news.wait()

    async def _send_some(self, connection: trio.socket.SocketType) -> None:
        data = self._gather()
        try:
            sent = await connection.send(data)
        except OSError:  # EPIPE, ECONNRESET: nobody is there
            self.break_off()
            return
        if self.is_broken:
            return
        self.pending_bytes -= sent
        self._lines.popleft()
        if sent < len(data):
            self._lines.appendleft(data[sent:])
        self._tell_less()

    def _gather(self) -> memoryview:
        """Join the first small lines into one, and return it without taking it out."""
        parts = [self._lines.popleft()]
        size = len(parts[0])
        while self._lines and size + len(self._lines[0]) <= _SEND_BYTES:
            parts.append(self._lines.popleft())
            size += len(parts[-1])
        data = parts[0] if len(parts) == 1 else memoryview(b"".join(parts))
        self._lines.appendleft(data)
        return data

    def _tell_less(self) -> None:
        self._less.set()
        self._less = trio.Event()
