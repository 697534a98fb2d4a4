"""Calls the outside dead-man's switches of jobs; holds up nothing and nobody.

What is to be called is stored with the change that asks for it, so that the next master
makes the calls that this one could not. Of a job they are made one after the other, and a
newer one takes the place of one that is being tried again.
"""

import importlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import trio

from claw.errors import ClawError, StoreError
from claw.master.asyncstore import AsyncStore
from claw.master.confidant import Confidant
from claw.master.decider import Decider
from claw.model import ids, pings
from claw.model.effect import PingAsked
from claw.model.job import Config
from claw.model.pings import PingKind
from claw.secrets.resolving import UnresolvedError
from claw.store.records import Tx

_LOG = logging.getLogger("claw.pings")
_AT_ONCE = 8
_MOST_JOBS = 1000
_MOST_OF_A_JOB = 4
_TIMEOUT_S = 10.0
_RETRIES_S = (1.0, 5.0, 25.0)

Caller = Callable[[str], Awaitable[str | None]]
"""Gets a URL and returns why that failed, or None."""


class Pinger:
    """See the module."""

    def __init__(
        self,
        config: Callable[[], Config],
        store: AsyncStore,
        decide: Decider,
        confidant: Confidant,
    ) -> None:
        self._config = config
        self._store = store
        self._decide = decide
        self._confidant = confidant
        self._waiting: dict[str, deque[PingAsked]] = {}
        self._busy: set[str] = set()
        self._failing: set[str] = set()
        self._limit = trio.CapacityLimiter(_AT_ONCE)
        self._call: Caller | None = None
        self._wake = trio.Event()

    def ask(self, effect: PingAsked) -> None:
        """Have a call made; beyond a thousand jobs that wait for theirs it is given up."""
        if effect.job not in self._waiting and len(self._waiting) >= _MOST_JOBS:
            _LOG.error("too many pings wait: that of %s is not made", effect.job)
            return
        queue = self._waiting.setdefault(effect.job, deque(maxlen=_MOST_OF_A_JOB))
        queue.append(effect)
        self._wake.set()

    async def serve(self) -> None:
        """Call until cancelled."""
        await self._take_up()
        async with trio.open_nursery() as nursery:
            while True:
                self._wake = trio.Event()
                for job in self._waiting.keys() - self._busy:
                    self._busy.add(job)
                    nursery.start_soon(self._call_for, job)
                await self._wake.wait()

    async def _take_up(self) -> None:
        """Ask for the calls that the last master could not make."""
        try:
            unmade = await self._store.read(Tx.unmade_pings)
        except StoreError as error:
            _LOG.error("it is not known which pings are to be made: %s", error)
            return
        for one in unmade:
            asked = PingAsked(one.job, one.run, one.kind)
            if asked not in self._waiting.get(one.job, ()):
                self.ask(asked)

    async def _call_for(self, job: str) -> None:
        """Make the calls for a job that wait, one after the other."""
        queue = self._waiting[job]
        while queue:
            await self._make(queue)
        del self._waiting[job]
        self._busy.discard(job)

    async def _make(self, queue: deque[PingAsked]) -> None:
        ping = queue.popleft()
        found = self._config().job(ping.job)
        if found is None or not found.ping:
            await self._note(ping, None)  # nobody is to be told any more
            return
        problem = await self._ping(found.ping, found.user, ping.kind)
        for pause_s in _RETRIES_S:
            if problem is None or queue:
                break
            await trio.sleep(pause_s)
            problem = await self._ping(found.ping, found.user, ping.kind)
        self._log(ping, problem)
        await self._note(ping, problem)

    async def _note(self, ping: PingAsked, problem: str | None) -> None:
        """Store that a call has been made, and what was wrong with it."""
        try:
            await self._decide(lambda turn: turn.tx.put_ping_made(ping, turn.now, problem))
        except StoreError as error:
            _LOG.error("it cannot be stored that %s was pinged: %s", ping.job, error)

    async def _ping(self, base: str, user: str, kind: PingKind) -> str | None:
        try:
            url = pings.url_of(await self._confidant.fill_url(base, user=user), kind)
        except UnresolvedError as error:
            return error.message
        except ValueError as error:  # what was looked up is no URL
            return self._confidant.redactor.mask(str(error))
        problem = await self._try(url)
        return None if problem is None else self._confidant.redactor.mask(problem)

    async def _try(self, url: str) -> str | None:
        async with self._limit:
            if self._call is None:  # some 50 ms of loading, off the loop
                self._call = await trio.to_thread.run_sync(_load)
            with trio.move_on_after(_TIMEOUT_S):
                try:
                    return await self._call(url)
                except ClawError as error:
                    return error.message
                except Exception as error:  # noqa: BLE001  a call's mistake ends no master
                    _LOG.exception("a ping failed by mistake")
                    return f"{type(error).__name__}: see the master's log"
            return f"{urlsplit(url).hostname}: no answer within {_TIMEOUT_S:g} s"

    def _log(self, ping: PingAsked, problem: str | None) -> None:
        """Say it when calls for a job begin to fail, and when they work again."""
        if problem is not None and ping.job not in self._failing:
            self._failing.add(ping.job)
            _LOG.warning(
                "the ping of %s, run %s, failed: %s", ping.job, ids.short(ping.run), problem
            )
        elif problem is None and ping.job in self._failing:
            self._failing.discard(ping.job)
            _LOG.info("pings of %s work again", ping.job)


def _load() -> Caller:
    caller: Caller = importlib.import_module("claw.master.checks.http").Caller().call
    return caller
