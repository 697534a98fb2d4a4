"""Lines of JSON over a Unix socket, with answers found by id.

What fork server and supervisors have in common from the master's side.
"""

import os
from collections.abc import Callable

import trio

from claw.errors import ClawError
from claw.kernel import channel
from claw.master.supervision import keeping
from claw.wire import supervision
from claw.wire.lines import LineSplitter
from claw.wire.supervision import Message

_CHUNK = 1 << 16
_AT_ONCE_BYTES = 1 << 15
"""A socket with room takes so much whole, or nothing: unix(7) sends it as one piece."""


class LostError(ClawError):
    """The other end has gone, or did not answer."""

    code = "lost"


class LineLink:
    """One connection: `call` waits for the answer, notices go to ``on_notice``.

    Answers come in while somebody calls `take_in` whenever there is something to read: `serve`
    does so for one link, and `Hearing` for many.
    """

    def __init__(
        self,
        connection: channel.Socket,
        on_notice: Callable[[Message], None],
        on_closed: Callable[[], None] = lambda: None,
    ) -> None:
        """Take a connection that is the link's from now on.

        Args:
            connection: Made non-blocking.
            on_notice: Called with what comes unasked; it is quick.
            on_closed: Called once, when the link has been closed by either end.
        """
        connection.setblocking(False)
        self._socket = connection
        self._on_notice = on_notice
        self._on_closed = on_closed
        self._lines = LineSplitter(supervision.LINE_LIMIT)
        self._descriptors: list[int] = []  # that have come, and whose message has not
        self._waiting: dict[int, tuple[trio.Event, list[Message]]] = {}
        self._sending = trio.Lock()
        self._count = 0
        self.is_closed = False
        self.failure: Exception | None = None  # a mistake of ours, by which it was closed

    def fileno(self) -> int:
        """Return the connection's descriptor; below zero: it is closed."""
        return self._socket.fileno()

    async def serve(self) -> None:
        """Take in what comes, until the other end has gone; then every call fails."""
        try:
            while not self.is_closed:
                await trio.lowlevel.wait_readable(self._socket)
                self.take_in()
        except trio.ClosedResourceError:
            return
        finally:
            self.close()

    def take_in(self) -> None:
        """Take in what has come; the link is closed if the other end has gone."""
        try:
            data, fds = channel.receive(self._socket, _CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data, fds = b"", []
        self._descriptors += fds
        for line in self._lines.feed(data):
            message = supervision.decode(line or b"")
            if message is not None:
                self._take(message)
        if not data:
            self.close()

    def _take(self, message: Message) -> None:
        if "names" in message:
            message["kept"] = self._take_descriptors(message["names"])
        waiting = self._waiting.pop(message.get("id", -1), None)
        if waiting is not None:
            waiting[1].append(message)
            waiting[0].set()
        elif "ev" in message:
            self._on_notice(message)
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

    def tell_at_once(self, **message: object) -> bool:
        """Send a message that has no answer, unless that takes waiting; tell whether it went.

        Raises:
            LostError: The other end has gone.
        """
        data = supervision.encode(message)
        if len(data) > _AT_ONCE_BYTES or self._sending.locked():
            return False
        sent = self._send_some(data, ())
        if 0 < sent < len(data):
            self.close()  # what it has of the message is no line
            raise LostError("the connection took half a message")
        return sent > 0

    async def _send(self, data: bytes, fds: tuple[int, ...]) -> None:
        whole = len(data)
        async with self._sending:
            while (sent := self._send_some(data, fds)) < len(data):
                data, fds = data[sent:], () if sent else fds
                try:
                    await trio.lowlevel.wait_writable(self._socket)
                except trio.ClosedResourceError as error:
                    raise LostError("the connection was closed") from error
                except trio.Cancelled:
                    if len(data) < whole:  # what follows would be taken for the rest of it
                        self.close()
                    raise

    def _send_some(self, data: bytes, fds: tuple[int, ...]) -> int:
        """Send what there is room for, and return how much that was."""
        if self.is_closed:
            raise LostError("the connection is closed")
        try:
            return channel.send(self._socket, data, fds)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise LostError(f"the connection was lost: {error}") from error

    def close(self) -> None:
        """Close the connection; calls that wait fail."""
        if self.is_closed:
            return
        self.is_closed = True
        self._on_closed()
        trio.lowlevel.notify_closing(self._socket)
        self._socket.close()
        for fd in self._descriptors:
            os.close(fd)
        self._descriptors.clear()
        for event, _answers in self._waiting.values():
            event.set()
