"""Listening sockets in the fork server's keeping: they outlive runs, supervisors and masters.

The master opens them and says when they are closed. While a job waits to be started again
nobody else may have a copy, and clients' connections wait in it.
"""

from claw.kernel.bare import os
from claw.supervisor.control import Peer
from claw.wire.supervision import Message


class Sockets:
    """Descriptors by name; see `claw.wire.supervision` for what is asked."""

    __slots__ = ("_fds",)

    def __init__(self) -> None:
        self._fds: dict[str, int] = {}

    @property
    def names(self) -> list[str]:
        """What is kept."""
        return [*self._fds]

    def do(self, peer: Peer, message: Message) -> Message | None:
        """Keep the one that came with a request, lend one, or close one."""
        operation, name = message["op"], message["name"]
        if operation == "lend":
            found = {name: self._fds[name]} if name in self._fds else {}
            peer.send({"id": message.get("id"), "names": [*found]}, (*found.values(),))
            return None
        new = peer.take([name]) if operation == "keep" else {}
        if name in self._fds:
            os.close(self._fds.pop(name))
        self._fds.update(new)
        return {}
