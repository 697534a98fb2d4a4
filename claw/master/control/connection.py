"""One client's connection: lines in, answers and notifications out.

Requests are answered one at a time and in order, so that what is sent as "stop, start, status"
is done as that, and a client that floods costs the others one request at a time. Those that
only wait (``run.wait``) and streams run beside them, each in a task of its own. Those that come
one right after the other and only decide (``run.submit``) are answered together, in order too.

Nothing here waits for the client's reading but tasks of this very connection.
"""

import contextlib
import logging
import socket as sockets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

import trio

from claw import errors
from claw.master.control.limits import Limits
from claw.master.control.outgoing import READ_BYTES, Outgoing
from claw.master.control.peers import Peer
from claw.master.control.streams import Stream
from claw.store.database import Answer
from claw.wire import control as wire
from claw.wire.lines import LineSplitter

log = logging.getLogger("claw.control")

StreamTask = Callable[[Stream], Awaitable[None]]


class Answerer(Protocol):
    """What carries requests out; `claw.master.control.calls` has the one."""

    def is_patient(self, request: wire.Request) -> bool:
        """Tell whether a request only waits, so that others need not wait for it."""

    def is_change(self, request: wire.Request) -> bool:
        """Tell whether a request is to be carried out although nobody hears the answer."""

    def joins(self, request: wire.Request) -> bool:
        """Tell whether a request can be answered along with others of its kind."""

    async def answer(
        self, connection: "Connection", asked: Sequence[wire.Request]
    ) -> list[Answer[Any]]:
        """Return what has come of a request, or of the first of several that can be joined."""


