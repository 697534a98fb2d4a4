"""A server that takes what is posted to it, and answers as it is told."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Answer:
    """How to answer a post."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    until: threading.Event | None = None  # not before that


@dataclass(frozen=True, slots=True)
class Posted:
    """One post."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """Its body."""
        return json.loads(self.body)


class Sink:
    """The server; its port is its own from the first, and refuses until it is entered.

    Args:
        answer: Says how to answer the n-th post, from 0.
    """

    def __init__(self, answer: Callable[[int], Answer] = lambda _no: Answer()) -> None:
        self.posts: list[Posted] = []
        self._answer = answer
        self._lock = threading.Lock()
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sink._take(self)

            def log_message(self, *_words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self._server.server_bind()
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _take(self, request: BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", "0")))
        with self._lock:
            answer = self._answer(len(self.posts))
            self.posts.append(Posted(request.path, dict(request.headers), body))
        if answer.until is not None:
            answer.until.wait()
        request.send_response(answer.status)
        for name, value in answer.headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", str(len(answer.body)))
        request.end_headers()
        request.wfile.write(answer.body)

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.02)

    @property
    def keys(self) -> list[str]:
        """The idempotency keys of all posts, in their order."""
        return [post.headers["Idempotency-Key"] for post in self.posts]

    def __enter__(self) -> Self:
        self._server.server_activate()
        self._thread.start()
        return self

    def __exit__(self, *_how: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
