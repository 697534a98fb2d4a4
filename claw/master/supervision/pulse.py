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

from claw.errors import ClawError, InternalError, StoreError
from claw.master.decider import Decider
from claw.master.engine import consequences, dispatch, journal, sockets
from claw.master.engine.dispatch import Claim
from claw.master.engine.turn import Turn
from claw.model.effect import Dispatch
from claw.model.evidence import Evidences
from claw.store.database import Answer

T = TypeVar("T")
_LOG = logging.getLogger("claw.dispatch")
_MOST_BYTES = 1 << 20
"""Of journals in one decision, or one piece of any size: others want the writer too."""
_REST_S = 0.1
"""So long what comes while a decision is under way is left to the next, which asks for it."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What a pass of the gates has come to.

    Attributes:
        claims: To be launched.
        next_due: When the next run is due that is not yet.
        needed: As `claw.master.engine.sockets.needing` has it; None: nothing
            was looked at but what is armed, and it says nothing of sockets.
    """

    claims: tuple[Claim, ...]
    next_due: datetime | None
    needed: dict[str, bool] | None


class Piece:
    """What waits to be decided about: a piece of a journal, or a pass of the gates without."""

    __slots__ = (
        "called", "data", "error", "evidences", "is_done", "offset", "on_decided", "reached",
        "sid",
    )  # fmt: skip

    def __init__(
        self,
        sid: str = "",
        data: bytes = b"",
        offset: int = 0,
        evidences: Evidences = journal.NO_EVIDENCE,
        on_decided: "Callable[[Piece], None] | None" = None,
    ) -> None:
        self.sid = sid
        self.data = data
        self.offset = offset
        self.evidences = evidences
        self.reached = 0
        self.error: BaseException | None = None
        self.is_done = False
        self.on_decided = on_decided
        self.called: trio.Event | None = None  # set: it is done, or its turn to decide

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

    def finish(self) -> None:
        """It has been decided about: tell who waits for that."""
        self.is_done = True
        if self.on_decided is not None:
            _guarded(self.on_decided, self, otherwise=None)
        if self.called is not None:
            self.called.set()

    def check(self) -> None:
        """Raise what went wrong."""
        if self.error is not None:
            raise self.error


class _Wish(Piece, Generic[T]):
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


class _Look(Piece):
    """A wish to have taken in what journals have grown by; there is nothing in it itself."""

    __slots__ = ()


class Pulse:
    """Decides about journals and gates, one decision at a time.

    Attributes:
        on_passed: Called with what each pass has come to, in their order; None: the gates
            are not passed yet, and `Dispatch` is left to whom it concerns.
        free: Names the supervisors that would take another run, and the sizes of their
            journals.
        grown: Called when a decision begins, with how many bytes it has room for: returns
            what journals have grown by.
    """

    def __init__(self, decider: Decider) -> None:
        """Begin with nothing, and have decisions made by a decider."""
        self.decider = decider
        self.free: Callable[[], list[tuple[str, int]]] = list
        self._waiting: list[Piece] = []
        self._decided = trio.Event()  # set: no decision is under way
        self._decided.set()
        self.grown: Callable[[int], list[Piece]] = lambda _room: []
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
        piece = Piece(sid, data, offset, evidences)
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
        await self._put(Piece())

    async def look(self) -> None:
        """Have what journals have grown by taken in."""
        await self._put(_Look())

    async def rest(self) -> None:
        """Wait while one decision follows the other, but not for long."""
        if not self._decided.is_set():
            with trio.move_on_after(_REST_S):
                while not self._decided.is_set():
                    await self._decided.wait()

    async def _put(self, piece: Piece) -> None:
        """Have something decided about, and raise what went wrong."""
        await self._wait_for([piece])
        piece.check()

    async def _wait_for(self, pieces: Sequence[Piece]) -> None:
        """Wait for the decision that takes them; who comes first makes it for all."""
        with trio.CancelScope(shield=True):
            self._waiting += pieces
            if not self._decided.is_set():
                called = trio.Event()
                for piece in pieces:
                    piece.called = called
                await called.wait()
            if not pieces[-1].is_done:
                await self._lead()

    async def _lead(self) -> None:
        """Decide about what waits, and call who is to decide next."""
        if self._decided.is_set():
            self._decided = trio.Event()
        pieces = self._next()
        try:
            await self._decide_about(pieces)
        except BaseException:
            for piece in pieces:
                piece.error = InternalError("the decision was cut short")
            raise
        finally:
            for piece in pieces:
                piece.finish()
            following = self._waiting[0].called if self._waiting else self._decided
            assert following is not None  # noqa: S101  all wait but who decides
            following.set()

    def _next(self) -> list[Piece]:
        """Take those that wait, as many as are decided about at once, and what has grown."""
        size, count = 0, 0
        for piece in self._waiting:
            size += len(piece.data)
            if count and size > _MOST_BYTES:
                break
            count += 1
        taken, self._waiting = self._waiting[:count], self._waiting[count:]
        return taken + _guarded(self.grown, _MOST_BYTES - size, otherwise=list[Piece]())

    async def _decide_about(self, pieces: list[Piece]) -> None:
        pieces = [piece for piece in pieces if not isinstance(piece, _Look)]
        if not pieces:
            await trio.lowlevel.checkpoint()  # however often it is asked for, others go on
            return
        error = await self._try(pieces, passes=True)
        if isinstance(error, StoreError):
            for piece in pieces:
                piece.error = error
        elif error is not None:
            for piece in pieces:  # what a journal has set free is looked at on its own, later
                failed = await self._try([piece], passes=piece.is_for_gates)
                piece.error = failed or piece.error

    async def _try(self, pieces: list[Piece], *, passes: bool) -> BaseException | None:
        """Make the decision and tell what was wrong with it, if anything."""
        passes = passes and self.on_passed is not None
        free: list[tuple[str, int]] = []
        if passes:
            free = _guarded(self.free, otherwise=free)
        try:
            passed = await self.decider(
                lambda turn: self._together(turn, pieces, free, passes=passes)
            )
        except Exception as error:  # noqa: BLE001  it is for those who asked
            return error
        if passed is not None and self.on_passed is not None:
            _guarded(self.on_passed, passed, otherwise=None)
        return None

    @staticmethod
    def _together(
        turn: Turn, pieces: list[Piece], free: list[tuple[str, int]], *, passes: bool
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
        return Passed(claims, turn.tx.next_due(turn.now), sockets.needing(turn))


def _guarded(call: Callable[..., T], *args: object, otherwise: T) -> T:
    """Call what others have to do at a decision: a mistake there leaves nobody waiting."""
    try:
        return call(*args)
    except Exception:  # noqa: BLE001  the decision stands, or is made without
        _LOG.exception("a mistake beside a decision")
        return otherwise


_ABSENT = object()
