"""One connection to a master: connect, ask, receive.

Nothing is repeated here; `claw.client.client` does that. ``clawctl status`` uses this
module alone, so it stays as light as a socket and JSON allow.
"""

from __future__ import annotations

import importlib
import os
from collections import deque

from claw.errors import ClawError, DeniedError, ProtocolError, UnreachableError, UsageError
from claw.kernel import channel, files, peer, ticks
from claw.model.home import TOKEN_FILE
from claw.wire import control
from claw.wire.lines import LineSplitter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from claw.client.remote import Tunnel

PATIENCE_S = 30.0
"""How long an answer may take, other than to a call that waits for something."""

START_HINT = "start it with `clawctl daemon start`, or `clawd` in the foreground"
UP_HINT = "start it with `clawctl up`"
_READ_BYTES = 1 << 18
_REMOTE, _CONTROL = "ssh://", "/control.sock"


class LostConnectionError(UnreachableError):
    """The connection ended while an answer was awaited: what was asked may have happened."""


class Connection:
    """A connection to a master that is root's or the caller's own.

    Use it as a context manager, or call `close`. After an error other than one that the
    master itself answered, it is of no use any more.

    Args:
        path: The control socket, or the address of another host's (`claw.client.remote`).
        patience_s: How long it may take until it is there.
        may_ask: Whether who types may be asked for what lets them in to another host: not
            while something else has the terminal.
    """

    __slots__ = (
        "_kept", "_lines", "_next_id", "_path", "_ready", "_socket", "_tunnel", "pid",
    )  # fmt: skip

    def __init__(
        self, path: str, *, patience_s: float = PATIENCE_S, may_ask: bool = True
    ) -> None:
        self._path = path
        self._tunnel: Tunnel | None = None
        if path.startswith(_REMOTE):
            self._tunnel = importlib.import_module("claw.client.remote").Tunnel(
                path, may_ask=may_ask
            )
            self._socket, self.pid = self._tunnel.socket, 0
        else:
            self._socket, self.pid = _open(path, patience_s)
        self._lines = LineSplitter(control.MAX_REPLY_BYTES)
        self._ready: deque[bytes] = deque()
        self._kept: deque[control.Notification | control.Reply] = deque()
        self._next_id = 0
        try:
            self._greet(patience_s)
        except BaseException:
            self._socket.close()
            if self._tunnel is not None:
                self._tunnel.give_up()
            raise

    def _greet(self, patience_s: float) -> None:
        """Say hello where that is needed: to another host's master, or to show a token."""
        token_file = os.environ.get(TOKEN_FILE, "")
        shows = bool(token_file) and self._path.endswith(_CONTROL)
        if self._tunnel is None and not shows:
            return
        hello: dict[str, Any] = {"protocol": [1, control.PROTOCOL_VERSION]}
        if shows:
            hello["token"] = _token_in(token_file)
        try:
            self.pid = self.ask("hello", hello, patience_s)["pid"]
        except LostConnectionError:
            if self._tunnel is None:
                raise
            raise self._tunnel.failure() from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def fileno(self) -> int:
        """Return the socket's descriptor, for select(2)."""
        return self._socket.fileno()

    def close(self) -> None:
        """End the connection, and with it all its streams."""
        self._socket.close()
        if self._tunnel is not None:
            self._tunnel.close()
            self._tunnel = None

    def ask(
        self, method: str, params: dict[str, Any], patience_s: float | None = PATIENCE_S
    ) -> Any:
        """Call a method and return its result; what comes before it is kept for later.

        Args:
            method: Its name.
            params: Its parameters.
            patience_s: How long the answer may take; None: for ever.

        Raises:
            ClawError: What the master answered, as the class it raised.
            LostConnectionError: The connection ended before the answer came.
            UnreachableError: No answer in time.
        """
        id_ = self.begin(method, params)
        deadline = None if patience_s is None else ticks.monotonic() + patience_s
        while True:
            message = self._receive(deadline, method)
            if isinstance(message, control.Notification):
                self._kept.append(message)
            elif message.error is not None and message.id in (id_, None):
                raise self._named(message.error)
            elif message.id == id_:
                return message.result
            else:
                self._kept.append(message)

    def begin(self, method: str, params: dict[str, Any]) -> int:
        """Call a method without waiting; its answer comes as `next_message`.

        Returns:
            The id that the answer has.
        """
        self._next_id += 1
        self._send(control.encode_request(self._next_id, method, params))
        return self._next_id

    def next_message(
        self, patience_s: float | None = None
    ) -> control.Notification | control.Reply | None:
        """Return what comes next; None when nothing comes in time.

        Raises:
            ClawError: What the master answered to a call that was begun.
            LostConnectionError: The connection ended.
        """
        if self._kept:
            return self._opened(self._kept.popleft())
        deadline = None if patience_s is None else ticks.monotonic() + patience_s
        try:
            return self._opened(self._receive(deadline, ""))
        except _NothingYetError:
            return None

    def _opened(
        self, message: control.Notification | control.Reply
    ) -> control.Notification | control.Reply:
        if isinstance(message, control.Reply) and message.error is not None:
            raise self._named(message.error)
        return message

    def _named(self, error: ClawError) -> ClawError:
        """Return an error with the host of which it tells, if that is another one."""
        if self._tunnel is not None:
            error.message = f"{self._tunnel.host}: {error.message}"
        return error

    @property
    def _daemon(self) -> str:
        at = f" of {self._tunnel.host}" if self._tunnel is not None else ""
        return f"the daemon{at} (pid {self.pid})"

    def _send(self, line: bytes) -> None:
        self._socket.settimeout(PATIENCE_S)
        try:
            self._socket.sendall(line)
        except TimeoutError:
            raise self._silent("take the request") from None
        except (BrokenPipeError, ConnectionResetError):
            pass  # the master may have said why before it hung up: read on

    def _receive(
        self, deadline: float | None, method: str
    ) -> control.Reply | control.Notification:
        """Return the next message.

        Args:
            deadline: Monotonic time until which it is awaited; None: for ever.
            method: What was asked; '' when nothing was.
        """
        while not self._ready:
            for line in self._lines.feed(self._read(deadline, method)):
                if line is None:
                    raise ProtocolError("the daemon sent a line that is too long")
                self._ready.append(line)
        return control.decode_from_master(self._ready.popleft())

    def _read(self, deadline: float | None, method: str) -> bytes:
        left_s = None if deadline is None else deadline - ticks.monotonic()
        try:
            # A timeout of 0 would mean not to block, and raise another error.
            self._socket.settimeout(None if left_s is None else max(left_s, 0.001))
            data = self._socket.recv(_READ_BYTES)
        except TimeoutError:
            if not method:
                raise _NothingYetError from None
            raise self._silent(f"answer {method}") from None
        except ConnectionResetError:
            data = b""
        if not data:
            raise self._lost(method)
        return data

    def _lost(self, method: str) -> LostConnectionError:
        during = f" while it was asked for {method}" if method else ""
        return LostConnectionError(
            f"{self._daemon} hung up{during}: it has ended or was killed",
            hint="`clawctl daemon status` tells whether it is back",
        )

    def _silent(self, what: str) -> UnreachableError:
        return UnreachableError(
            f"{self._daemon} did not {what} in time",
            hint="is it stopped or overloaded? see `clawctl daemon logs`",
        )


