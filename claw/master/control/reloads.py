"""Tells those who wait for it that another configuration is in force."""

import trio


class Reloads:
    """Counts them; who has seen the last one waits for the next, and misses none."""

    def __init__(self) -> None:
        self.count = 0
        self._next = trio.Event()

    def announce(self) -> None:
        """Wake all who wait."""
        self.count += 1
        self._next.set()
        self._next = trio.Event()

    async def after(self, seen: int) -> int:
        """Wait until there were more than so many, and return how many there were."""
        while self.count <= seen:
            await self._next.wait()
        return self.count
