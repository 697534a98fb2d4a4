"""Asks for the locks that masters share, renews them, and lets go of them.

One task for each lock that this master wants or has. What it has is in the store: a master
that was killed goes on with it, under the same owner's name and the same grants. A lock whose
lease could not be renewed until it ran out is lost, and the run that has it is ended.
"""

import hashlib
import importlib
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar

import trio

from claw.errors import StoreError
from claw.kernel import clock, host
from claw.master.asyncstore import AsyncStore
from claw.master.confidant import Confidant
from claw.master.decider import Decider
from claw.master.engine import locks
from claw.master.engine.turn import Turn
from claw.master.locks.backend import Backend, Holder, LockTroubleError
from claw.model import lock
from claw.model.effect import LockLeft, LockWanted
from claw.model.job import Config
from claw.model.lock import Claimant, Grant, Hold, Locks, Phase
from claw.secrets.resolving import UnresolvedError
from claw.store.records import Tx

_LOG = logging.getLogger("claw.locks")
_META = "lock_owner"
_PLACE = "lock_owner_place"
_CLASSES = {
    lock.Backend.FOLDER: ("folder", "Folder"),
    lock.Backend.ETCD: ("etcd", "Etcd"),
    lock.Backend.POSTGRES: ("postgres", "Postgres"),
}
_CALLS_S = 10.0
"""How long a call may take, at most; a third of the lease, if that is less."""
_LAST_S = 5.0
"""How long a master that ends waits for locks to be let go."""
_STORE_PAUSE_S = 1.0

T = TypeVar("T")


