"""Batches of more runs than one transaction should make."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest

from claw.errors import ConflictError, DeniedError, NotFoundError, SaturatedError
from claw.master.control import targets
from claw.master.engine import approvals, batches, intake, intents, piecemeal
from claw.master.engine.intake import Ask, Particular
from claw.master.engine.piecemeal import AGAIN_S, BEGUN, HEAPS, OPEN_AT_ONCE, PIECE, Heap
from claw.master.views import queueview
from claw.model.approval import Approval, Decider
from claw.model.job import Daemon
from claw.model.run import Origin, Priority, Run, State
from tests.kit.desk import Desk, job

COUNT = 2 * PIECE + 50
LINES = [Particular((str(no),), (("NO", str(no)),)) for no in range(COUNT)]


def _add(
    desk: Desk,
    runs: Sequence[Particular] = LINES,
    *,
    batch: str | None = None,
    is_last: bool = True,
    by: str = "eve",
    **values: object,
) -> Heap:
    ask = Ask(**{"job": "a", "origin": Origin.MANUAL, "key": "q", "by": by, **values})  # type: ignore[arg-type]
    return desk.do(lambda turn: piecemeal.add(turn, ask, runs, batch=batch, is_last=is_last))


def _runs(desk: Desk, batch: str) -> list[Run]:
    found = desk.database.view(lambda tx: tx.runs_of_batch(batch, limit=2 * COUNT))
    return list(reversed(found))


def _total(desk: Desk, batch: str) -> object:
    return desk.database.view(lambda tx: batches.progress(tx, batch, desk.now))["total"]


def _stored(desk: Desk) -> int:
    found = desk.database.view(
        lambda tx: (*tx.metas("batch ", "batch~"), *tx.metas("piece ", "piece~"))
    )
    return len(found)


def _go_on(desk: Desk) -> float | None:
    desk.pass_s(0.01)  # as in life: the ids of one millisecond are in no order
    return desk.do(piecemeal.go_on)


def _make_all(desk: Desk) -> None:
    while _go_on(desk) == 0.0:
        pass


def test_its_runs_are_made_piece_by_piece_in_their_order_and_each_once() -> None:
    desk = Desk(job("a", max_instances=COUNT))
    heap = _add(desk, args=("-v",), env=(("ALL", "1"),), priority=Priority.HIGH)

    assert len(_runs(desk, heap.batch)) == PIECE
    assert _total(desk, heap.batch) == COUNT
    assert _go_on(desk) == 0.0
    assert len(_runs(desk, heap.batch)) == 2 * PIECE
    assert _total(desk, heap.batch) == COUNT
    assert _go_on(desk) == 0.0
    assert _go_on(desk) is None

    runs = _runs(desk, heap.batch)
    assert [run.args for run in runs] == [("-v", str(no)) for no in range(COUNT)]
    assert [dict(run.env)["NO"] for run in runs] == [str(no) for no in range(COUNT)]
    assert {dict(run.env)["ALL"] for run in runs} == {"1"}
    assert {run.priority for run in runs} == {Priority.HIGH}
    assert {run.asked_by for run in runs} == {"eve"}
    assert sorted({run.origin_key for run in runs}) == sorted(f"q:{no}" for no in range(COUNT))
    assert _total(desk, heap.batch) == COUNT
    assert _stored(desk) == 0


def test_before_its_last_part_there_is_nothing_of_it() -> None:
    desk = Desk(job("a"))
    begun = _add(desk, LINES[:120], is_last=False)
    _make_all(desk)
    assert desk.runs() == ()

    again = _add(desk, LINES[120:240], batch=begun.batch, is_last=False)
    assert (again.batch, again.count) == (begun.batch, 240)
    _make_all(desk)
    assert desk.runs() == ()

    whole = _add(desk, LINES[240:], batch=begun.batch)
    _make_all(desk)
    assert whole.count == COUNT
    assert [run.args for run in _runs(desk, begun.batch)] == [one.args for one in LINES]


def test_what_nobody_adds_to_for_ten_minutes_is_forgotten() -> None:
    desk = Desk(job("a"))
    begun = _add(desk, is_last=False)
    desk.pass_s(500)
    _add(desk, batch=begun.batch, is_last=False)
    desk.pass_s(500)
    assert _go_on(desk) == timedelta(minutes=10).total_seconds()
    assert _stored(desk)

    desk.pass_s(101)
    _go_on(desk)
    assert _go_on(desk) is None
    assert not _stored(desk)
    with pytest.raises(NotFoundError, match="to be completed"):
        _add(desk, batch=begun.batch)


def test_only_who_has_begun_it_adds_to_it_and_only_until_it_is_whole() -> None:
    desk = Desk(job("a"), job("b"))
    begun = _add(desk, LINES[:1], is_last=False)
    for wrong in ({"by": "mallory"}, {"job": "b"}):
        with pytest.raises(NotFoundError):
            _add(desk, LINES[:1], batch=begun.batch, **wrong)  # type: ignore[arg-type]
    _add(desk, batch=begun.batch)
    with pytest.raises(NotFoundError):
        _add(desk, LINES[:1], batch=begun.batch)


def test_what_the_job_does_not_allow_is_refused_with_the_part_that_has_it() -> None:
    desk = Desk(job("a", params=("NO",)))
    with pytest.raises(DeniedError, match="may not give"):
        _add(desk, is_last=False, is_limited=True)
    desk.do(lambda turn: intents.pause_job(turn, "a", by="eve"))
    with pytest.raises(ConflictError, match="paused"):
        _add(desk, is_last=False)
    assert not _stored(desk)


def test_there_may_be_more_of_them_than_the_queue_has_room_for() -> None:
    desk = Desk(job("a"), daemon=Daemon(max_queue=160))
    heap = _add(desk)
    _make_all(desk)
    assert len(desk.runs()) == 120
    assert _go_on(desk) == AGAIN_S

    while desk.database.view(lambda tx: tx.count_open()):
        for claim in desk.dispatch():
            desk.end(desk.launch(claim))
        _go_on(desk)
        assert desk.database.view(lambda tx: tx.count_open()) <= 120
    assert [run.args for run in _runs(desk, heap.batch)] == [one.args for one in LINES]


def test_they_leave_a_part_of_the_queue_to_others() -> None:
    desk = Desk(job("a"), job("b"), daemon=Daemon(max_queue=100))
    for key in ("q", "r", "s"):
        _add(desk, key=key)
        _make_all(desk)
    for no in range(20):
        ask = Ask(job="b", origin=Origin.SCHEDULE, key=f"other {no}")
        made = desk.do(partial(intake.follow_up, ask=ask))
        assert made.state is State.QUEUED


def test_of_one_batch_so_many_are_open_as_one_transaction_may_end() -> None:
    desk = Desk(job("a"))
    heap = _add(desk, 4 * LINES)
    _make_all(desk)
    assert desk.database.view(lambda tx: tx.count_open_of(heap.batch)) == OPEN_AT_ONCE
    assert _go_on(desk) == AGAIN_S


def test_a_batch_is_named_from_the_yes_on_though_others_hold_the_queue_for_good() -> None:
    desk = Desk(job("a"), job("b"), daemon=Daemon(max_queue=100))
    later = desk.now + timedelta(days=30)
    for no in range(99):
        ask = Ask(job="b", origin=Origin.AT, key=f"later {no}", due_at=later)
        desk.do(partial(intake.submit, ask=ask))
    heap = _add(desk)
    assert _total(desk, heap.batch) == COUNT
    assert len(_runs(desk, heap.batch)) == 1
    assert _named(desk, heap.batch) == heap.batch
    told = desk.database.view(lambda tx: queueview.budgets(tx, desk.config, desk.now))
    assert told["to_come"] == COUNT - 1


def test_a_batch_of_which_all_that_was_made_is_forgotten_is_named_by_what_is_to_come() -> None:
    desk = Desk(job("a"), daemon=Daemon(max_queue=1))
    heap = _add(desk)
    assert _named(desk, heap.batch[-6:]) == heap.batch
    begun = _add(desk, key="r", is_last=False)
    assert _named(desk, begun.batch) is None
    desk.end(desk.launch(desk.dispatch()[0]))
    [run] = _runs(desk, heap.batch)
    desk.do(lambda turn: turn.tx.delete_runs([run.id]))
    assert _named(desk, heap.batch) == heap.batch


def _named(desk: Desk, text: str) -> str | None:
    return desk.database.view(lambda tx: targets.find_batch(tx, text))


def test_a_full_queue_refuses_them() -> None:
    full = Desk(job("a"), daemon=Daemon(max_queue=1))
    _add(full, LINES[:1])
    with pytest.raises(SaturatedError):
        _add(full, LINES, key="r")
    assert not _stored(full)


def test_what_is_still_to_be_made_goes_with_a_stop_and_with_its_job() -> None:
    desk = Desk(job("a"), job("b"))
    _add(desk)
    desk.do(lambda turn: intents.stop_job(turn, "a", by="eve"))
    _make_all(desk)
    assert len(desk.runs()) == PIECE
    assert not _stored(desk)
    dropped = next(one for one in desk.events() if one.type == "batch.dropped")
    assert str(COUNT - PIECE) in (dropped.why or "")

    _add(desk, job="b", key="r")
    desk.set_config(job("a"))
    _make_all(desk)
    assert not _stored(desk)


def test_more_of_them_than_may_wait_for_approval_are_refused_as_they_come_in() -> None:
    desk = Desk(job("a", approval=Approval(), max_pending_approvals=150))
    begun = _add(desk, LINES[:100], is_last=False)
    with pytest.raises(SaturatedError, match="wait for approval"):
        _add(desk, LINES[:100], batch=begun.batch, is_last=False)
    _add(desk, LINES[:50], batch=begun.batch)
    _make_all(desk)
    states = [run.state for run in _runs(desk, begun.batch)]
    assert states == 150 * [State.AWAITING_APPROVAL]


def test_of_a_job_that_has_come_to_need_approval_as_many_are_made_as_may_wait_for_it() -> None:
    desk = Desk(job("a"))
    heap = _add(desk)
    desk.set_config(job("a", approval=Approval(), max_pending_approvals=30))
    assert _go_on(desk) == AGAIN_S
    assert _go_on(desk) == AGAIN_S
    runs = _runs(desk, heap.batch)
    assert len(runs) == PIECE + 30
    desk.do(lambda turn: approvals.reject(turn, runs[-1].id, Decider(name="root")))
    assert _go_on(desk) == AGAIN_S
    assert [run.args for run in _runs(desk, heap.batch)][-1] == (str(PIECE + 30),)


def test_there_are_only_so_many_of_them_at_once() -> None:
    desk = Desk(job("a"))
    for no in range(BEGUN):
        _add(desk, LINES[:1], is_last=False, key=f"eve {no}")
    with pytest.raises(SaturatedError, match="10 of eve"):
        _add(desk)
    for no in range(HEAPS - BEGUN):
        _add(desk, LINES[:1], is_last=False, by=f"user {no}", key=f"other {no}")
    with pytest.raises(SaturatedError, match="100 large batches"):
        _add(desk, by="bob")


def test_what_its_runs_have_in_common_is_read_only_when_they_are_made() -> None:
    desk = Desk(job("a"))
    _add(desk, args=("x" * 400_000,), is_last=False)
    told = desk.database.view(lambda tx: tx.metas("batch ", "batch~"))
    assert sum(len(text) for _key, text in told) < 1000


def test_what_names_one_batch_means_no_other_that_begins_alike() -> None:
    desk = Desk(job("a"))
    heap = _add(desk)
    begun = _add(desk, key="r", by="bob", is_last=False)
    text = heap.batch[:6]
    assert begun.batch.startswith(text)
    chosen = desk.database.view(lambda tx: targets.choose(tx, desk.config, [text]))
    assert chosen.batches == (heap.batch,)
    assert len(chosen.runs) == PIECE
    [meant] = desk.database.view(lambda tx: piecemeal.meant(tx, (), chosen.batches))
    assert meant.batch == heap.batch


@pytest.mark.parametrize("what", [PIECE, "common"])
def test_a_batch_of_which_a_part_is_gone_from_the_store_is_dropped_and_that_is_said(
    what: object,
) -> None:
    desk = Desk(job("a"))
    heap = _add(desk)
    desk.do(lambda turn: turn.tx.put_meta(f"piece {heap.batch} {what}", None))
    _make_all(desk)
    assert not _stored(desk)
    assert [one.type for one in desk.events()].count("batch.dropped") == 1
