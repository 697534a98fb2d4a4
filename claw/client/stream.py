"""What subscriptions send, one after the other."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Self

    from claw.client.connection import Connection
    from claw.wire.control import Notification, Reply


class Stream:
    """A connection with one or more subscriptions; iterate over what they send.

    Attributes:
        pid: The master at the other end.
        reply: What the last subscription was answered.
    """

    __slots__ = ("_connection", "pid", "reply")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.pid = connection.pid
        self.reply: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Notification | Reply]:
        """Yield what comes as it comes, until the connection is lost.

        Raises:
            ClawError: What the master answered to a call that was begun.
            LostConnectionError: The master has gone, or let this client go.
        """
        while True:
            told = self._connection.next_message()
            if told is not None:
                yield told

    def fileno(self) -> int:
        """Return the socket's descriptor, for select(2)."""
        return self._connection.fileno()

    def close(self) -> None:
        """End all subscriptions."""
        self._connection.close()

    def subscribe(self, method: str, /, **params: Any) -> dict[str, Any]:
        """Add a subscription, or call anything else on this connection.

        Raises:
            ClawError: What the master answered.
        """
        given = {name: value for name, value in params.items() if value is not None}
        self.reply = self._connection.ask(method, given)
        return self.reply

    def begin(self, method: str, /, **params: Any) -> None:
        """Call a method whose answer is to come among what the subscriptions send."""
        given = {name: value for name, value in params.items() if value is not None}
        self._connection.begin(method, given)

    def next(self, patience_s: float) -> Notification | Reply | None:
        """Return what comes next; None when nothing does in time.

        Raises:
            ClawError: What the master answered to a call that was begun.
            LostConnectionError: The master has gone, or let this client go.
        """
        return self._connection.next_message(patience_s)