class LockKeeper:
    """See the module."""

    def __init__(
        self,
        store: AsyncStore,
        decide: Decider,
        config: Callable[[], Config],
        folder: str,
        confidant: Confidant,
    ) -> None:
        """Take what it decides by, and the folder of this master, see `place_of`."""
        self._place = place_of(folder)
        self._confidant = confidant
        self._store = store
        self._decide = decide
        self._config = config
        self._backends: dict[Locks, Backend] = {}
        self._wanted: dict[str, str] = {}
        self._wakes: dict[str, trio.Event] = {}
        self._nursery: trio.Nursery | None = None
        self._deadlines: dict[str, float] = {}  # in boot time, by handle
        self._doubted: set[str] = set()  # of which trouble was told, by handle
        self._owner = ""
        self._freed = trio.Event()

    # -- what others say ---------------------------------------------------------------

    def want(self, effect: LockWanted) -> None:
        """A run waits for a lock that it has to be asked for."""
        self._wanted[effect.name] = effect.run
        self._wake(effect.name)

    def look_at(self, effect: LockLeft) -> None:
        """Something has become of a lock."""
        self._wake(effect.name)

    async def look(self, name: str) -> Holder | None:
        """Return who has a lock, of all masters that share it; None: nobody.

        Raises:
            LockTroubleError: Nobody knows.
        """
        settings = self._config().locks
        if not settings.is_shared:
            return None
        return await self._call(settings, lambda at: at.look(name))

    async def take_away(self, name: str) -> Holder | None:
        """Make a shared lock free, whoever has it, and return who that was.

        Raises:
            LockTroubleError: It cannot be asked.
        """
        settings = self._config().locks
        if not settings.is_shared:
            return None
        return await self._call(settings, lambda at: at.take_away(name))

    async def settle(self) -> None:
        """Wait until what this master has no use for any more is let go, but not for long."""
        with trio.move_on_after(_LAST_S):
            while self._nursery is not None:
                freed = self._freed
                had = await self._store.read(_shared)
                if not any(hold.phase is Phase.LEAVING for hold in had):
                    return
                await freed.wait()

    # -- tasks -------------------------------------------------------------------------

    async def serve(self) -> None:
        """Go on with the locks that an earlier master had, and serve until cancelled."""
        self._owner = await self._decide.patiently(lambda turn: owner(turn, self._place))
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            had = await self._decide.patiently(lambda turn: _shared(turn.tx))
            for name in {*self._wanted, *(hold.name for hold in had)}:
                self._wake(name)
            await trio.sleep_forever()

    def _wake(self, name: str) -> None:
        if self._nursery is None:
            return  # `serve` is about to look at all of them
        if name in self._wakes:
            self._wakes[name].set()
            return
        self._wakes[name] = trio.Event()
        self._nursery.start_soon(self._tend, name)

    async def _tend(self, name: str) -> None:
        """See to one lock for as long as this master wants or has it."""
        try:
            while await self._see_to_patiently(name):
                pass
        finally:
            del self._wakes[name]

    async def _see_to_patiently(self, name: str) -> bool:
        try:
            return await self._see_to(name)
        except StoreError as error:
            _LOG.error("lock %s cannot be seen to: %s", name, error)
            await trio.sleep(_STORE_PAUSE_S)
            return True

    async def _see_to(self, name: str) -> bool:
        """Do what is to be done for a lock now; False: nothing any more."""
        self._wakes[name] = trio.Event()
        hold = await self._store.read(lambda tx: tx.hold(name))
        phase = Phase.FREE if hold is None or not hold.handle else hold.phase
        if hold is None or phase is Phase.FREE:
            return await self._try(name)
        if phase is Phase.LEAVING:
            return await self._let_go(hold)
        return await self._keep(hold)

    async def _try(self, name: str) -> bool:
        run = self._wanted.get(name)
        settings = self._config().locks
        if run is None or not settings.is_shared:
            return False
        claimant = self._claimant(run, settings)
        began = clock.boottime()
        try:
            found = await self._call(settings, lambda at: at.acquire(name, claimant))
        except LockTroubleError as error:
            words = f"cannot be asked for: {error}"
        else:
            if isinstance(found, Grant):
                await self._take(name, found, settings, began)
                return True
            words = found.words
        if not await self._decide.patiently(lambda turn: locks.seen(turn, name, run, words)):
            if self._wanted.get(name) == run:
                del self._wanted[name]
            return name in self._wanted
        await self._rest(name, min(max(settings.lease_s / 10, 0.1), 2.0))
        return True

    async def _take(self, name: str, grant: Grant, settings: Locks, began: float) -> None:
        self._wanted.pop(name, None)
        until = self._renewed(grant.handle, settings, began)
        await self._decide.patiently(lambda turn: locks.granted(turn, name, grant, until))

    def _renewed(self, handle: str, settings: Locks, began: float) -> datetime:
        """Note until when a lease lasts that was asked for at some moment of boot time."""
        self._deadlines[handle] = began + settings.lease_s
        return clock.now() + timedelta(seconds=self._deadlines[handle] - clock.boottime())

    def _left_s(self, hold: Hold) -> float:
        """Return how long a lease lasts; of one that a former master had, by the wall clock."""
        if hold.handle not in self._deadlines:
            left_s = (hold.until - clock.now()).total_seconds() if hold.until else 0.0
            left_s = min(left_s, self._config().locks.lease_s)
            self._deadlines[hold.handle] = clock.boottime() + left_s
        return self._deadlines[hold.handle] - clock.boottime()

    async def _keep(self, hold: Hold) -> bool:
        """Wait until the lease is to be renewed, and renew it; or see that it is over."""
        settings = self._config().locks
        early_s = self._left_s(hold) - settings.lease_s * 2 / 3
        if early_s > 0:
            await self._rest(hold.name, early_s)
            return True
        if hold.phase is Phase.GRANTED:
            # No run has taken it: what it waits for is not there yet.
            await self._decide.patiently(
                lambda turn: locks.unused(turn, hold.name, hold.handle)
            )
            return True
        claimant = self._claimant(hold.run or "", settings)
        grant = Grant(hold.fence, hold.handle)
        began = clock.boottime()
        try:
            is_ours = await self._call(
                _settings_of(hold, settings), lambda at: at.renew(hold.name, claimant, grant)
            )
        except LockTroubleError as error:
            return await self._doubt(hold, error)
        if not is_ours:
            await self._lose(hold, "another has it")
            return True
        if hold.handle in self._doubted:
            self._doubted.discard(hold.handle)
            _LOG.info("lock %s can be renewed again", hold.name)
        until = self._renewed(hold.handle, settings, began)
        await self._decide.patiently(
            lambda turn: locks.renewed(turn, hold.name, hold.handle, until)
        )
        return True

    async def _doubt(self, hold: Hold, error: LockTroubleError) -> bool:
        self._complain(hold, "renewed", error)
        left_s = self._left_s(hold)
        if left_s <= 0:
            await self._lose(hold, f"it could not be renewed: {error}")
        else:
            await self._rest(
                hold.name, min(left_s, max(self._config().locks.lease_s / 10, 0.1))
            )
        return True

    def _complain(self, hold: Hold, what: str, error: LockTroubleError) -> None:
        """Say once of a grant that the place where it is on record is not there."""
        if hold.handle not in self._doubted:
            self._doubted.add(hold.handle)
            _LOG.warning("lock %s cannot be %s: %s", hold.name, what, error)

    async def _lose(self, hold: Hold, why: str) -> None:
        _LOG.error("lock %s is lost: %s", hold.name, why)
        self._forget(hold)
        await self._decide.patiently(lambda turn: locks.lost(turn, hold.name, hold.handle, why))

    def _forget(self, hold: Hold) -> None:
        self._deadlines.pop(hold.handle, None)
        self._doubted.discard(hold.handle)

    async def _let_go(self, hold: Hold) -> bool:
        settings = _settings_of(hold, self._config().locks)
        grant = Grant(hold.fence, hold.handle)
        try:
            await self._call(settings, lambda at: at.release(hold.name, grant))
        except LockTroubleError as error:
            self._complain(hold, "let go", error)
            left_s = self._left_s(hold)
            if left_s > 0:
                await self._rest(hold.name, min(left_s, 1.0))
                return True
        self._forget(hold)
        await self._decide.patiently(lambda turn: locks.freed(turn, hold.name, hold.handle))
        self._freed.set()
        self._freed = trio.Event()
        return True

    async def _rest(self, name: str, seconds: float) -> None:
        with trio.move_on_after(seconds):
            await self._wakes[name].wait()

    # -- asking ------------------------------------------------------------------------

    async def _call(self, settings: Locks, ask: Callable[[Backend], Awaitable[T]]) -> T:
        """Ask the place where locks are kept; what goes wrong there is trouble, no more."""
        patience_s = min(_CALLS_S, settings.lease_s / 3)
        try:
            with trio.move_on_after(patience_s):
                dsn = await self._confidant.fill(settings.dsn, user="")
                return await ask(self._backend(replace(settings, dsn=dsn)))
        except LockTroubleError as error:
            raise LockTroubleError(self._confidant.redactor.mask(error.message)) from error
        except UnresolvedError as error:
            raise LockTroubleError(error.message) from error
        except Exception as error:
            _LOG.exception("%s failed by mistake", settings.backend)
            raise LockTroubleError(f"{settings.backend}: {error}") from error
        raise LockTroubleError(f"{settings.backend}: no answer in {patience_s:g} s")

    def _backend(self, settings: Locks) -> Backend:
        key = replace(settings, lease_s=0.0)
        if key not in self._backends:
            module, name = _CLASSES[settings.backend]
            loaded = importlib.import_module(f"claw.master.locks.{module}")
            self._backends[key] = getattr(loaded, name)(settings)
        return self._backends[key]

    def _claimant(self, run: str, settings: Locks) -> Claimant:
        return Claimant(owner=self._owner, host=host.name(), run=run, lease_s=settings.lease_s)


