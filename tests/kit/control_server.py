"""A small server that speaks the control protocol on a real socket, as a test scripts it."""

import contextlib
import os
import queue
import socket as sockets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from claw import errors
from claw.kernel import socket
from claw.wire import control
from claw.wire.control import Request
from claw.wire.lines import LineSplitter

PATIENCE_S = 20.0


class Session:
    """One connection, as the server sees it."""

    def __init__(self, connection: sockets.socket) -> None:
        self._connection = connection

    def send(self, *lines: bytes) -> None:
        """Send some bytes; a client that has gone is no matter."""
        with contextlib.suppress(OSError):
            self._connection.sendall(b"".join(lines))

    def reply(self, request: Request, result: object) -> None:
        """Answer a request."""
        self.send(control.encode_result(request.id, result))

    def hang_up(self) -> None:
        """End the connection."""
        with contextlib.suppress(OSError):
            self._connection.shutdown(sockets.SHUT_RDWR)


Answer = Callable[[Request, Session], None]


class ControlServer:
    """Listens at a path and hands each request to a function; as a context manager.

    Attributes:
        requests: All that came, in order.
    """

    def __init__(self, path: Path, answer: Answer) -> None:
        self.path = path
        self.requests: list[Request] = []
        self.arrived: queue.Queue[Request] = queue.Queue()
        self._answer = answer
        self._sessions: list[Session] = []
        self._server = socket.listen_unix(os.fspath(path))
        self._server.setblocking(True)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop listening and end every connection, as a master that is killed does."""
        with contextlib.suppress(OSError):
            self._server.shutdown(sockets.SHUT_RDWR)
        self._thread.join(PATIENCE_S)
        self._server.close()
        for session in self._sessions:
            session.hang_up()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def _accept(self) -> None:
        while True:
            try:
                connection, _address = self._server.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._sessions.append(Session(connection))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: sockets.socket) -> None:
        session, lines = Session(connection), LineSplitter()
        with connection, contextlib.suppress(ConnectionResetError):
            while data := connection.recv(65536):
                for line in lines.feed(data):
                    assert line is not None
                    request = control.decode_request(line)
                    self.requests.append(request)
                    self.arrived.put(request)
                    self._answer(request, session)


def answering(results: dict[str, Any]) -> Answer:
    """Return an answer function from results by method; an exception is sent as an error."""

    def answer(request: Request, session: Session) -> None:
        result = results[request.method]
        if callable(result):
            result = result(request.params)
        if isinstance(result, Exception):
            assert isinstance(result, errors.ClawError)
            session.send(control.encode_error(request.id, result))
        else:
            session.reply(request, result)

    return answer
