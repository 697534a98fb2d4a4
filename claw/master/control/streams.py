"""One subscription: notifications to a client that may stop reading at any time."""

from collections.abc import Mapping

import trio

from claw.master.control.outgoing import STREAM_BYTES, Outgoing
from claw.wire import control as wire


class LaggedError(Exception):
    """The client took nothing for too long: tell it where to resume, and end."""


class Stream:
    """Sends the notifications of one subscription.

    Nothing is buffered here: what does not fit is read again, from the database or the file,
    when there is room.
    """

    def __init__(self, subscription: int, outgoing: Outgoing, *, lag_s: float) -> None:
        self.subscription = subscription
        self._outgoing = outgoing
        self._lag_s = lag_s

    async def send(self, method: str, params: Mapping[str, object]) -> None:
        """Send one notification as soon as there is room for it.

        Raises:
            LaggedError: There was none for too long; nothing was sent.
        """
        with trio.move_on_after(self._lag_s) as patience:
            await self._outgoing.wait_below(STREAM_BYTES)
            await trio.lowlevel.checkpoint()
        if patience.cancelled_caught:
            raise LaggedError
        self.send_last(method, params)

    def send_last(self, method: str, params: Mapping[str, object]) -> None:
        """Send one notification, room or no room: the one that ends the stream."""
        body = {"subscription": self.subscription, **params}
        self._outgoing.put(wire.encode_notification(method, body))
