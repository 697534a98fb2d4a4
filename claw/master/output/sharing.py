"""One answer at a time that costs much, for all who have asked for it by then."""

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import trio

from claw.kernel import clock

T = TypeVar("T")


class Shared(Generic[T]):
    """Makes something for all who wait; what they get was begun after they had asked.

    It takes half of the time at most, however many ask however often.
    """

    def __init__(self) -> None:
        self._one = trio.Lock()
        self._begun = 0
        self._made: tuple[int, T] | None = None
        self._not_before = 0.0

    async def get(self, make: Callable[[], Awaitable[T]]) -> T:
        """Return what ``make`` returns, to this caller or to one that had asked as well."""
        seen = self._begun
        async with self._one:
            if self._made is not None and self._made[0] > seen:
                return self._made[1]
            await trio.sleep(max(self._not_before - clock.monotonic(), 0.0))
            self._begun += 1
            number, began = self._begun, clock.monotonic()
            try:
                made = await make()
            finally:
                ended = clock.monotonic()
                self._not_before = ended + (ended - began)
            self._made = (number, made)
            return made
