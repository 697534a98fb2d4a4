"""Names of hosts, resolved by threads of their own: a dead name server keeps no one waiting.

trio's own threads serve the rest of the master, and there are only so many of them.
"""

import socket
from collections.abc import Callable
from functools import partial
from typing import Any

import trio

_MOST = 8


class Resolver(trio.abc.HostnameResolver):
    """Asks the system, a few names at a time; who gives up leaves the thread behind."""

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(_MOST)

    async def getaddrinfo(self, *args: Any, **kwargs: Any) -> Any:
        """Return what a name means; see `socket.getaddrinfo`."""
        return await self._ask(partial(socket.getaddrinfo, *args, **kwargs))

    async def getnameinfo(self, *args: Any, **kwargs: Any) -> Any:
        """Return the name of an address; see `socket.getnameinfo`."""
        return await self._ask(partial(socket.getnameinfo, *args, **kwargs))

    async def _ask(self, question: Callable[[], object]) -> object:
        return await trio.to_thread.run_sync(
            question, abandon_on_cancel=True, limiter=self._limiter
        )
