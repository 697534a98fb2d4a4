"""Links to the supervisors that live: what they say is passed on, and requests go out.

One task hears all of them (`hearing`); that a journal has grown is noted, and `growth` has it
read. A task for each supervisor follows it: it makes a link that breaks again for as long as
the supervisor, or a replacement, holds its lock, and reads what takes longer.
"""

import logging
from collections.abc import Awaitable, Callable

import trio

import claw
from claw.errors import ClawError
from claw.kernel import channel, files
from claw.master.supervision import keeping
from claw.master.supervision.evidence import Evidencing
from claw.master.supervision.growth import Growth, Supervised
from claw.master.supervision.hearing import Hearing
from claw.master.supervision.linefeed import LineLink, LostError
from claw.master.supervision.pulse import Piece, Pulse
from claw.master.supervision.verdict import Verdict, judge
from claw.model.home import Home
from claw.wire.supervision import Launch, Message

_LOG = logging.getLogger("claw.links")
FIRST_PAUSE_S = 0.01
LAST_PAUSE_S = 1.0
PING_S = 5.0
FREE_S = 1.5
"""So long a supervisor is given another run; it waits a little longer."""


class Links:
    """All links. `watch` one supervisor per task; `call` any of them."""

    def __init__(
        self,
        home: Home,
        evidencing: Evidencing,
        knows: Callable[[str], Awaitable[bool]],
        on_lost: Callable[[str], Awaitable[bool]],
    ) -> None:
        self._home = home
        self._growth = Growth(home, evidencing)
        self._hearing = Hearing()
        self._knows = knows
        self._on_lost = on_lost
        self.on_linked: Callable[[str], None] = lambda _sid: None
        self.on_over: Callable[[str], None] = lambda _sid: None
        self.on_child: Callable[[str, keeping.Kept], None] = lambda _sid, kept: keeping.close(
            kept
        )
        self.all: dict[str, Supervised] = {}
        self.keeps_free = True  # else one that has ended its run is let go at once
        self.on_refused: Callable[[str, Message], None] = lambda _sid, _message: None
        # An output file; None: nobody listened for a while, and any may have been.
        self.on_rotated: Callable[[str | None], None] = lambda _path: None

    async def serve(self, pulse: Pulse) -> None:
        """Hear supervisors, and have what they write taken in, until cancelled."""
        async with trio.open_nursery() as nursery:
            pulse.grown = self._take
            nursery.start_soon(self._hearing.serve, pulse.rest)
            nursery.start_soon(self._growth.serve, pulse)

    def close(self) -> None:
        """Nobody is heard any more, and nobody followed."""
        self._hearing.close()

    def _take(self, room: int) -> list[Piece]:
        """Return what is new in journals by now, for a decision."""
        self._hearing.hear()
        return self._growth.take(room)

    async def watch(self, sid: str, offset: int, link: LineLink | None = None) -> None:
        """Follow one supervisor until its run is settled or it is lost."""
        one = self.all.setdefault(sid, Supervised(sid, offset))
        try:
            while not await self._follow_safely(one, link):
                await trio.sleep(LAST_PAUSE_S)
                link = None
        finally:
            del self.all[sid]
            self._growth.forget(one)
            self.on_over(sid)

    async def _follow_safely(self, one: Supervised, link: LineLink | None) -> bool:
        """Follow; a mistake of ours with one supervisor must not reach the others."""
        try:
            await self._follow(one, link)
        except OSError as error:
            self._growth.complain("supervisor %s cannot be followed: %s", one.sid, error)
            return False
        except Exception:  # noqa: BLE001  the edge of one job's loop
            _LOG.exception("supervisor %s cannot be followed; trying again", one.sid)
            return False
        return True

    def expect(self, sid: str, offset: int = 0) -> None:
        """A supervisor is about to be launched: who wants to tell it something waits.

        Args:
            sid: Which.
            offset: Where its journal goes on, of one that has been there before.
        """
        self.all[sid] = Supervised(sid, offset)

    def forget(self, sid: str) -> None:
        """A supervisor that was expected was not launched."""
        self.all.pop(sid, None)

    def begun(self) -> dict[str, tuple[int, int]]:
        """Return pid and start time of the children whose begin is not taken in yet."""
        found = {one.sid: self._growth.begun(one) for one in self.all.values()}
        return {sid: child for sid, child in found.items() if child is not None}

    async def left_over(self) -> tuple[str, ...] | None:
        """Return the supervisors that live and have nothing to do but to write an end.

        One whose disk is full waits for room, without a child.

        Returns:
            Them; None: some have more to do.
        """
        living = [one.sid for one in tuple(self.all.values()) if self._holds_lock(one)]
        for sid in living:
            if not await self._has_only_to_write(sid):
                return None
        return tuple(living)

    async def _has_only_to_write(self, sid: str) -> bool:
        """Ask a supervisor twice: in between it has tried to write what it has to."""
        for _ in range(2):
            try:
                said = await self.call(sid, op="hello")
            except ClawError:
                return False
            if said["child"] is not None or not said.get("stopping"):
                return False
        return True

    async def _follow(self, one: Supervised, link: LineLink | None) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            link = link or self._connect(one)
            if link is not None:
                pause_s = FIRST_PAUSE_S
                await self._serve(one, link)
                link = None
            await self._growth.drain(one)
            if one.is_settled:
                return
            is_held = self._holds_lock(one)
            verdict = judge(
                is_held=is_held,
                is_known=not is_held and await self._knows(one.sid),
                is_unlaunched=False,
            )
            if verdict is Verdict.LOSE and await self._lose(one):
                return
            with trio.move_on_after(pause_s):
                await one.wake.wait()
            one.wake = trio.Event()
            pause_s = min(pause_s * 2, LAST_PAUSE_S)

    def _connect(self, one: Supervised) -> LineLink | None:
        path = f"{self._home.supervisor_run(one.sid)}/control.sock"
        try:
            connection = channel.connect(path)
        except OSError:
            return None
        return self.link_over(connection, one.sid)

    def link_over(self, connection: channel.Socket, sid: str) -> LineLink:
        """Return a link of that supervisor over a connection."""

        def on_closed() -> None:
            self._hearing.drop(link)
            one = self.all.get(sid)
            if one is not None:
                one.wake.set()

        link = LineLink(connection, lambda message: self._on_notice(sid, message), on_closed)
        return link

    def _on_notice(self, sid: str, message: Message) -> None:
        one = self.all.get(sid)
        if one is None:
            keeping.close(message.get("kept", {}))
        elif message.get("ev") == "journal":
            self._note_free(one, message)
            self._growth.note(one, message["size"])
        elif message.get("ev") == "child":
            self.on_child(sid, message.get("kept", {}))
        elif message.get("ev") == "refused":
            self.on_refused(sid, message)
            one.is_settled = True
        elif message.get("ev") == "rotated":
            self.on_rotated(str(message.get("path")))

    async def _serve(self, one: Supervised, link: LineLink) -> None:
        """Follow one while there is a link to it, and read what is left to this task."""
        one.link = link
        try:
            self._hearing.add(link)
            self.on_linked(one.sid)
            self.on_rotated(None)
            self._growth.note(one)
            while not link.is_closed:
                one.wake = trio.Event()
                if one.is_left:
                    one.is_left = False
                    await self._growth.drain(one)
                else:
                    await one.wake.wait()
        finally:
            one.link = None
            link.close()
        if link.failure is not None:
            raise link.failure

    def _holds_lock(self, one: Supervised) -> bool:
        return files.is_locked(f"{self._home.spool}/{one.sid}/lock")

    def settle(self, sid: str) -> None:
        """The run of a supervisor is on record as ended: its link may go."""
        one = self.all.get(sid)
        if one is not None:
            one.is_settled = True
            if one.link is None:
                one.wake.set()
            elif not (one.free_size and self.keeps_free):
                self._let_go(one)

    # -- those that would take another run ------------------------------------------------

    def _note_free(self, one: Supervised, message: Message) -> None:
        is_free = message.get("free") == claw.__version__
        one.free_size = int(message["size"]) if is_free else 0
        one.free_until = trio.current_time() + FREE_S

    def free(self) -> list[tuple[str, int]]:
        """Return who would take another run, and how long its journal is then."""
        now = trio.current_time()
        return [
            (one.sid, one.free_size)
            for one in self.all.values()
            if one.free_size and one.link is not None and now < one.free_until
        ]

    def expect_again(self, sid: str) -> bool:
        """One that was free is to take a run; False: it has gone meanwhile."""
        one = self.all.get(sid)
        if one is None:
            return False
        one.free_size = 0
        one.is_settled = False
        return True

    async def hand(self, sid: str, launch: Launch) -> None:
        """Send a launch to one that was free.

        Raises:
            LostError: It has gone; its journal says whether the launch has begun.
        """
        await self._link_of(sid).tell(op="launch", launch=launch.values())

    def hand_at_once(self, sid: str, launch: dict[str, object]) -> bool:
        """Send a launch to one that was free, unless that takes waiting; tell whether it went.

        Args:
            sid: Whom.
            launch: Its values.

        Raises:
            LostError: As `hand` does.
        """
        return self._link_of(sid).tell_at_once(op="launch", launch=launch)

    def _link_of(self, sid: str) -> LineLink:
        one = self.all.get(sid)
        if one is None or one.link is None:
            raise LostError("no connection to the supervisor")
        return one.link

    def let_go(self, sid: str) -> None:
        """One that was to take a run gets none."""
        one = self.all.get(sid)
        if one is not None:
            one.is_settled = True
            self._let_go(one)

    def let_all_go(self) -> None:
        """Nothing more is begun: those that are free end now."""
        self.keeps_free = False
        for one in tuple(self.all.values()):
            if one.is_settled:
                self._let_go(one)

    @staticmethod
    def _let_go(one: Supervised) -> None:
        one.free_size = 0
        if one.link is not None:
            one.link.close()

    # -- ends and requests ----------------------------------------------------------------

    async def _lose(self, one: Supervised) -> bool:
        """Nobody holds the lock and no replacement will: what is on record is all.

        Returns:
            Whether there is nothing more to follow.
        """
        await self._growth.drain(one)
        return one.is_settled or await self._on_lost(one.sid)

    def gone(self, sid: str) -> None:
        """The fork server says that a supervisor has ended."""
        one = self.all.get(sid)
        if one is not None:
            one.wake.set()

    def flags(self, sid: str) -> frozenset[str]:
        """Return what is worth saying about a supervisor."""
        one = self.all.get(sid)
        return frozenset({"unresponsive"}) if one is not None and one.is_silent else frozenset()

    async def call(self, sid: str, *, patience_s: float = PING_S, **message: object) -> Message:
        """Send a request to a supervisor and return its answer.

        Raises:
            LostError: There is no link now, or it broke.
            ClawError: The supervisor refused.
        """
        link = self._link_of(sid)
        with trio.move_on_after(patience_s):
            answer = await link.call(**message)
            if "error" in answer:
                raise ClawError(f"the supervisor refused: {answer['error']}")
            return answer
        raise LostError("the supervisor does not answer")
