"""Looks whether what should have happened has: a task of its own, beside the ticker.

Each job has one entry in a heap: when something of it can have become late. It sleeps until
the earliest, half a minute at most, since it must not trust that the clock is not set. What
may have changed is looked at a slice at a time, so that many jobs hold up nobody.
"""

import heapq
import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime

import trio

from claw.errors import StoreError
from claw.kernel import clock
from claw.master.asyncstore import AsyncStore
from claw.master.decider import Decider
from claw.master.engine import duties
from claw.master.engine.duties import Finding
from claw.model.effect import DutyAt, Reschedule
from claw.model.job import Config

_LOG = logging.getLogger("claw.duties")
_SLICE = 100
_BREATH_S = 0.05
_LONGEST_S = 30.0
_STORE_PAUSE_S = 5.0


class Lookout:
    """See the module."""

    def __init__(
        self, config: Callable[[], Config], store: AsyncStore, decide: Decider
    ) -> None:
        self._config = config
        self._store = store
        self._decide = decide
        self._next: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []
        self._pending: deque[str] = deque()
        self._waiting: set[str] = set()  # what is in `_pending`
        self._rowless: dict[str, Finding] = {}
        self._told: bool | None = None  # of the ticker; None: not known yet
        self._wake = trio.Event()

    def expect(self, effect: Reschedule | DutyAt) -> None:
        """Take note of what a decision has changed."""
        if isinstance(effect, DutyAt):
            self._plan(effect.job, effect.at)
        elif effect.job:
            self._ask(effect.job)
        else:
            self._ask_all()
        self._wake.set()

    async def serve(self) -> None:
        """Look until cancelled."""
        self._ask_all()
        while True:
            self._wake = trio.Event()
            self._ask_due()
            try:
                await self._look_at_pending()
            except StoreError as error:
                _LOG.error("it cannot be looked what is overdue: %s", error)
                await trio.sleep(_STORE_PAUSE_S)
                continue
            with trio.move_on_after(self._pause_s()):
                await self._wake.wait()

    # -- what to look at, and when ----------------------------------------------------------

    def _ask(self, name: str) -> None:
        if name not in self._waiting:
            self._waiting.add(name)
            self._pending.append(name)

    def _ask_all(self) -> None:
        known = {job.name for job in self._config().jobs}
        for name in self._next.keys() - known:
            del self._next[name]
        self._rowless = {name: one for name, one in self._rowless.items() if name in known}
        for name in known:
            self._ask(name)

    def _ask_due(self) -> None:
        now = clock.now()
        while self._heap and self._heap[0][0] <= now:
            at, name = heapq.heappop(self._heap)
            if self._next.get(name) == at:
                del self._next[name]
                self._ask(name)

    def _plan(self, name: str, at: datetime | None) -> None:
        known = self._next.get(name)
        if at is not None and (known is None or at < known):
            self._next[name] = at
            heapq.heappush(self._heap, (at, name))

    def _pause_s(self) -> float:
        while self._heap and self._next.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        if not self._heap:
            return _LONGEST_S
        wait_s = (self._heap[0][0] - clock.now()).total_seconds()
        return min(max(wait_s, 0.0), _LONGEST_S)

    # -- looking -------------------------------------------------------------------------------

    async def _look_at_pending(self) -> None:
        while self._pending:
            names = [self._pending.popleft() for _ in range(min(_SLICE, len(self._pending)))]
            try:
                found = await self._look(names)
            except StoreError:
                self._pending.extendleft(names)
                raise
            self._waiting.difference_update(names)
            for one in found:
                self._take(one)
            if self._pending:
                await trio.sleep(_BREATH_S)
        await self._tell_ticker()

    async def _look(self, names: list[str]) -> list[Finding]:
        config = self._config()
        found = await self._store.read(lambda tx: duties.look(tx, config, names, clock.now()))
        news = [one.job for one in found if one.is_news]
        if news:
            await self._decide(lambda turn: duties.judge(turn, news))
        return found

    def _take(self, one: Finding) -> None:
        self._next.pop(one.job, None)
        self._plan(one.job, one.next_at)
        if one.rowless is None:
            self._rowless.pop(one.job, None)
        else:
            self._rowless[one.job] = one

    async def _tell_ticker(self) -> None:
        """Log and raise that the ticker is stuck, once, and when it is well again."""
        is_stuck = bool(self._rowless)
        if is_stuck is self._told:
            return
        rowless = list(self._rowless.values())
        if is_stuck:
            _LOG.error(
                "the ticker is stuck: slots of %d jobs have no row, the first that of %s, %s",
                len(rowless), rowless[0].job, rowless[0].rowless,
            )  # fmt: skip
        elif self._told:
            _LOG.warning("the ticker is well again: every slot has its row")
        await self._decide(lambda turn: duties.tell_ticker(turn, rowless))
        self._told = is_stuck
