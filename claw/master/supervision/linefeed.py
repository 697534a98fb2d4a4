"""Lines of JSON over a trio socket, with answers found by id.

What fork server and supervisors have in common from the master's side.
"""

import os
import socket as sockets
from collections.abc import Awaitable, Callable

import trio

from claw.errors import ClawError
from claw.kernel import socket
from claw.master.supervision import keeping
from claw.wire import supervision
from claw.wire.lines import LineSplitter
from claw.wire.supervision import Message

_CHUNK = 1 << 16


class LostError(ClawError):
    """The other end has gone, or did not answer."""

    code = "lost"


class LineLink:
    """One connection: `call` waits for the answer, notices go to ``on_notice``.

    `serve` must be running for answers to come in; it returns when the other end goes.
    """

    def __init__(
        self,
        connection: sockets.socket,
        on_notice: Callable[[Message], Awaitable[None]],
    ) -> None:
        self._socket = trio.socket.from_stdlib_socket(connection)
        self._on_notice = on_notice
        self._descriptors: list[int] = []  # that have come, and whose message has not
        self._waiting: dict[int, tuple[trio.Event, list[Message]]] = {}
        self._sending = trio.Lock()
        self._count = 0
        self._closed = False

    async def serve(self) -> None:
        """Take in what comes, until the other end has gone; then every call fails."""
        lines = LineSplitter(supervision.LINE_LIMIT)
        try:
            while data := await self._receive():
                for line in lines.feed(data):
                    message = supervision.decode(line or b"")
                    if message is not None:
                        await self._take(message)
        finally:
            self.close()

    async def _receive(self) -> bytes:
        try:
            data, ancillary, flags, _address = await self._socket.recvmsg(
                _CHUNK, socket.RIGHTS_BYTES, socket.CLOSE_ON_EXEC
            )
        except (OSError, trio.ClosedResourceError):
            return b""
        self._descriptors += socket.descriptors_in(ancillary, flags)
        return data

    async def _take(self, message: Message) -> None:
        if "names" in message:
            message["kept"] = self._take_descriptors(message["names"])
        waiting = self._waiting.pop(message.get("id", -1), None)
        if waiting is not None:
            waiting[1].append(message)
            waiting[0].set()
        elif "ev" in message:
            await self._on_notice(message)
        else:
            keeping.close(message.get("kept", {}))

    def _take_descriptors(self, names: list[str]) -> dict[str, int]:
        """Return what came with an answer by name; {} when it is not what it says."""
        fds, self._descriptors = self._descriptors, []
        if len(fds) == len(set(names)):
            return dict(zip(names, fds, strict=True))
        for fd in fds:
            os.close(fd)
        return {}

    async def call(self, *fds: int, **message: object) -> Message:
        """Send a request, with descriptors if any, and return its answer.

        Descriptors that come with the answer are its ``kept``, by name; the caller's to close.

        Raises:
            LostError: The other end went before it answered; it may have acted or not.
        """
        self._count += 1
        number = self._count
        event, answers = trio.Event(), list[Message]()
        self._waiting[number] = (event, answers)
        try:
            await self._send(supervision.encode({"id": number, **message}), fds)
            await event.wait()
        except BaseException:
            for answer in answers:
                keeping.close(answer.get("kept", {}))
            raise
        finally:
            self._waiting.pop(number, None)
        if not answers:
            raise LostError("the connection was lost before an answer came")
        return answers[0]

    async def tell(self, **message: object) -> None:
        """Send a message that has no answer.

        Raises:
            LostError: The other end has gone.
        """
        await self._send(supervision.encode(message), ())

    async def _send(self, data: bytes, fds: tuple[int, ...]) -> None:
        async with self._sending:
            if self._closed:
                raise LostError("the connection is closed")
            try:
                sent = await self._socket.sendmsg([data], socket.rights(*fds) if fds else [])
                while sent < len(data):
                    sent += await self._socket.send(data[sent:])
            except (OSError, trio.ClosedResourceError) as error:
                raise LostError(f"the connection was lost: {error}") from error

    def close(self) -> None:
        """Close the connection; calls that wait fail."""
        if not self._closed:
            self._closed = True
            self._socket.close()
            for fd in self._descriptors:
                os.close(fd)
            self._descriptors.clear()
        for event, _answers in self._waiting.values():
            event.set()
