"""Batches of more runs than one transaction should make: stored whole, made piece by piece.

What is asked for comes in one request or in several, each on disk when it is answered. With
the last of them the batch is whole: from then on all of its runs will be made, in their order,
a piece in each transaction, so that nobody else is kept waiting, and as the queue has room.
Before, there is nothing of it: what nobody completes within an hour is forgotten.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from claw.errors import ClawError, NotFoundError, SaturatedError
from claw.master.engine import approvals, intake
from claw.master.engine.intake import Ask, Particular
from claw.master.engine.turn import Turn
from claw.model import ids
from claw.model.effect import BatchGoesOn
from claw.model.run import Origin, Priority
from claw.model.values import replace
from claw.store.records import Tx

DIRECT = 2000
"""A batch of no more runs is made at once."""
PIECE = 100
"""So many runs are made in one transaction of a batch that has more."""
MOST = 1_000_000
"""So many runs a batch has at most."""
AGAIN_S = 1.0
"""When the queue is looked at again that had no room."""
_LEFT_ALONE = timedelta(hours=1)
_HEAPS, _PIECES, _END = "batch ", "piece ", "~"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heap:
    """A batch of which runs are still to be made."""

    batch: str
    ask: Ask  # what its runs have in common
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
        SaturatedError: The queue is full, or it has too many runs.
        ConflictError, UsageError, DeniedError: As for `intake.submit_batch`.
    """
    heap = Heap(batch=turn.new_batch_id(), ask=ask, told_at=turn.now)
    if batch is not None:
        heap = _open_heap(turn.tx, ask, batch)
    intake.check_batch(turn, heap.ask, runs)
    if heap.count + len(runs) > MOST:
        raise SaturatedError(f"a batch has at most {MOST} runs", hint="make it two")
    for at in range(0, len(runs), PIECE):
        _put_piece(turn.tx, heap.batch, heap.count + at, runs[at : at + PIECE])
    heap = replace(heap, count=heap.count + len(runs), is_whole=is_last, told_at=turn.now)
    _put_heap(turn.tx, heap)
    if is_last:
        intake.check_room(turn)
        _make(turn, heap)
    turn.emit(BatchGoesOn())
    return heap


def _open_heap(tx: Tx, ask: Ask, batch: str) -> Heap:
    heap = _heap(tx, batch)
    if heap is None or heap.is_whole or (heap.ask.by, heap.ask.job) != (ask.by, ask.job):
        raise NotFoundError(
            f"no batch {batch!r} of job {ask.job!r} is to be completed by {ask.by}",
            hint="what is not completed within an hour is forgotten: begin anew",
        )
    return heap


def go_on(turn: Turn) -> float | None:
    """Make the next piece of a batch, the oldest for which there is room.

    Returns:
        After how many seconds to call this again; None: when a batch has come in.
    """
    heaps = list(_heaps(turn.tx))
    for heap in heaps:
        if not heap.is_whole and turn.now - heap.told_at > _LEFT_ALONE:
            _forget(turn.tx, heap)
        elif heap.is_whole and turn.config.job(heap.ask.job) is None:
            drop(turn, [heap], by="claw")
        elif heap.is_whole and _make(turn, heap):
            return 0.0
    if any(heap.is_whole for heap in heaps):
        return AGAIN_S
    return _LEFT_ALONE.total_seconds() if heaps else None


def _make(turn: Turn, heap: Heap) -> bool:
    """Make the next runs of a batch, as many as there is room for; tell whether there was."""
    [(no, runs)] = _pieces(turn.tx, heap.batch)
    room = intake.room(turn)
    if room < len(runs) and turn.tx.count_open() > turn.config.daemon.max_queue // 2:
        return False  # a few at a time cost as much as all of them
    some = runs[:room]
    try:
        approvals.check_room(turn, turn.job(heap.ask.job), len(some))
    except ClawError:
        return False
    intake.add_to_batch(turn, heap.ask, heap.batch, some, no)
    turn.tx.put_meta(_key(heap.batch, no), None)
    if room < len(runs):
        _put_piece(turn.tx, heap.batch, no + room, runs[room:])
    made = replace(heap, made=heap.made + len(some))
    if made.left:
        _put_heap(turn.tx, made)
    else:
        turn.tx.put_meta(_HEAPS + heap.batch, None)
    return True


