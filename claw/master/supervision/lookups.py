"""Questions to the host's databases of users and groups, which may take long to answer.

nsswitch.conf(5): they may be on the network. So each is asked on a thread, for a bounded time,
and its answer is kept for a while; where no other comes, an old one serves.
"""

import errno
import math
from collections.abc import Callable
from functools import partial
from typing import Generic, TypeVar

import trio

from claw.kernel import clock

T = TypeVar("T")

KEPT_S = 60.0
_PATIENCE_S = 10.0
_MOST = 1000
"""Answers that are kept; who was asked for longest ago is forgotten first."""
_AT_ONCE = 8
"""Questions under way; threads of those that nobody waits for any more are among them."""


class LookUps(Generic[T]):
    """Answers to one question, by what it is asked about: a user and a group."""

    def __init__(self, find: Callable[[str, str], T]) -> None:
        """Know nothing yet.

        Args:
            find: Answers; called on a thread.
        """
        self._find = find
        self._known: dict[tuple[str, str], tuple[T, float]] = {}
        self._threads = trio.CapacityLimiter(_AT_ONCE)

    async def of(self, user: str, group: str) -> T:
        """Return what is found of a user and a group.

        Raises:
            OSError: No answer comes in time; or as ``find`` has it.
            LookupError: As ``find`` has it.
        """
        known, until = self._known.get((user, group), (None, -math.inf))
        if known is not None and clock.monotonic() < until:
            return known
        with trio.move_on_after(_PATIENCE_S):
            found = await self._ask(user, group)
            self._known.pop((user, group), None)
            self._known[user, group] = found, clock.monotonic() + KEPT_S
            if len(self._known) > _MOST:
                del self._known[next(iter(self._known))]
            return found
        if known is not None:
            return known
        raise OSError(errno.ETIMEDOUT, f"what is asked about {user or group!r} is not answered")

    async def _ask(self, user: str, group: str) -> T:
        find = partial(self._find, user, group)
        try:
            return await trio.to_thread.run_sync(
                find, abandon_on_cancel=True, limiter=self._threads
            )
        except RuntimeError as error:
            raise OSError(errno.EAGAIN, str(error)) from error  # no room for a thread
