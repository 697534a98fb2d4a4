"""Runs that have failed for good: kept, done again, or forgotten."""

from datetime import timedelta

import pytest

from claw.errors import ConflictError, NotFoundError, SaturatedError
from claw.master.engine import deadletters
from claw.master.engine.deadletters import Changes
from claw.master.engine.turn import Turn
from claw.master.handlers import purging
from claw.model.alerts import AlertKind
from claw.model.job import Daemon, Job
from claw.model.retry import Delivery, Retry
from claw.model.run import Origin, Run, State
from claw.store.records import Tx
from tests.kit.desk import Desk, job
from tests.unit.master.test_retries import again, lose

SAME = Changes()


def kept(name: str = "j", **values: object) -> Job:
    """Return a job whose failed runs are kept."""
    return job(name, **{"dead_letter": True, **values})  # type: ignore[arg-type]


def reinject(desk: Desk, run: Run, key: str = "k", changes: Changes = SAME) -> Run:
    """Have a dead letter done again."""
    dead = desk.run(run.id)
    return desk.do(
        lambda turn: deadletters.reinject(turn, dead, key=key, by="tester", changes=changes)
    )


def types(desk: Desk, run: str) -> list[str]:
    """Return the types of a run's events that are no moves."""
    found = desk.events(run=run)
    return [one.type for one in found if one.new is None and one.type.startswith("run.")]


def standing(desk: Desk) -> list[str]:
    """Return the kinds of the alerts that stand."""
    return [one.kind for one in desk.database.view(lambda tx: tx.standing_alerts("j"))]


def test_a_run_is_a_dead_letter_after_its_last_attempt_and_not_before() -> None:
    desk = Desk(kept(retry=Retry(delays_s=(10,), max_attempts=2)))
    first = desk.end(desk.begin("j"), 3)
    assert (first.dead_at, standing(desk)) == (None, [])
    desk.pass_s(10)
    run = desk.end(again(desk), 3)
    assert (run.state, run.dead_at, run.dead_why) == (State.FAILED, desk.now, "exit_code")
    assert types(desk, run.id) == ["run.dead_letter"]
    assert standing(desk) == [AlertKind.DEAD_LETTER]


def test_what_ended_well_or_was_canceled_is_no_dead_letter() -> None:
    desk = Desk(kept())
    assert desk.end(desk.begin("j"), 0).dead_at is None
    assert desk.end(desk.begin("j"), 0, why="cancel").dead_at is None


def test_a_crash_is_one_and_so_is_what_could_not_be_delivered() -> None:
    desk = Desk(kept("j"), kept("surely", delivery_guarantee=Delivery.AT_LEAST_ONCE))
    assert lose(desk, desk.begin("j")).dead_why == "lost"
    run = lose(desk, desk.begin("surely"))
    while run.state is State.RETRY_WAIT:
        assert run.dead_at is None
        desk.pass_s(600)
        run = lose(desk, again(desk))
    assert run.dead_why == "lost"


def test_poison_goes_to_the_dead_letters_at_once() -> None:
    policy = Retry(delays_s=(10,), max_attempts=9, poison_after=2)
    desk = Desk(kept(retry=policy))
    desk.end(desk.begin("j"), 3)
    desk.pass_s(10)
    run = desk.end(again(desk), 3)
    assert (run.state, run.reason, run.dead_why) == (State.FAILED, "poison", "poison")


def test_a_reinjected_run_is_new_and_says_which_one_it_repeats() -> None:
    desk = Desk(kept())
    dead = desk.end(desk.begin("j", args=("a",), env=(("X", "1"),)), 3)
    run = reinject(desk, dead)
    assert (run.origin, run.replay_of, run.args, run.env) == (
        Origin.REINJECT, dead.id, ("a",), (("X", "1"),),
    )  # fmt: skip
    after = desk.run(dead.id)
    assert (after.dead_at, after.reinjected_as, after.state) == (None, run.id, State.FAILED)
    assert types(desk, dead.id)[-1] == "run.reinjected"
    assert standing(desk) == []


def test_a_reinjected_run_may_have_another_environment_and_other_arguments() -> None:
    desk = Desk(kept())
    dead = desk.end(desk.begin("j", args=("a",), env=(("X", "1"), ("Y", "2"))), 3)
    run = reinject(desk, dead, changes=Changes(env=(("X", "9"),), args=("b", "c")))
    assert (dict(run.env), run.args) == ({"X": "9", "Y": "2"}, ("b", "c"))


