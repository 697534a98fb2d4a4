"""The ledger in the store: what becomes of a run's keys at its end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from claw.errors import ConflictError, DeniedError, NotFoundError
from claw.master.engine import idem, journal
from claw.model.idem import Claimant, Entry, key_of
from claw.model.retry import Delivery
from claw.model.run import Run, State
from tests.kit.desk import Desk, Journal, job

EVE = Claimant(run=None, by="eve")


def begin(desk: Desk) -> tuple[Journal, Run, Claimant]:
    begun = desk.begin("j")
    run = desk.run_of(begun)
    return begun, run, Claimant(run=run.id, by="child")


def known(desk: Desk, key: str) -> Entry | None:
    return desk.do(lambda turn: idem.known(turn, key))


def claim(desk: Desk, key: str, who: Claimant) -> bool:
    return desk.do(lambda turn: idem.claim(turn, key, who))[1]


def test_what_a_run_claimed_is_done_when_it_succeeds() -> None:
    desk = Desk(job("j"))
    begun, run, child = begin(desk)

    first, again = claim(desk, "k", child), claim(desk, "k", child)
    other = claim(desk, "k", EVE)
    desk.end(begun, 0)

    entry = known(desk, "k")
    assert (first, again, other) == (True, True, False)
    assert entry is not None
    assert (entry.run, entry.done_at) == (run.id, desk.now)
    assert not claim(desk, "k", child)


@pytest.mark.parametrize("how", [1, "cancel"])
def test_what_a_run_claimed_is_free_when_it_ends_in_any_other_way(how: object) -> None:
    desk = Desk(job("j"))
    begun, run, child = begin(desk)
    claim(desk, "k", child)

    if how == "cancel":
        desk.do(lambda turn: turn.end(turn.run(run.id), why="cancel", by="eve"))
        desk.end(begun, None, why="cancel")
    else:
        desk.end(begun, 1)

    assert known(desk, "k") is None
    assert claim(desk, "k", EVE)


def test_a_key_is_free_when_its_time_is_over() -> None:
    desk = Desk(job("j"))
    desk.do(lambda turn: idem.claim(turn, "k", EVE, timedelta(hours=1)))

    desk.pass_s(3599)
    held = known(desk, "k")
    desk.pass_s(1)

    assert held is not None
    assert known(desk, "k") is None
    assert claim(desk, "other", EVE)  # and with it the old row goes
    assert [one.key for one in desk.database.view(lambda tx: tx.idem_page("", 9))] == ["other"]


def test_a_run_can_claim_its_own_key_and_none_of_another_runs() -> None:
    desk = Desk(job("j"), job("other"))
    _, run, child = begin(desk)
    other = desk.ask("other")

    assert claim(desk, key_of(run), child)
    with pytest.raises(DeniedError, match="form of the keys of runs"):
        claim(desk, key_of(other), child)
    assert claim(desk, key_of(other), EVE)


def test_a_run_that_repeats_another_has_its_key() -> None:
    desk = Desk(job("j"))
    first = desk.ask("j")
    second = replace(first, id="r" + "2" * 26, origin_key="2", replay_of=first.id)
    desk.do(lambda turn: turn.add(second))
    third = replace(first, id="r" + "3" * 26, origin_key="3", replay_of=second.id)

    assert desk.do(lambda turn: idem.key_of(turn, third)) == key_of(first)


def test_a_run_releases_what_is_its_own_and_people_anything() -> None:
    desk = Desk(job("j"))
    _, _, child = begin(desk)
    claim(desk, "mine", child)
    claim(desk, "eves", EVE)

    desk.do(lambda turn: idem.release(turn, "mine", child))
    with pytest.raises(ConflictError, match="belongs to eve"):
        desk.do(lambda turn: idem.release(turn, "eves", child))
    desk.do(lambda turn: idem.release(turn, "eves", EVE))

    with pytest.raises(NotFoundError):
        desk.do(lambda turn: idem.release(turn, "eves", EVE))


AT_LEAST = job("j", delivery_guarantee=Delivery.AT_LEAST_ONCE, dead_letter=True)


def test_work_that_must_be_done_is_done_once_and_its_replay_is_skipped() -> None:
    desk = Desk(AT_LEAST)
    first, run, _ = begin(desk)
    begun = known(desk, key_of(run))
    desk.end(first, 0)
    done = known(desk, key_of(run))

    again = repeat(desk, run)
    assert desk.dispatch() == ()

    assert begun is not None
    assert (begun.run, begun.done_at) == (run.id, None)
    assert done is not None
    assert done.done_at is not None
    skipped = desk.run(again.id)
    assert skipped.state is State.SKIPPED
    assert f"already done by run {run.id[-6:]}" in (skipped.reason or "")


def test_what_failed_is_repeated_once_and_with_force_again() -> None:
    desk = Desk(AT_LEAST)
    first, run, _ = begin(desk)
    desk.end(first, 1)
    assert known(desk, key_of(run)) is None

    second = repeat(desk, run)
    (claim,) = desk.dispatch()
    desk.end(desk.launch(claim), 0)
    third, forced = repeat(desk, run), repeat(desk, run, forced=True)

    assert claim.own["CLAW_IDEMPOTENCY_KEY"] == key_of(run)
    assert [one.run.id for one in desk.dispatch()] == [forced.id]
    assert desk.run(third.id).state is State.SKIPPED
    assert second.id[-6:] in (desk.run(third.id).reason or "")


def test_a_run_that_was_put_back_and_then_revoked_leaves_its_key_free() -> None:
    desk = Desk(AT_LEAST)
    run = desk.ask("j")
    (claim,) = desk.dispatch()
    desk.do(lambda turn: journal.never_launched(turn, run.id, claim.attempt))
    held = known(desk, key_of(run))
    desk.do(lambda turn: turn.end(turn.run(run.id), why="cancel", by="eve"))

    assert held is not None
    assert known(desk, key_of(run)) is None


def repeat(desk: Desk, run: Run, *, forced: bool = False) -> Run:
    return desk.ask("j", replay_of=run.id, forced=forced)


def test_runs_of_other_jobs_claim_nothing_by_themselves() -> None:
    desk = Desk(job("j"))
    _, run, _ = begin(desk)

    assert known(desk, key_of(run)) is None