class _NothingYetError(Exception):
    """No message came in time, and none was due."""


def open_socket(path: str) -> channel.Socket:
    """Return a blocking connection to a master that is root's or the caller's own.

    Raises:
        UnreachableError: None answers.
        DeniedError: It is not for the caller, or a stranger's.
    """
    return _open(path, PATIENCE_S)[0]


def _open(path: str, patience_s: float) -> tuple[channel.Socket, int]:
    """Connect, and return the socket with the master's pid."""
    try:
        connected = channel.connect(path, patience_s=patience_s)
    except FileNotFoundError:
        raise UnreachableError(
            f"the daemon is not running: there is no {path}", hint=_start_hint(path)
        ) from None
    except ConnectionRefusedError:
        raise UnreachableError(
            f"the daemon is not running: nobody listens at {path}", hint=_start_hint(path)
        ) from None
    except PermissionError:
        raise DeniedError(
            f"you may not talk to the daemon at {path}",
            hint="ask as the user it runs as, or as root",
        ) from None
    except OSError as error:
        raise UnreachableError(
            f"the daemon cannot be reached at {path}: {error.strerror or error}",
            hint="`clawctl config paths` shows which home is meant",
        ) from None
    return connected, _trusted(connected, path)


def _token_in(path: str) -> str:
    try:
        return files.read_all(path).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"the token cannot be read: {path}: {why}") from None


def _start_hint(path: str) -> str:
    return UP_HINT if path.endswith("/.claw/run/control.sock") else START_HINT


def _trusted(connected: channel.Socket, path: str) -> int:
    """Return the master's pid if it is root's or the caller's own; hang up otherwise."""
    pid, uid, _gid = peer.credentials(connected)
    if uid not in (0, os.geteuid()):
        connected.close()
        raise DeniedError(
            f"the daemon at {path} belongs to user {uid}, neither to you nor to root",
            hint="a stranger's daemon is not trusted: run clawctl as that user",
        )
    return pid