def test_the_same_request_reinjects_once_and_another_is_told_what_followed() -> None:
    desk = Desk(kept())
    dead = desk.end(desk.begin("j"), 3)
    run = reinject(desk, dead)
    assert reinject(desk, dead).id == run.id
    with pytest.raises(ConflictError, match=run.id):
        reinject(desk, dead, key="other")
    assert len(desk.runs("j")) == 2


def test_a_reinjected_run_that_fails_is_a_dead_letter_itself() -> None:
    desk = Desk(kept())
    run = reinject(desk, desk.end(desk.begin("j"), 3))
    again(desk)
    (found,) = [one for one in desk.journals.values() if desk.run_of(one).id == run.id]
    assert desk.end(found, 3).dead_at == desk.now


def test_what_is_no_dead_letter_is_neither_reinjected_nor_purged() -> None:
    desk = Desk(job("j"))
    with pytest.raises(ConflictError, match="no dead letter"):
        reinject(desk, desk.end(desk.begin("j"), 3))


def test_a_dead_letter_stays_one_when_it_cannot_be_reinjected() -> None:
    desk = Desk(kept(), daemon=Daemon(max_queue=1))
    dead = desk.end(desk.begin("j"), 3)
    desk.ask("j")
    with pytest.raises(SaturatedError):
        reinject(desk, dead)
    desk.set_config()
    with pytest.raises(NotFoundError):
        reinject(desk, dead)
    assert desk.run(dead.id).dead_at is not None


def test_a_purge_takes_the_mark_and_leaves_the_history() -> None:
    desk = Desk(kept())
    first, second = (desk.end(desk.begin("j"), 3) for _ in range(2))
    desk.do(lambda turn: deadletters.purge(turn, first, by="tester"))
    assert (desk.run(first.id).dead_at, desk.run(first.id).state) == (None, State.FAILED)
    assert standing(desk) == [AlertKind.DEAD_LETTER]
    desk.do(lambda turn: deadletters.purge(turn, second, by="tester"))
    assert standing(desk) == []
    assert types(desk, first.id)[-1] == "run.purged"


def test_old_ones_expire_the_oldest_first_and_some_at_a_time() -> None:
    desk = Desk(kept())
    runs = []
    for _ in range(3):
        runs.append(desk.end(desk.begin("j"), 3).id)
        desk.pass_s(60)
    before = desk.now - timedelta(seconds=90)
    assert desk.do(lambda turn: deadletters.expire(turn, before, 1)) == 1
    assert desk.do(lambda turn: deadletters.expire(turn, before, 5)) == 1
    assert [desk.run(one).dead_at is None for one in runs] == [True, True, False]


def test_they_are_chosen_by_job_and_by_age() -> None:
    desk = Desk(kept("j"), kept("k"))
    old = desk.end(desk.begin("j"), 3).id
    desk.pass_s(60)
    new, other = desk.end(desk.begin("j"), 3).id, desk.end(desk.begin("k"), 3).id

    def chosen(job: str | None, age_s: float | None = None, limit: int = 9) -> set[str]:
        before = None if age_s is None else desk.now - timedelta(seconds=age_s)
        found = desk.do(
            lambda turn: deadletters.chosen(turn, job=job, before=before, limit=limit)
        )
        return {run.id for run in found}

    assert chosen(None) == {old, new, other}
    assert chosen("j") == {old, new}
    assert chosen(None, 30) == {old}
    assert chosen("k", 30) == set()
    assert chosen(None, limit=2) == {new, other}
    with pytest.raises(NotFoundError, match="no job"):
        chosen("nobody")


def test_what_is_purged_leaves_no_alert_about_it() -> None:
    desk = Desk(kept("j"), kept("other"))
    run, other = (desk.end(desk.begin(name), 1) for name in ("j", "other"))
    assert None not in {run.dead_at, other.dead_at}
    assert standing(desk) == [AlertKind.DEAD_LETTER]

    def purge(turn: Turn) -> None:
        turn.tx.delete_runs([run.id])
        purging.detach(turn, "j")

    desk.do(purge)
    [left] = desk.database.view(Tx.all_standing_alerts)
    assert left.job == "other"
