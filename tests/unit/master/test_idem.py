"""The ledger in the store: what becomes of a run's keys at its end."""

from dataclasses import replace
from datetime import timedelta

import pytest

from claw.errors import ConflictError, DeniedError, NotFoundError
from claw.master.engine import idem
from claw.model.idem import Claimant, Entry, key_of
from claw.model.run import Run
from tests.kit.desk import Desk, Journal, job

EVE = Claimant(run=None, by="eve")


def begin(desk: Desk) -> tuple[Journal, Run, Claimant]:
    journal = desk.begin("j")
    run = desk.run_of(journal)
    return journal, run, Claimant(run=run.id, by="child")


def known(desk: Desk, key: str) -> Entry | None:
    return desk.do(lambda turn: idem.known(turn, key))


def claim(desk: Desk, key: str, who: Claimant) -> bool:
    return desk.do(lambda turn: idem.claim(turn, key, who))[1]


def test_what_a_run_claimed_is_done_when_it_succeeds() -> None:
    desk = Desk(job("j"))
    journal, run, child = begin(desk)

    first, again = claim(desk, "k", child), claim(desk, "k", child)
    other = claim(desk, "k", EVE)
    desk.end(journal, 0)

    entry = known(desk, "k")
    assert (first, again, other) == (True, True, False)
    assert entry is not None
    assert (entry.run, entry.done_at) == (run.id, desk.now)
    assert not claim(desk, "k", child)


@pytest.mark.parametrize("how", [1, "cancel"])
def test_what_a_run_claimed_is_free_when_it_ends_in_any_other_way(how: object) -> None:
    desk = Desk(job("j"))
    journal, run, child = begin(desk)
    claim(desk, "k", child)

    if how == "cancel":
        desk.do(lambda turn: turn.end(turn.run(run.id), why="cancel", by="eve"))
        desk.end(journal, None, why="cancel")
    else:
        desk.end(journal, 1)

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