def place_of(folder: str) -> str:
    """Return a text that is another for a copy of a home: on another machine, or elsewhere."""
    text = f"{host.host_id()} {os.path.realpath(folder)}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def owner(turn: Turn, place: str) -> str:
    """Return what this master is called where locks are kept; the same after a restart.

    The master of a copied home is another one. What its store says of shared locks is the
    first one's: they count as lost, so that this one neither renews nor releases them.

    Args:
        turn: The decision.
        place: See `place_of`.
    """
    known, was_at = turn.tx.meta(_META), turn.tx.meta(_PLACE)
    if known is not None and was_at in {None, place}:
        turn.tx.put_meta(_PLACE, place)
        return known
    for hold in _shared(turn.tx) if known is not None else ():
        locks.lost(turn, hold.name, hold.handle, "the home was copied or moved")
    known = f"{host.name()}-{clock.random(6).hex()}"
    turn.tx.put_meta(_META, known)
    turn.tx.put_meta(_PLACE, place)
    return known


def _shared(tx: Tx) -> list[Hold]:
    """Return what this master has of locks that others want too."""
    return [hold for hold in tx.holds() if hold.handle and hold.phase is not Phase.FREE]


def _settings_of(hold: Hold, settings: Locks) -> Locks:
    """Return how to reach the place where a grant is on record."""
    return replace(settings, backend=hold.backend)
