"""What has happened, told to those who wait for it.

The database is the only truth: an event is a row, appended in the transaction of what it
tells. The bus only wakes people up. After each commit the store hands it the rows, it wakes
those whose interest they touch, and they read for themselves. So a subscriber gets rows from
one place by one cursor, old ones and live ones alike: no gap, no repeat, and nothing to buffer
for a slow one.
"""

import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeVar

import trio

from claw.model.event import Event

Answer = TypeVar("Answer")


class Interest:
    """One reader's wish to be woken; made before the reader looks, so nothing is missed."""

    def __init__(
        self, jobs: frozenset[str], runs: frozenset[str], on_wake: Callable[[], None] | None
    ) -> None:
        self._jobs = jobs
        self._runs = runs
        self._on_wake = on_wake
        self._woken = trio.Event()

    def wants(self, jobs: set[str | None], runs: set[str | None]) -> bool:
        """Tell whether any of these is wished for; an interest that names none wants all."""
        if not self._jobs and not self._runs:
            return True
        return not (self._jobs.isdisjoint(jobs) and self._runs.isdisjoint(runs))

    def wake(self) -> None:
        """Wake the reader, now or at its next `wait`."""
        self._woken.set()
        if self._on_wake is not None:
            self._on_wake()

    async def wait(self) -> None:
        """Wait until something of interest has happened since the last call."""
        await self._woken.wait()
        self._woken = trio.Event()


class EventBus:
    """Wakes those who wait for something to happen."""

    def __init__(self) -> None:
        self._interests: set[Interest] = set()

    def publish(self, events: Sequence[Event]) -> None:
        """Wake those whom some events concern; the events are committed."""
        jobs, runs = {event.job for event in events}, {event.run for event in events}
        for interest in tuple(self._interests):
            if interest.wants(jobs, runs):
                interest.wake()

    def publish_from_threads(self) -> Callable[[tuple[Event, ...]], None]:
        """Return what a store's thread may call in place of `publish`; call it in trio.

        Once trio's run is over such a call does nothing.
        """
        token = trio.lowlevel.current_trio_token()

        def publish(events: tuple[Event, ...]) -> None:
            if not self._interests:  # whoever comes now looks at what is committed
                return
            with contextlib.suppress(trio.RunFinishedError):
                token.run_sync_soon(self.publish, events)

        return publish

    @contextlib.contextmanager
    def interest(
        self,
        *,
        jobs: frozenset[str] = frozenset(),
        runs: frozenset[str] = frozenset(),
        on_wake: Callable[[], None] | None = None,
    ) -> Iterator[Interest]:
        """Yield an interest in events of these jobs or runs; of all, when none is named."""
        interest = Interest(jobs, runs, on_wake)
        self._interests.add(interest)
        try:
            yield interest
        finally:
            self._interests.discard(interest)

    async def wait_for(
        self,
        look: Callable[[], Awaitable[Answer | None]],
        *,
        jobs: frozenset[str] = frozenset(),
        runs: frozenset[str] = frozenset(),
    ) -> Answer:
        """Look again whenever something of interest happens, until there is an answer."""
        with self.interest(jobs=jobs, runs=runs) as interest:
            while (answer := await look()) is None:
                await interest.wait()
            return answer