class Connection:
    """See the module."""

    def __init__(
        self, socket: trio.socket.SocketType, peer: Peer, answerer: Answerer, limits: Limits
    ) -> None:
        self.peer = peer
        self.client = ""
        self.run: str | None = None  # of a child that has shown its token
        self.shown_token = ""  # the token_file whose token it has shown
        self.bridge: str | None = None  # the id of a token for events, of one who has shown it
        self.known = trio.Event()  # it has
        self.outgoing = Outgoing(max_bytes=limits.outgoing_bytes)
        self.active_at = trio.current_time()
        self._socket = socket
        self._answerer = answerer
        self._limits = limits
        self._lines = LineSplitter(limits.line_bytes)
        self._half_line_left_s = limits.half_line_s
        self._slots = trio.Semaphore(limits.in_flight)
        self._waiting: set[trio.CancelScope] = set()
        self._streams: dict[int, trio.CancelScope] = {}
        self._opened: list[tuple[Stream, StreamTask]] = []
        self._joined: list[wire.Request] = []  # to be answered together
        self._last_subscription = 0
        self._is_gone = False
        self._is_cut_off = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being done for this client."""
        is_asking = self._waiting or self._streams or self._joined
        return not (is_asking or self.outgoing.pending_bytes)

    def refuse(self, error: errors.ClawError) -> None:
        """Say why nothing that this client asks is answered, and end the connection."""
        self._put_error(None, error)
        self._is_cut_off = True

    async def serve(self, nursery: trio.Nursery) -> None:
        """Answer requests until the client says no more, or is cut off.

        Args:
            nursery: For waiting requests and streams, which go on after this returns.
        """
        while data := await self._receive():
            self.active_at = trio.current_time()
            for line in self._lines.feed(data):
                await self.outgoing.wait_below(READ_BYTES)
                await self._handle_line(line, nursery)
                # A line may take no wait at all to answer; others come first nevertheless.
                await trio.lowlevel.checkpoint()
                if self._is_cut_off:
                    return
            await self._answer_joined()

    def be_of(self, run: str) -> None:
        """Take note of the run whose token a child has shown."""
        self.run, self.bridge = run, None
        self.known.set()

    def be_bridge(self, token_id: str) -> None:
        """Take note of the token for events that somebody has shown."""
        self.run, self.bridge = None, token_id
        self.known.set()

    def on_gone(self) -> None:
        """Stop waiting and sending for a client that is gone.

        What it asked to be done is done all the same.
        """
        self._is_gone = True
        self.outgoing.break_off()
        for scope in (*self._waiting, *self._streams.values()):
            scope.cancel()

    def cut_off(self) -> None:
        """End the connection of a client that has to go; nothing more of it is read."""
        self._is_cut_off = True
        self.on_gone()
        with contextlib.suppress(OSError):
            self._socket.shutdown(sockets.SHUT_RDWR)

    def open_stream(self, task: StreamTask) -> int:
        """Begin a subscription once the present request is answered; return its number.

        Raises:
            SaturatedError: This connection has as many as it may have.
        """
        if len(self._streams) + len(self._opened) >= self._limits.in_flight:
            raise errors.SaturatedError(
                f"this connection has {self._limits.in_flight} streams already",
                hint="end one with event.unsubscribe, or open another connection",
            )
        self._last_subscription += 1
        stream = Stream(self._last_subscription, self.outgoing, lag_s=self._limits.lag_s)
        self._opened.append((stream, task))
        return stream.subscription

    def close_stream(self, subscription: int) -> None:
        """End a subscription.

        Raises:
            NotFoundError: There is none of that number, or it has ended.
        """
        scope = self._streams.pop(subscription, None)
        if scope is None:
            raise errors.NotFoundError(f"this connection has no subscription {subscription}")
        scope.cancel()

    async def _receive(self) -> bytes:
        """Return the next bytes; b'' at the end, also the end of patience with half a line.

        Only time spent waiting for the client counts, none spent on its requests.
        """
        if not self._lines.is_mid_line:
            self._half_line_left_s = self._limits.half_line_s
            return await self._receive_some()
        began = trio.current_time()
        with trio.move_on_after(self._half_line_left_s):
            data = await self._receive_some()
            self._half_line_left_s -= trio.current_time() - began
            if b"\n" in data:
                self._half_line_left_s = self._limits.half_line_s
            return data
        self._put_error(None, errors.ProtocolError("half a line is all that came: cut off"))
        return b""

    async def _receive_some(self) -> bytes:
        try:
            return await self._socket.recv(self._limits.read_bytes)
        except OSError:
            return b""

    async def _handle_line(self, line: bytes | None, nursery: trio.Nursery) -> None:
        if line is not None and not line.strip():
            return
        try:
            request = self._decode(line)
        except errors.InvalidRequestError as error:
            await self._answer_joined()
            self._put_error(error.request_id, error)
        except errors.ProtocolError as error:
            await self._answer_joined()
            self._put_error(None, error)
        else:
            if self._answerer.joins(request):
                self._joined.append(request)
            else:
                await self._answer_joined()
                await self._handle(request, nursery)
            if len(self._joined) >= self._limits.joined:
                await self._answer_joined()

    async def _handle(self, request: wire.Request, nursery: trio.Nursery) -> None:
        if self._is_gone and not self._answerer.is_change(request):
            return  # nobody is there to hear it
        if self._answerer.is_patient(request):
            await self._slots.acquire()
            nursery.start_soon(self._answer_patiently, request)
        else:
            await self._answer([request])
            self._start_streams(nursery)

    async def _answer_joined(self) -> None:
        while self._joined and not self._is_cut_off:
            count = await self._answer(self._joined)
            del self._joined[:count]

    def _decode(self, line: bytes | None) -> wire.Request:
        if line is None:
            limit = self._limits.line_bytes
            raise errors.ProtocolError(
                f"a line of more than {limit} bytes", hint="it was dropped, unread"
            )
        return wire.decode_request(line)

    async def _answer_patiently(self, request: wire.Request) -> None:
        """Answer a request that waits; a client that hangs up ends the waiting."""
        scope = trio.CancelScope()
        self._waiting.add(scope)
        try:
            with scope:
                if not self._is_gone:
                    await self._answer([request])
        finally:
            self._waiting.discard(scope)
            self._slots.release()

    async def _answer(self, asked: Sequence[wire.Request]) -> int:
        """Answer the first of some requests, and return how many that were."""
        answers = await self._answerer.answer(self, asked)
        for request, answer in zip(asked, answers, strict=False):
            if request.wants_reply:
                self._put(_line_of(request, answer))
        return len(answers)

    def _start_streams(self, nursery: trio.Nursery) -> None:
        opened, self._opened = self._opened, []
        for stream, task in opened:
            scope = trio.CancelScope()
            if self._is_gone:
                scope.cancel()  # it is run nevertheless, to clean up after itself
            self._streams[stream.subscription] = scope
            nursery.start_soon(self._run_stream, stream, task, scope)

    async def _run_stream(
        self, stream: Stream, task: StreamTask, scope: trio.CancelScope
    ) -> None:
        try:
            with scope:
                await task(stream)
        except Exception:  # one stream's mistake must not end the master
            log.exception("a stream of %s ended by mistake", self.peer.name)
            stream.send_last("end", {"reason": "internal error: see the master's log"})
        finally:
            self._streams.pop(stream.subscription, None)

    def _put_error(self, id_: int | str | None, error: errors.ClawError) -> None:
        self._put(wire.encode_error(id_, error))

    def _put(self, line: bytes) -> None:
        if not self.outgoing.put(line) and not self._is_gone:
            log.warning("%s (pid %d) does not read: cut off", self.peer.name, self.peer.pid)
            self.cut_off()


def _line_of(request: wire.Request, answer: Answer[Any]) -> bytes:
    try:
        return wire.encode_result(request.id, answer.unwrap())
    except errors.ClawError as error:
        return wire.encode_error(request.id, error)
