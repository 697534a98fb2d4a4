"""What journals, times and clients bring and what may begin for it: one decision for all.

While one decision is under way, pieces of other journals come in, and requests; the next
decision takes all of them, and looks at the gates once if one of them has set something free.
So many short runs that end at a time share a transaction, and with it the ends of some and the
claims of those that follow; and a run that is asked for, or due, is written and claimed in one.
A request that is refused takes back its own part. What fails together is tried one by one, and
what journals say apart from the gates: a mistake of ours with one journal, or with the gates,
reaches no other journal.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import trio

from claw.errors import ClawError, StoreError
from claw.master.decider import Decider
from claw.master.engine import consequences, dispatch, journal
from claw.master.engine.dispatch import Claim
from claw.master.engine.turn import Turn
from claw.master.supervision.sockets import needing_sockets
from claw.model.effect import Dispatch
from claw.model.evidence import Evidences
from claw.store.database import Answer

T = TypeVar("T")
_LOG = logging.getLogger("claw.dispatch")
_MOST_BYTES = 1 << 20
"""Of journals in one decision, or one piece of any size: others want the writer too."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What a pass of the gates has come to.

    Attributes:
        claims: To be launched.
        next_due: When the next run is due that is not yet.
        needed: As `claw.master.supervision.sockets.needing_sockets` has it; None: nothing
            was looked at but what is armed, and it says nothing of sockets.
    """

    claims: tuple[Claim, ...]
    next_due: datetime | None
    needed: dict[str, bool] | None


class _Piece:
    """What waits to be decided about: a piece of a journal, or a pass of the gates without."""

    __slots__ = ("data", "error", "evidences", "is_done", "offset", "reached", "sid")

    def __init__(
        self,
        sid: str = "",
        data: bytes = b"",
        offset: int = 0,
        evidences: Evidences = journal.NO_EVIDENCE,
    ) -> None:
        self.sid = sid
        self.data = data
        self.offset = offset
        self.evidences = evidences
        self.reached = 0
        self.error: BaseException | None = None
        self.is_done = False

    def apply(self, turn: Turn) -> None:
        """Take it in."""
        if self.sid:
            self.reached = journal.apply_journal(
                turn, self.sid, self.data, self.offset, self.evidences
            )
        else:
            turn.emit(Dispatch())

    @property
    def is_for_gates(self) -> bool:
        """Whether it is about the gates when it is decided about alone."""
        return not self.sid

    def check(self) -> None:
        """Raise what went wrong."""
        if self.error is not None:
            raise self.error


class _Wish(_Piece, Generic[T]):
    """A decision that is made along with the others."""

    __slots__ = ("decide", "value")

    def __init__(self, decide: Callable[[Turn], T]) -> None:
        super().__init__()
        self.decide = decide
        self.value: T | None = None

    def apply(self, turn: Turn) -> None:
        self.value = self.decide(turn)

    @property
    def is_for_gates(self) -> bool:
        return False


class _Request(_Wish[T]):
    """A decision that may be refused, of which nothing is left then."""

    __slots__ = ()

    def apply(self, turn: Turn) -> None:
        self.error = None
        try:
            with turn.part():
                self.value = self.decide(turn)
        except StoreError:
            raise
        except ClawError as error:
            self.error = error


class Pulse:
    """Decides about journals and gates, one decision at a time.

    Attributes:
        on_passed: Called with what each pass has come to, in their order; None: the gates
            are not passed yet, and `Dispatch` is left to whom it concerns.
    """

    def __init__(self, decide: Decider, free: Callable[[], list[tuple[str, int]]]) -> None:
        """Begin with nothing.

        Args:
            decide: Makes the decisions.
            free: Names the supervisors that would take another run, and the sizes of their
                journals.
        """
        self._decide = decide
        self._free = free
        self._waiting: list[_Piece] = []
        self._beat = trio.Lock()
        self.on_passed: Callable[[Passed], None] | None = None

    async def apply(self, sid: str, data: bytes, offset: int, evidences: Evidences) -> int:
        """Take in a piece of a journal, and return where to read on.

        Args:
            sid: Whose.
            data: The piece.
            offset: Where in the journal it begins.
            evidences: What else is known of the attempts that it ends.

        Raises:
            StoreError: It cannot be stored now.
        """
        piece = _Piece(sid, data, offset, evidences)
        await self._put(piece)
        return piece.reached

    async def __call__(self, decide: Callable[[Turn], T]) -> T:
        """Make a decision, and pass the gates in the same one if it sets something free.

        It is for those that hardly ever fail: who waits along with them is tried again.

        Args:
            decide: Makes it.

        Raises:
            StoreError: It cannot be stored now; nothing has happened.
        """
        wish = _Wish(decide)
        await self._put(wish)
        return Answer(wish.value).unwrap()

    async def ask(self, asked: Sequence[Callable[[Turn], T]]) -> list[Answer[T]]:
        """Make decisions that may be refused, and pass the gates as for any other.

        Args:
            asked: Make them, one after the other; where others fail, each is called again.

        Returns:
            For each its value, or the error: `StoreError` when it cannot be stored now, any
            other `ClawError` when it is refused. Of what failed nothing has happened.
        """
        requests = [_Request(decide) for decide in asked]
        await self._wait_for(requests)
        return [Answer(one.value, one.error) for one in requests]

    async def pass_gates(self) -> None:
        """See what may begin.

        Raises:
            StoreError: It cannot be stored now.
        """
        await self._put(_Piece())

    async def _put(self, piece: _Piece) -> None:
        """Have something decided about, and raise what went wrong."""
        await self._wait_for([piece])
        piece.check()

    async def _wait_for(self, pieces: Sequence[_Piece]) -> None:
        """Wait for the decision that takes the last; who comes first makes it for all."""
        with trio.CancelScope(shield=True):
            self._waiting += pieces
            while not pieces[-1].is_done:
                async with self._beat:
                    if not pieces[-1].is_done:
                        await self._decide_about(self._next())

    def _next(self) -> list[_Piece]:
        """Take those that wait, as many as are decided about at once."""
        size, count = 0, 0
        for piece in self._waiting:
            size += len(piece.data)
            if count and size > _MOST_BYTES:
                break
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken

    async def _decide_about(self, pieces: list[_Piece]) -> None:
        error = await self._try(pieces, passes=True)
        if isinstance(error, StoreError):
            for piece in pieces:
                piece.error = error
        elif error is not None:
            for piece in pieces:  # what a journal has set free is looked at on its own, later
                failed = await self._try([piece], passes=piece.is_for_gates)
                piece.error = failed or piece.error
        for piece in pieces:
            piece.is_done = True

    async def _try(self, pieces: list[_Piece], *, passes: bool) -> BaseException | None:
        """Make the decision and tell what was wrong with it, if anything."""
        passes = passes and self.on_passed is not None
        free = self._free() if passes else []
        try:
            passed = await self._decide(
                lambda turn: self._together(turn, pieces, free, passes=passes)
            )
        except Exception as error:  # noqa: BLE001  it is for those who asked
            return error
        if passed is not None and self.on_passed is not None:
            self.on_passed(passed)
        return None

    @staticmethod
    def _together(
        turn: Turn, pieces: list[_Piece], free: list[tuple[str, int]], *, passes: bool
    ) -> Passed | None:
        for piece in pieces:
            piece.apply(turn)
        if not passes:
            return None
        consequences.follow(turn)
        if turn.effects.pop(Dispatch(), _ABSENT) is _ABSENT:
            return None
        turn.free = free
        claims = dispatch.dispatch(turn)
        return Passed(claims, turn.tx.next_due(turn.now), needing_sockets(turn))


_ABSENT = object()
