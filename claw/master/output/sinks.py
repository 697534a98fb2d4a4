"""Where output is forwarded to: the daemon's own standard output, and systemd's journal."""

import errno
import os
import select
import socket
import struct
from collections.abc import Sequence
from functools import partial

import trio

from claw.kernel import memory
from claw.kernel import socket as sockets
from claw.model.logline import LineOfOutput

JOURNAL = "/run/systemd/journal/socket"
RETRY_S = 2.0
"""Pause before a sink that does not take anything is tried again."""
LONGEST_DATAGRAM_BYTES = 128 << 10
"""A larger entry is handed over in memory, as the protocol has it."""
_INFO, _ERROR = 6, 3  # syslog(3): priorities that docker's and podman's drivers use, too


class SinkError(Exception):
    """A sink takes nothing now; what is to be written may be tried again."""


class Stdout:
    """A descriptor that several jobs write to, whole lines at a time."""

    name = "the daemon's standard output"

    def __init__(self, fd: int = 1) -> None:
        self._fd = fd
        self._turn = trio.Lock()

    async def write(
        self, lines: Sequence[LineOfOutput], *, timestamps: bool, as_json: bool
    ) -> None:
        """Write some lines.

        Raises:
            SinkError: Nobody reads any more, or the disk is full.
        """
        shaped = (line.shaped(timestamps=timestamps, as_json=as_json) for line in lines)
        data = "".join(f"{text}\n" for text in shaped).encode()
        async with self._turn:
            try:
                # A reader that takes nothing must not hold up the end of the daemon.
                await trio.to_thread.run_sync(
                    partial(_write_all, self._fd, data), abandon_on_cancel=True
                )
            except OSError as error:
                raise SinkError(str(error)) from None

    def close(self) -> None:
        """Nothing is open."""


def _write_all(fd: int, data: bytes) -> None:
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:  # somebody else's doing: it is shared with who started us
            select.select([], [fd], [])


class Journal:
    """The native protocol of systemd's journal: a datagram of fields for each line."""

    name = "the journal"

    def __init__(self, path: str = JOURNAL) -> None:
        self._path = path
        self._socket: trio.socket.SocketType | None = None
        self._turn = trio.Lock()

    async def write(
        self, lines: Sequence[LineOfOutput], *, timestamps: bool, as_json: bool
    ) -> None:
        """Send an entry for each line; one may be sent again after an error.

        Raises:
            SinkError: There is no journal, or it does not listen.
        """
        async with self._turn:
            for line in lines:
                shaped = line.shaped(timestamps=timestamps, as_json=as_json)
                try:
                    await self._send(entry_of(line, shaped))
                except OSError as error:
                    self.close()
                    raise SinkError(f"{self._path}: {os.strerror(error.errno or 0)}") from None

    async def _send(self, data: bytes) -> None:
        if self._socket is None:
            self._socket = await self._connected()
        if len(data) < LONGEST_DATAGRAM_BYTES:
            try:
                await self._socket.send(data)
            except OSError as error:
                if error.errno != errno.EMSGSIZE:
                    raise
            else:
                return
        fd = memory.sealed("claw-entry", data)
        try:
            await self._socket.sendmsg([], sockets.rights(fd))
        finally:
            os.close(fd)

    async def _connected(self) -> trio.socket.SocketType:
        made = trio.socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            await made.connect(self._path)
        except BaseException:
            made.close()
            raise
        return made

    def close(self) -> None:
        """Close the socket; writing opens it again."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def entry_of(line: LineOfOutput, text: str) -> bytes:
    """Return an entry as systemd.journal-fields(7) and its native protocol have it."""
    fields = {
        "MESSAGE": text,
        "PRIORITY": str(_ERROR if line.stream == "stderr" else _INFO),
        "SYSLOG_IDENTIFIER": line.job,
        "CLAW_JOB": line.job,
        "CLAW_RUN": line.run or "",
        "CLAW_STREAM": line.stream,
        "CLAW_TIME": line.at or "",
    }
    return b"".join(_field(name, value) for name, value in fields.items() if value)


def _field(name: str, value: str) -> bytes:
    data = value.encode()
    if b"\n" in data:
        return b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(data)), data)
    return b"%s=%s\n" % (name.encode(), data)
