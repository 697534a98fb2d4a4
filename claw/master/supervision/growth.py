"""What journals have grown by, read for the decision that takes it in.

A supervisor's word only notes that its journal has grown. What is short is read of all of them
at once, when the next decision begins. What takes longer than that, or was not taken in, is
read by the task that follows its supervisor: a slow disk, a long journal or a mistake of ours
with one holds up no other.
"""

import logging
import math
from functools import partial

import trio

from claw.errors import StoreError
from claw.kernel import files
from claw.master.supervision.evidence import Evidencing, Gathered
from claw.master.supervision.journals import Gist, apply_from
from claw.master.supervision.linefeed import LineLink  # noqa: TC001
from claw.master.supervision.pulse import Piece, Pulse
from claw.model.home import Home
from claw.wire import supervision

_LOG = logging.getLogger("claw.links")
_STORE_PAUSE_S = 1.0
_COMPLAINT_EVERY_S = 30.0
_AT_ONCE_BYTES = 1 << 16


class Supervised:
    """One supervisor, as the master sees it."""

    def __init__(self, sid: str, offset: int) -> None:
        self.sid = sid
        self.offset = offset  # bytes of the journal that are applied
        self.link: LineLink | None = None
        self.is_settled = False
        self.is_silent = False  # heartbeat stale and no answer
        self.free_size = 0  # of its journal, when it said that it would take another run
        self.free_until = 0.0  # until then, in trio's time, one is given to it
        self.wake = trio.Event()  # set: look again whether it lives, or what it has written
        self.size = 0.0  # of its journal, as it has said; infinite: anybody's guess
        self.is_left = False  # what its journal has grown by is left to who follows it
        self.reading = trio.Lock()


class Growth:
    """The journals that have grown."""

    def __init__(self, home: Home, evidencing: Evidencing) -> None:
        self._home = home
        self._evidencing = evidencing
        self._grown: dict[str, Supervised] = {}
        self._wake = trio.Event()
        self._complains_from = -math.inf  # in trio's time

    async def serve(self, pulse: Pulse) -> None:
        """Have a decision made whenever something has grown, until cancelled."""
        while True:
            if not self._wake.is_set():
                await self._wake.wait()
            self._wake = trio.Event()
            await pulse.look()

    def note(self, one: Supervised, size: float = math.inf) -> None:
        """A journal has grown to so many bytes."""
        one.size = size
        self._grown[one.sid] = one
        self._wake.set()

    def take(self, room: int) -> list[Piece]:
        """Return what has been written, as far as it can be read at once.

        Args:
            room: Bytes; the rest is for the next decision.
        """
        grown, self._grown = self._grown, {}
        pieces = []
        for one in grown.values():
            if room <= 0:
                self.note(one, one.size)
            elif one.reading.locked():
                self._grown[one.sid] = one  # who reads it sees to that
            elif one.size > one.offset:
                piece = self._read(one)
                if piece is not None:
                    pieces.append(piece)
                    room -= len(piece.data)
        return pieces

    def _read(self, one: Supervised) -> Piece | None:
        """Return what one has written; None: nothing, or it is left to who follows it."""
        try:
            data = files.read_piece(self._path(one), one.offset, _AT_ONCE_BYTES)
            is_short = len(data) < _AT_ONCE_BYTES
            gathered = self._evidencing.at_hand(one.sid, data) if is_short else None
        except Exception:  # noqa: BLE001  who follows it meets it too, and says so
            self._leave(one)
            return None
        if gathered is None:
            self._leave(one)
        elif b"\n" in data:
            one.reading.acquire_nowait()
            on_decided = partial(self._on_decided, one, gathered)
            return Piece(one.sid, data, one.offset, gathered.found, on_decided)
        return None

    @staticmethod
    def _leave(one: Supervised) -> None:
        one.is_left = True
        one.wake.set()

    def _on_decided(self, one: Supervised, gathered: Gathered, piece: Piece) -> None:
        one.reading.release()
        if piece.error is not None:
            self._leave(one)
            return
        one.offset = piece.reached
        self._evidencing.remember(one.sid, gathered)

    def begun(self, one: Supervised) -> tuple[int, int] | None:
        """Return pid and start time of a child whose begin is not taken in yet, if there is."""
        gist = Gist()
        try:
            data = files.read_piece(self._path(one), one.offset, _AT_ONCE_BYTES)
        except OSError:
            return None
        for line in data.splitlines():
            gist.take_in(supervision.decode(line) or {})
        return gist.child

    def forget(self, one: Supervised) -> None:
        """Nothing more is to be read of one."""
        self._grown.pop(one.sid, None)

    async def drain(self, one: Supervised) -> None:
        """Apply what a journal holds beyond the offset; what fails is tried again."""
        async with one.reading:
            while not await self._drain_once(one):  # noqa: ASYNC110  nothing tells of room
                await trio.sleep(_STORE_PAUSE_S)
        if one.sid in self._grown:
            self._wake.set()

    async def _drain_once(self, one: Supervised) -> bool:
        async def apply(sid: str, data: bytes, offset: int) -> int:
            with trio.CancelScope(shield=True):
                one.offset = await self._evidencing.apply(sid, data, offset)
            return one.offset

        try:
            await apply_from(self._path(one), one.sid, one.offset, apply)
        except (StoreError, OSError) as error:
            self.complain("the journal of %s cannot be applied: %s", one.sid, error)
            return False
        return True

    def _path(self, one: Supervised) -> str:
        return f"{self._home.spool}/{one.sid}/journal"

    def complain(self, text: str, sid: str, error: Exception) -> None:
        """Log one line now and then: what is short for one is short for all of them."""
        if trio.current_time() >= self._complains_from:
            self._complains_from = trio.current_time() + _COMPLAINT_EVERY_S
            _LOG.error(f"{text}; trying again, and what else is like it", sid, error)
