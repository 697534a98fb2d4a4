"""A client of one home's master: calls, waits and streams.

What happens when the connection is lost while an answer is awaited:

- A method that changes something carries a ``request_id`` (made here when the caller
  gives none). The call is repeated once, with the same id, as soon as a master answers
  again, for which up to `RECONNECT_S` is waited: so it has one effect, whether or not the
  first one was committed.
- Any other call raises `LostConnectionError`, which is an `UnreachableError`.
- `Client.wait`, which may take long, asks again whenever a master is back.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time

from claw.client.connection import PATIENCE_S, Connection, LostConnectionError
from claw.client.stream import Stream
from claw.commands.method import ADMIN, OPERATOR
from claw.commands.methods import METHODS
from claw.errors import ClawError, TimedOutError, UnreachableError
from claw.kernel import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Self

    from claw.model.home import Home

RECONNECT_S = 10.0
"""How long a master that has gone in the midst of a call is waited for."""

_POLL_S = 0.05
_FAR_POLL_S = 1.0


class Client:
    """Talks to the master of a home; connects at the first call, and again when it must.

    Args:
        home: It.
        may_ask: As `Connection` has it.
    """

    __slots__ = ("_connection", "_may_ask", "_path", "_token")

    def __init__(self, home: Home, *, may_ask: bool = True) -> None:
        self._may_ask = may_ask
        self._path = home.control_socket
        self._token = ""
        self._connection: Connection | None = None

    @classmethod
    def connect(cls, home: Home) -> Self:
        """Return a client that is connected.

        Raises:
            UnreachableError: No master answers.
            DeniedError: Its socket is not for the caller, or it is a stranger's.
        """
        client = cls(home)
        client._connected()
        return client

    @classmethod
    def of_run(cls, home: Home, environ: Mapping[str, str]) -> Self:
        """Return a client that speaks for the run whose child this process is.

        Args:
            home: Of that run's claw.
            environ: Of this process: ``CLAW_SOCKET`` says where, ``CLAW_TOKEN`` for which run.
        """
        client = cls(home)
        client._path, client._token = environ["CLAW_SOCKET"], environ["CLAW_TOKEN"]
        return client

    @classmethod
    def of_peer(cls, home: Home, uid: int) -> Self:
        """Return a client for what is open to users by name, be they nobody else there.

        Args:
            home: Of the master.
            uid: Who calls: root, the owner and operators are heard at the control socket.
        """
        client = cls(home)
        with contextlib.suppress(OSError):
            is_owner = uid in {0, os.stat(home.run).st_uid}  # noqa: PTH116
            if not (is_owner or client._may_operate()):
                client._path = home.job_socket
        return client

    def _may_operate(self) -> bool:
        """Tell whether the caller, who is neither root nor the owner, has a role that decides.

        Raises:
            OSError: There is no socket.
        """
        if not os.stat(self._path).st_mode & stat.S_IRWXO:  # noqa: PTH116
            return False
        try:
            with Connection(self._path) as connection:
                role: str = connection.ask("hello", {})["role"]
        except ClawError:
            return False
        return role in {OPERATOR, ADMIN}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; a later call makes another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def call(
        self, method: str, /, *, patience_s: float | None = PATIENCE_S, **params: Any
    ) -> Any:
        """Call a method and return its result.

        Args:
            method: Such as ``job.status``.
            patience_s: How long the answer may take; None: for ever.
            **params: Its parameters; ``None`` leaves one out.

        Raises:
            ClawError: What the master answered.
            LostConnectionError: It went away before it answered.
            UnreachableError: No master answers, or not in time.
            DeniedError: See `connect`.
        """
        given = {name: value for name, value in params.items() if value is not None}
        known = METHODS.get(method)
        is_repeatable = known is not None and known.is_repeatable
        if is_repeatable:
            given.setdefault("request_id", os.urandom(16).hex())
        try:
            return self._ask(method, given, patience_s)
        except LostConnectionError as lost:
            if not is_repeatable:
                raise
            self._reconnect(lost)
            return self._ask(method, given, patience_s)

    def wait(self, target: str, milestone: str, timeout_s: float | None = None) -> Any:
        """Wait until a job or run is so far, however often the master is restarted.

        Args:
            target: A job or run.
            milestone: ``ready``, ``running``, ``stopped`` or ``ended``.
            timeout_s: How long at most; None: for ever.

        Returns:
            What ``run.wait`` answers.

        Raises:
            TimedOutError: It did not happen in time.
            UnreachableError: The master has gone and does not come back.
        """
        deadline = None if timeout_s is None else clock.monotonic() + timeout_s
        while True:
            # In milliseconds, because people are told: "not so far after 0.1 s".
            left_s = None if deadline is None else max(0.0, deadline - clock.monotonic())
            left_s = None if left_s is None else round(left_s, 3)
            asked = {"target": target, "for": milestone, "timeout_s": left_s}
            patience_s = None if left_s is None else left_s + PATIENCE_S
            try:
                return self.call("run.wait", patience_s=patience_s, **asked)
            except LostConnectionError as lost:
                if left_s == 0.0:
                    raise TimedOutError(f"{target} is not {milestone} in time") from None
                self._reconnect(lost)

    def stream(self, method: str, /, **params: Any) -> Stream:
        """Subscribe on a connection of the stream's own; close it when done.

        Raises:
            ClawError: As `call` does.
        """
        stream = Stream(Connection(self._path))
        try:
            stream.subscribe(method, **params)
        except BaseException:
            stream.close()
            raise
        return stream

    def _ask(self, method: str, params: dict[str, Any], patience_s: float | None) -> Any:
        try:
            return self._connected().ask(method, params, patience_s)
        except (UnreachableError, KeyboardInterrupt):
            self.close()  # a late answer must not be taken for the next one
            raise

    def _connected(self) -> Connection:
        if self._connection is None:
            # A run's child has no other way: it waits for a master that is being restarted.
            patience_s = RECONNECT_S if self._token else 0.0
            self._connection = self._introduced(self._awaited(patience_s))
        return self._connection

    def _awaited(self, patience_s: float) -> Connection:
        return await_master(self._path, patience_s, may_ask=self._may_ask)

    def _introduced(self, connection: Connection) -> Connection:
        if self._token:
            connection.ask("hello", {"token": self._token})
        return connection

    def _reconnect(self, lost: LostConnectionError) -> None:
        """Wait until a master answers again; raise ``lost`` when none does."""
        self.close()
        try:
            self._connection = self._introduced(self._awaited(RECONNECT_S))
        except UnreachableError:
            raise LostConnectionError(
                f"{lost.message}, and none has come in its place",
                hint="what was asked for may have happened: look after `clawctl daemon start`",
            ) from None


def await_master(path: str, patience_s: float, *, may_ask: bool = True) -> Connection:
    """Return a connection as soon as a master accepts one.

    Raises:
        UnreachableError: None did in time.
        DeniedError: One did, and it is not to be talked to.
    """
    deadline = clock.monotonic() + patience_s
    while True:
        try:
            return Connection(path, may_ask=may_ask)
        except UnreachableError:
            if clock.monotonic() >= deadline:
                raise
        time.sleep(_FAR_POLL_S if path.startswith("ssh://") else _POLL_S)
