"""Batches of more runs than one transaction should make: stored whole, made piece by piece.

What is asked for comes in one request or in several, each on disk when it is answered. With
the last of them the batch is whole: from then on all of its runs will be made, in their order,
a piece in each transaction, so that nobody else is kept waiting, as the queue has room, part of
which is left to others; the first of them at once. Before, there is nothing of it: what nobody
adds to for ten minutes is forgotten. How far it is and what its runs have in common are kept
apart, since every decision that ends runs reads the first, of all batches.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from claw.errors import NotFoundError, SaturatedError
from claw.master.engine import approvals, intake
from claw.master.engine.intake import Ask, Particular
from claw.master.engine.turn import Turn
from claw.model import ids
from claw.model.effect import BatchGoesOn
from claw.model.run import Origin, Priority
from claw.model.values import replace
from claw.store.records import Tx

PIECE = 100
"""So many runs are made in one transaction of a batch that has more."""
MOST = 1_000_000
"""So many runs a batch has at most."""
HEAPS = 100
"""So many batches are there at once, of all askers."""
BEGUN = 10
"""So many of one asker that are not whole."""
OPEN_AT_ONCE = 500
"""So many runs of one batch are open at once: one transaction ends them."""
_FOR_OTHERS = 4
"""This part of the queue is left to what is no such batch."""
AGAIN_S = 0.5
"""When the queue is looked at again that had no room."""
_LEFT_ALONE = timedelta(minutes=10)
_HEAPS, _PARTS, _COMMON, _END = "batch ", "piece ", "common", "~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heap:
    """A batch of which runs are still to be made."""

    batch: str
    job: str
    by: str  # who asks
    due_at: datetime | None  # None: now
    told_at: datetime  # when the last of it came in
    count: int = 0  # of its runs
    made: int = 0
    is_whole: bool = False

    @property
    def left(self) -> int:
        """How many runs of it will be made yet."""
        return self.count - self.made if self.is_whole else 0


def add(
    turn: Turn, ask: Ask, runs: Sequence[Particular], *, batch: str | None, is_last: bool
) -> Heap:
    """Store some of the runs that a batch is to have; the last ones complete it.

    Args:
        turn: The decision.
        ask: What all have in common; that of the first request counts.
        runs: What each has of its own.
        batch: The id that the first request was answered with; None: this is the first.
        is_last: No more are to come.

    Raises:
        NotFoundError: No such job; or no batch of that id is to be completed.
        SaturatedError: The queue is full; or it has too many runs, by itself or to wait for
            approval; or there are too many batches.
        ConflictError, UsageError, DeniedError: As for `intake.submit_batch`.
    """
    if batch is None:
        heap = _begin(turn, ask)
    else:
        heap, ask = _begun(turn.tx, ask, batch)
    intake.check_batch(turn, ask, runs)
    count = heap.count + len(runs)
    if count > MOST:
        raise SaturatedError(f"a batch has at most {MOST} runs", hint="make it two")
    approvals.check_room(turn, turn.job(heap.job), count)
    for at in range(0, len(runs), PIECE):
        _put_piece(turn.tx, heap.batch, heap.count + at, runs[at : at + PIECE])
    heap = replace(heap, count=count, is_whole=is_last, told_at=turn.now)
    _put_heap(turn.tx, heap)
    if is_last:
        intake.check_room(turn)
        _make(turn, heap, max(1, _room(turn, heap)))
    if is_last or batch is None:
        turn.emit(BatchGoesOn())
    return heap


def _begin(turn: Turn, ask: Ask) -> Heap:
    """Begin a batch, if there are not too many."""
    heaps = list(_heaps(turn.tx))
    begun = sum(heap.by == ask.by and not heap.is_whole for heap in heaps)
    if len(heaps) >= HEAPS or begun >= BEGUN:
        raise SaturatedError(
            f"there are {len(heaps)} large batches, {begun} of {ask.by} that are not complete;"
            f" there may be {HEAPS}, and {BEGUN}",
            hint="what nobody adds to for ten minutes is forgotten: try again later",
        )
    heap = Heap(
        batch=turn.new_batch_id(), job=ask.job, by=ask.by, due_at=ask.due_at, told_at=turn.now
    )
    _put_common(turn.tx, heap.batch, ask)
    return heap


def _begun(tx: Tx, ask: Ask, batch: str) -> tuple[Heap, Ask]:
    """Return a batch that somebody adds to, and what its runs have in common."""
    text = tx.meta(_HEAPS + batch)
    heap = None if text is None else _heap_of(text)
    common = None if heap is None else _common(tx, heap)
    is_theirs = heap is not None and (heap.by, heap.job) == (ask.by, ask.job)
    if heap is None or common is None or heap.is_whole or not is_theirs:
        raise NotFoundError(
            f"no batch {batch!r} of job {ask.job!r} is to be completed by {ask.by}",
            hint="what nobody adds to for ten minutes is forgotten: begin anew",
        )
    return heap, common


def go_on(turn: Turn) -> float | None:
    """Make the next piece of a batch, the oldest for which there is room.

    Where there is room for a part of it that part is made, and the others later: few at a time
    would cost as much as all of them each time.

    Returns:
        After how many seconds to call this again; None: when a batch has come in.
    """
    heaps = list(_heaps(turn.tx))
    for heap in heaps:
        if not heap.is_whole and turn.now - heap.told_at > _LEFT_ALONE:
            _forget(turn.tx, heap)
        elif heap.is_whole and turn.config.job(heap.job) is None:
            drop(turn, [heap], by="claw")
        elif heap.is_whole and _make(turn, heap, _room(turn, heap)):
            return 0.0
    if any(heap.is_whole for heap in heaps):
        return AGAIN_S
    return _LEFT_ALONE.total_seconds() if heaps else None


def _room(turn: Turn, heap: Heap) -> int:
    """Return how many more runs of a batch may be made now; none where that is 0 or less."""
    return min(
        intake.room(turn) - turn.config.daemon.max_queue // _FOR_OTHERS,
        OPEN_AT_ONCE - turn.tx.count_open_of(heap.batch),
        approvals.room(turn, turn.job(heap.job)),
    )


def _make(turn: Turn, heap: Heap, room: int) -> bool:
    """Make the next piece of a batch as far as there is room; tell whether there was enough."""
    if room <= 0:
        return False
    runs, common = _next_piece(turn.tx, heap), _common(turn.tx, heap)
    if not runs or common is None:  # the store was damaged
        drop(turn, [heap], by="claw")
        return False
    some, others = runs[:room], runs[room:]
    intake.add_to_batch(turn, common, heap.batch, some, heap.made)
    turn.tx.put_meta(_key(heap.batch, heap.made), None)
    heap = replace(heap, made=heap.made + len(some))
    if others:
        _put_piece(turn.tx, heap.batch, heap.made, others)
    if heap.left:
        _put_heap(turn.tx, heap)
    else:
        _forget(turn.tx, heap)
    return not others


def drop(turn: Turn, heaps: Collection[Heap], *, by: str) -> int:
    """Make no more runs of some batches; return how many will not be."""
    for heap in heaps:
        _forget(turn.tx, heap)
        if heap.left:
            why = f"batch {ids.short(heap.batch)}: {heap.left} runs that were to come will not"
            turn.note("batch.dropped", job=heap.job, why=why, by=by)
    return sum(heap.left for heap in heaps)


def meant(tx: Tx, jobs: Collection[str] = (), batches: Collection[str] = ()) -> list[Heap]:
    """Return the batches of some jobs, whole or not, and some by their ids."""
    return [heap for heap in _heaps(tx) if heap.job in jobs or heap.batch in batches]


def named(tx: Tx, text: str) -> list[str]:
    """Return the ids of whole batches that begin or end with a text of six letters or more."""
    if len(text) < ids.SHORT_LENGTH:
        return []
    found = (heap.batch for heap in _heaps(tx) if heap.is_whole)
    return [one for one in found if one.startswith(text) or one.endswith(text)]


def waiting(tx: Tx, *, until: datetime | None = None) -> list[Heap]:
    """Return the batches of which runs will be made; or only those that are due by a time."""
    return [
        heap
        for heap in _heaps(tx)
        if until is None or heap.due_at is None or heap.due_at <= until
    ]


def left_of(tx: Tx, batch: str) -> int:
    """Return how many runs of a batch will be made yet."""
    text = tx.meta(_HEAPS + batch)
    return 0 if text is None else _heap_of(text).left


# -- as it is stored -----------------------------------------------------------------------


def _heaps(tx: Tx) -> Iterator[Heap]:
    return (_heap_of(text) for _key, text in tx.metas(_HEAPS, _HEAPS + _END))


def _heap_of(text: str) -> Heap:
    told = json.loads(text)
    due_at = told["due_at"]
    told["due_at"] = None if due_at is None else datetime.fromisoformat(due_at)
    told["told_at"] = datetime.fromisoformat(told["told_at"])
    return Heap(**told)


def _put_heap(tx: Tx, heap: Heap) -> None:
    tx.put_meta(_HEAPS + heap.batch, json.dumps(asdict(heap), default=datetime.isoformat))


def _common(tx: Tx, heap: Heap) -> Ask | None:
    text = tx.meta(_key(heap.batch, _COMMON))
    if text is None:
        return None
    told = json.loads(text)
    told["origin"] = Origin(told["origin"])
    told["priority"] = None if told["priority"] is None else Priority(told["priority"])
    told["env"] = tuple(map(tuple, told["env"]))
    told["args"] = tuple(told["args"])
    return Ask(job=heap.job, by=heap.by, due_at=heap.due_at, **told)


def _put_common(tx: Tx, batch: str, ask: Ask) -> None:
    names = ("origin", "key", "env", "args", "forced", "priority", "is_limited")
    told = {name: getattr(ask, name) for name in names}
    tx.put_meta(_key(batch, _COMMON), json.dumps(told))


def _next_piece(tx: Tx, heap: Heap) -> list[Particular]:
    told = json.loads(tx.meta(_key(heap.batch, heap.made)) or "[]")
    return [Particular(tuple(args), tuple(map(tuple, env))) for args, env in told]


def _put_piece(tx: Tx, batch: str, no: int, runs: Sequence[Particular]) -> None:
    tx.put_meta(_key(batch, no), json.dumps([(one.args, one.env) for one in runs]))


def _key(batch: str, what: object) -> str:
    """Return where a part of a batch is: the piece that begins with a run, or `_COMMON`."""
    return f"{_PARTS}{batch} {what}"


def _forget(tx: Tx, heap: Heap) -> None:
    tx.delete_metas(_key(heap.batch, ""), _key(heap.batch, _END))
    tx.put_meta(_HEAPS + heap.batch, None)