def drop(turn: Turn, heaps: Collection[Heap], *, by: str) -> int:
    """Make no more runs of some batches; return how many will not be."""
    for heap in heaps:
        _forget(turn.tx, heap)
        if heap.left:
            why = f"batch {ids.short(heap.batch)}: {heap.left} runs that were to come will not"
            turn.note("batch.dropped", job=heap.ask.job, why=why, by=by)
    return sum(heap.left for heap in heaps)


def meant(tx: Tx, jobs: Collection[str] = (), targets: Collection[str] = ()) -> list[Heap]:
    """Return the batches of some jobs, and those that targets name, by six letters or more."""
    texts = [text.lower() for text in targets if len(text) >= ids.SHORT_LENGTH]
    return [
        heap
        for heap in _heaps(tx)
        if heap.ask.job in jobs
        or any(heap.batch.startswith(one) or heap.batch.endswith(one) for one in texts)
    ]


def waiting(tx: Tx, *, until: datetime | None = None) -> list[Heap]:
    """Return the batches of which runs will be made; or only those that are due by a time."""
    return [
        heap
        for heap in _heaps(tx)
        if until is None or heap.ask.due_at is None or heap.ask.due_at <= until
    ]


def left_of(tx: Tx, batch: str) -> int:
    """Return how many runs of a batch will be made yet."""
    heap = _heap(tx, batch)
    return 0 if heap is None else heap.left


# -- as it is stored -----------------------------------------------------------------------


def _heaps(tx: Tx) -> Iterator[Heap]:
    for key, text in tx.metas(_HEAPS, _HEAPS + _END):
        yield _heap_of(key.removeprefix(_HEAPS), json.loads(text))


def _heap(tx: Tx, batch: str) -> Heap | None:
    text = tx.meta(_HEAPS + batch)
    return None if text is None else _heap_of(batch, json.loads(text))


def _heap_of(batch: str, told: dict[str, Any]) -> Heap:
    due_at, priority = told["due_at"], told["priority"]
    ask = Ask(
        job=told["job"],
        origin=Origin(told["origin"]),
        key=told["key"],
        by=told["by"],
        due_at=None if due_at is None else datetime.fromisoformat(due_at),
        env=tuple((name, value) for name, value in told["env"]),
        args=tuple(told["args"]),
        forced=told["forced"],
        priority=None if priority is None else Priority(priority),
        is_limited=told["is_limited"],
    )
    return Heap(
        batch=batch,
        ask=ask,
        told_at=datetime.fromisoformat(told["told_at"]),
        count=told["count"],
        made=told["made"],
        is_whole=told["is_whole"],
    )


def _put_heap(tx: Tx, heap: Heap) -> None:
    ask = heap.ask
    told = {
        "job": ask.job, "origin": ask.origin, "key": ask.key, "by": ask.by,
        "due_at": None if ask.due_at is None else ask.due_at.isoformat(),
        "env": ask.env, "args": ask.args, "forced": ask.forced, "priority": ask.priority,
        "is_limited": ask.is_limited, "told_at": heap.told_at.isoformat(),
        "count": heap.count, "made": heap.made, "is_whole": heap.is_whole,
    }  # fmt: skip
    tx.put_meta(_HEAPS + heap.batch, json.dumps(told))


def _pieces(tx: Tx, batch: str) -> list[tuple[int, list[Particular]]]:
    """Return the first piece of a batch: the number of its first run, and its runs."""
    begin = _key(batch, 0)[:-_DIGITS]
    return [
        (
            int(key[-_DIGITS:]),
            [Particular(tuple(args), tuple(map(tuple, env))) for args, env in json.loads(text)],
        )
        for key, text in tx.metas(begin, begin + _END, 1)
    ]


_DIGITS = 8


def _key(batch: str, no: int) -> str:
    return f"{_PIECES}{batch} {no:0{_DIGITS}}"


def _put_piece(tx: Tx, batch: str, no: int, runs: Sequence[Particular]) -> None:
    tx.put_meta(_key(batch, no), json.dumps([(one.args, one.env) for one in runs]))


def _forget(tx: Tx, heap: Heap) -> None:
    begin = _key(heap.batch, 0)[:-_DIGITS]
    tx.delete_metas(begin, begin + _END)
    tx.put_meta(_HEAPS + heap.batch, None)
