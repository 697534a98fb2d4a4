"""Sees that each supervisor has a fork server that would replace it.

Whoever is killed, somebody else has what a replacement needs: the fork server, the master
(`Copies`) and the supervisor itself each hold the same descriptors. When the fork server
dies, the next one is given the master's copies before it is asked anything. Supervisors that
live are told where it is, and hand over what they have with word of who they are; that is
repeated until the fork server knows them. A master that has just started fetches copies.

Children of supervisors that were killed while there was no fork server become the master's
if it is an ancestor; how they ended is passed on (`note_orphan`).
"""

import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable

import trio

from claw.errors import ClawError, StoreError
from claw.kernel import memory
from claw.kernel.pidfd import Exit
from claw.master.asyncstore import AsyncStore
from claw.master.reaper import Reaper
from claw.master.supervision.elders import Elders
from claw.master.supervision.keeping import Copies, Kept
from claw.master.supervision.launcher import ForkServer
from claw.master.supervision.linefeed import LineLink, LostError
from claw.master.supervision.links import Links
from claw.model.home import Home
from claw.store.records import Tx
from claw.wire.supervision import MEMORY, Launch, Message

_LOG = logging.getLogger("claw.fostering")
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.05, 2.0
_PAUSE_S = 0.2
_SETTLE_S = 5.0
_ORPHANS_KEPT = 1000

Asked = ForkServer | LineLink
Children = Callable[[], Awaitable[dict[str, tuple[int, int]]]]
"""Return pid and start time (clock ticks) of each living child, by supervisor."""


class Fostering:
    """The custodian of all runs; see `claw.master.supervision.launcher.Custodian`."""

    def __init__(
        self,
        home: Home,
        reaper: Reaper,
        soft_limit: int,
        children: Children,
        on_gone: Callable[[str], None],
    ) -> None:
        """Make the links to the fork servers.

        Args:
            home: Where everything lies.
            reaper: Of the fork server, and of orphans.
            soft_limit: Of open files, as jobs are to have it.
            children: Asks the store.
            on_gone: Called with the id of each supervisor that has ended.
        """
        self._home = home
        self.fork_server = ForkServer(home, reaper, self, soft_limit)
        reaper.on_orphan = self.note_orphan
        self._children = children
        self._begun: Callable[[], dict[str, tuple[int, int]]] = dict
        self._on_gone = on_gone
        self.copies = Copies()
        self.elders = Elders(home, self.on_gone, self._renew)
        self._safe: set[str] = set()  # known to their fork server, and copied
        self._orphans: deque[Message] = deque(maxlen=_ORPHANS_KEPT)
        self._untold: deque[Message] = deque(maxlen=_ORPHANS_KEPT)  # to the fork server
        self._wake = trio.Event()

    # -- what happens ------------------------------------------------------------------

    def on_launched(self, sid: str, kept: Kept, *, is_safe: bool) -> None:
        """A supervisor has been forked; the descriptors are for us to keep."""
        self.copies.add(sid, kept)
        if is_safe:
            self._safe.add(sid)
        else:
            self._wake.set()

    def on_gone(self, sid: str) -> None:
        """A supervisor has ended, its run with it."""
        self.forget(sid)
        self._on_gone(sid)

    async def on_death(self) -> None:
        """The fork server has died: hold on to the children, whoever is killed next."""
        await self._renew()
        try:
            children = await self._children()
        except StoreError as error:
            _LOG.warning("the children are not known: %s", error)
            children = {}
        # What began a moment ago may lose its supervisor too before that is in the store.
        for sid, (pid, start) in {**children, **self._begun()}.items():
            self.copies.add_child(sid, pid, start)

    async def on_new(self, link: LineLink) -> None:
        """Give a fork server all that is known here, before it is asked anything.

        Raises:
            LostError: It has gone again.
        """
        self._untold.clear()
        self._untold.extend(self._orphans)
        await self._tell_orphans(link)
        for sid in tuple(self.copies.all):
            try:
                with self.copies.lent(sid) as kept:
                    await self._foster(link, sid, kept)
            except OSError as error:
                _LOG.error("supervisor %s is without a fork server: %s", sid, error)
        await self._renew()

    async def _tell_orphans(self, link: Asked) -> None:
        """Tell of each orphan; more may be reaped, and others may tell, before an answer."""
        while self._untold:
            orphan = self._untold[0]
            await link.call(op="reaped", **orphan)
            if self._untold and self._untold[0] is orphan:
                self._untold.popleft()

    async def _foster(self, link: Asked, sid: str, kept: dict[str, int]) -> None:
        spool = f"{self._home.spool}/{sid}"
        if MEMORY in kept:
            await link.call(*kept.values(), op="foster", sid=sid, spool=spool, names=[*kept])

    async def _renew(self) -> None:
        """A fork server is another: look at everyone again."""
        self._safe.clear()
        self._wake.set()

    def note_orphan(self, pid: int, start: int, ended: Exit) -> None:
        """An orphan has been reaped: a replacement may ask how it ended."""
        orphan: Message = {
            "pid": pid, "start": start, "code": ended.code, "signal": ended.signal,
            "cpu_s": ended.cpu_s, "max_rss": ended.max_rss,
        }  # fmt: skip
        self._orphans.append(orphan)
        self._untold.append(orphan)
        self._wake.set()

    async def renew_memory(self, launch: Launch) -> None:
        """Have a run's next supervisors find another launch: here, and with its fork server.

        Raises:
            LostError: The fork server has died; its next one is given what is here.
            OSError: There is no memory or descriptor for it.
        """
        sid = launch.sid
        fd = memory.sealed(f"claw:{launch.job}", launch.encode())
        self.copies.put_memory(sid, fd)
        found = await self._find(sid)
        with self.copies.lent(sid) as kept:
            if found is not None and MEMORY in kept:
                spool = f"{self._home.spool}/{sid}"
                how: Message = {"op": "foster", "sid": sid, "spool": spool}
                await found[1].call(kept[MEMORY], names=[MEMORY], anew=True, **how)

    def look_at(self, sid: str) -> None:
        """There is a link to a supervisor."""
        if sid not in self._safe:
            self._wake.set()

    def forget(self, sid: str) -> None:
        """A run is over."""
        self.copies.drop(sid)
        self._safe.discard(sid)

    # -- what is asked -----------------------------------------------------------------

    async def knows(self, sid: str) -> bool:
        """Tell whether a fork server looks after a supervisor, alive or to be replaced.

        A link that breaks meanwhile says nothing: who answers next knows it, if anyone does.
        """
        while True:
            try:
                if await self._find(sid) is not None:
                    return True
                await self.fork_server.call(op="barrier")  # it may be among what has just come
                return await self._find(sid) is not None
            except LostError:
                await trio.sleep(_PAUSE_S)

    async def _find(self, sid: str) -> tuple[int, Asked] | None:
        """Return a supervisor's pid, 0 when it is not known, and its fork server."""
        for server in self._all():
            found = await server.call(op="find", sid=sid)
            if found["alive"]:
                return int(found["pid"] or 0), server
        return None

    def _all(self) -> tuple[Asked, ...]:
        return (self.fork_server, *self.elders.links.values())

    async def wait_idle(self) -> None:
        """Wait until every launch asked for before, by anyone, is done."""
        for server in self._all():
            with contextlib.suppress(LostError):  # of one that has died nothing is left to do
                await server.call(op="barrier")

    # -- the work ----------------------------------------------------------------------

    async def serve(self, links: Links) -> None:
        """See to all supervisors, again and again until each is safe."""
        pause_s = _FIRST_PAUSE_S
        self._begun = links.begun
        while True:
            self._wake = trio.Event()
            is_done = await self.see_to_all(links)
            pause_s = _FIRST_PAUSE_S if is_done else min(2 * pause_s, _LAST_PAUSE_S)
            with trio.move_on_after(float("inf") if is_done else pause_s):
                await self._wake.wait()

    async def settle(self, links: Links) -> None:
        """Have everyone safe for once, or nearly: from then on any two may be killed."""
        with trio.move_on_after(_SETTLE_S):
            while not await self.see_to_all(links):  # noqa: ASYNC110  nothing tells of it
                await trio.sleep(_FIRST_PAUSE_S)

    async def see_to_all(self, links: Links) -> bool:
        """Do what can be done now; tell whether everyone is safe."""
        try:
            await self._tell_orphans(self.fork_server)
        except LostError:
            return False
        async with trio.open_nursery() as nursery:
            for sid in links.all.keys() - self._safe:
                nursery.start_soon(self._see_to, links, sid)
        return not links.all.keys() - self._safe

    async def _see_to(self, links: Links, sid: str) -> None:
        try:
            found = await self._find(sid)
            if found is None:
                with self.copies.lent(sid) as kept:
                    await self._foster(self.fork_server, sid, kept)
            if found is None or not found[0]:
                await links.call(sid, op="hand", path=self.fork_server.path)
                return
            if not self.copies.is_whole(sid) and self.copies.has_room:
                answer = await found[1].call(op="copy", sid=sid)
                self.copies.add(sid, answer.get("kept", {}))
        except (LostError, OSError):
            return
        except ClawError as error:
            _LOG.warning("supervisor %s cannot be fostered: %s", sid, error.message)
        if sid in links.all:
            self._safe.add(sid)
        else:
            self.forget(sid)


def living(store: AsyncStore) -> Children:
    """Return what asks a store for the children that live."""

    async def ask() -> dict[str, tuple[int, int]]:
        attempts = await store.read(Tx.live_attempts)
        return {
            one.sid: (one.pid, one.start_ticks or 0)
            for one in attempts.values()
            if one.pid is not None and one.ended_at is None
        }

    return ask
