"""Runs that are tried again: every step durable, every count kept."""

from dataclasses import replace

import pytest

from claw.master.engine import intents, journal, rebuild
from claw.master.engine.histories import Spool
from claw.model.effect import Dispatch
from claw.model.job import Job, JobType, Overlap
from claw.model.retry import Delivery, Retry
from claw.model.run import Run, State
from tests.kit.desk import Desk, Journal, job

LADDER = Retry(delays_s=(10, 20), max_attempts=3)


def tried(name: str = "j", **values: object) -> Job:
    """Return a job with a ladder."""
    return job(name, **{"retry": LADDER, **values})  # type: ignore[arg-type]


def again(desk: Desk) -> Journal:
    """Begin the one attempt that is due."""
    (claim,) = desk.dispatch()
    return desk.launch(claim)


def test_a_run_that_fails_waits_and_is_tried_again() -> None:
    desk = Desk(tried())
    run = desk.end(desk.begin("j"), 3)
    assert (run.state, run.cause, run.retries) == (State.RETRY_WAIT, "retry", 1)
    assert (run.due_at - desk.now).total_seconds() == 10
    assert run.waiting_for == "exit 3: attempt 2 of 3 follows"
    assert desk.dispatch() == ()
    desk.pass_s(10)

    run = desk.end(again(desk), 0)

    assert (run.state, run.attempt, run.retries) == (State.SUCCEEDED, 2, 1)
    attempts = desk.database.view(lambda tx: tx.attempts(run.id))
    assert [(one.no, one.cause, one.exit_code) for one in attempts] == [
        (1, "start", 3),
        (2, "retry", 0),
    ]


def test_every_move_of_a_retry_has_its_event_and_the_failure_has_one() -> None:
    desk = Desk(tried())
    run = desk.end(desk.begin("j"), 3)
    for _ in range(2):
        desk.pass_s(20)
        run = desk.end(again(desk), 3)
    assert (run.state, run.reason, run.attempt) == (State.FAILED, "exit_code", 3)
    moves = [new for _old, new in desk.moves(run.id)]
    once = ["queued", "claimed", "running"]
    assert moves == [*once, "retry_wait", *once, "retry_wait", *once, "failed"]


def test_the_next_time_is_known_to_whoever_wakes_the_gates() -> None:
    desk = Desk(tried())
    run = desk.end(desk.begin("j"), 3)
    assert desk.database.view(lambda tx: tx.next_due(desk.now)) == run.due_at


def test_a_run_that_waits_for_a_retry_holds_no_place() -> None:
    desk = Desk(tried(max_instances=1))
    desk.end(desk.begin("j"), 3)
    assert Dispatch() in desk.effects
    assert desk.begin("j").sid


@pytest.mark.parametrize("overlap", [Overlap.SKIP, Overlap.QUEUE, Overlap.KILL_RESTART])
def test_a_retry_that_meets_another_run_waits_its_turn(overlap: Overlap) -> None:
    desk = Desk(tried(on_overlap=overlap, max_queued=1))
    first = desk.end(desk.begin("j"), 3)
    other = desk.begin("j")
    desk.pass_s(10)
    assert desk.dispatch() == ()
    assert desk.run(first.id).state is State.QUEUED
    assert not desk.stops()

    desk.end(other, 0)

    assert desk.run_of(again(desk)).id == first.id


def test_a_cancel_ends_the_wait_and_is_never_followed_by_another_attempt() -> None:
    desk = Desk(tried())
    run = desk.end(desk.begin("j"), 3)
    desk.do(lambda turn: intents.cancel_run(turn, run.id, by="tester"))
    assert desk.run(run.id).state is State.CANCELED
    desk.pass_s(60)
    assert desk.dispatch() == ()


def test_a_child_that_fails_while_it_is_canceled_is_not_tried_again() -> None:
    desk = Desk(tried())
    found = desk.begin("j")
    run_id = desk.run_of(found).id
    desk.do(lambda turn: intents.cancel_run(turn, run_id, by="tester"))
    assert desk.end(found, 3).state is State.FAILED


def test_what_could_not_be_launched_is_tried_again() -> None:
    desk = Desk(tried())
    run = desk.ask("j")
    desk.dispatch()
    desk.do(lambda turn: journal.launch_refused(turn, run.id, 1, "no user", retryable=False))
    assert desk.run(run.id).state is State.RETRY_WAIT
    desk.pass_s(10)
    assert len(desk.dispatch()) == 1


def test_a_journal_read_twice_makes_one_retry() -> None:
    desk = Desk(tried())
    found = desk.begin("j")
    run = desk.end(found, 3)
    before = desk.dump()
    desk.read(found, 0)
    assert desk.dump() == before
    assert desk.run(run.id).retries == 1


def test_a_stopped_job_is_not_tried_again_and_a_paused_one_waits() -> None:
    desk = Desk(tried("stopped"), tried("paused"))
    stopped = desk.end(desk.begin("stopped"), 3)
    paused = desk.end(desk.begin("paused"), 3)
    desk.do(lambda turn: intents.stop_job(turn, "stopped", by="tester"))
    desk.do(lambda turn: intents.pause_job(turn, "paused", by="tester"))
    desk.pass_s(10)
    assert desk.dispatch() == ()
    assert desk.run(stopped.id).state is State.CANCELED
    assert desk.run(paused.id).state is State.QUEUED


def test_a_retry_outlives_a_shutdown() -> None:
    desk = Desk(tried())
    run = desk.end(desk.begin("j"), 3)
    desk.do(lambda turn: intents.shut_down(turn, by="daemon"))
    desk.pass_s(10)
    assert desk.dispatch() == ()
    assert desk.run(run.id).state is State.RETRY_WAIT


def test_a_job_that_lost_its_ladder_ends_at_its_next_failure() -> None:
    desk = Desk(tried())
    desk.end(desk.begin("j"), 3)
    desk.set_config(job("j"))
    desk.pass_s(10)
    assert desk.end(again(desk), 3).state is State.FAILED


def lose(desk: Desk, found: Journal) -> Run:
    """Have a supervisor and its child go down with the host."""
    run = desk.run_of(found)
    desk.do(lambda turn: journal.lost(turn, found.sid, "the host went down"))
    return desk.run(run.id)


def test_a_lost_run_has_crashed_unless_it_is_to_be_delivered() -> None:
    desk = Desk(tried("once"), tried("surely", delivery_guarantee=Delivery.AT_LEAST_ONCE))
    assert lose(desk, desk.begin("once")).state is State.CRASHED
    run = lose(desk, desk.begin("surely"))
    assert (run.state, run.cause, run.retries) == (State.RETRY_WAIT, "replay", 1)
    assert desk.standing("surely").crashes == 0


def test_a_run_that_takes_the_host_down_is_not_replayed_for_ever() -> None:
    desk = Desk(job("j", delivery_guarantee=Delivery.AT_LEAST_ONCE))
    run = lose(desk, desk.begin("j"))
    while run.state is State.RETRY_WAIT:
        desk.pass_s(600)
        run = lose(desk, again(desk))
    assert (run.state, run.attempt, run.reason) == (State.CRASHED, 5, "lost")


@pytest.mark.parametrize("delivery", list(Delivery))
def test_a_shutdown_puts_a_run_back_that_is_to_be_delivered(delivery: Delivery) -> None:
    desk = Desk(job("j", delivery_guarantee=delivery))
    found = desk.begin("j")
    desk.do(lambda turn: intents.shut_down(turn, by="daemon"))
    run = desk.end(found, 0, why="shutdown")
    desk.do(lambda turn: turn.tx.put_meta("ending", None))
    if delivery is Delivery.AT_MOST_ONCE:
        assert run.state is State.CANCELED
        return
    assert (run.state, run.cause, run.retries) == (State.QUEUED, "replay", 0)
    assert desk.end(again(desk), 0).state is State.SUCCEEDED


def test_a_claim_that_a_shutdown_overtakes_is_put_back_too() -> None:
    desk = Desk(job("j", delivery_guarantee=Delivery.AT_LEAST_ONCE))
    run = desk.ask("j")
    desk.dispatch()
    desk.do(lambda turn: intents.shut_down(turn, by="daemon"))
    desk.do(lambda turn: journal.never_launched(turn, run.id, 1))
    assert desk.run(run.id).state is State.QUEUED


def test_a_rebuilt_database_goes_on_with_the_ladder() -> None:
    desk = Desk(tried())
    desk.end(desk.begin("j"), 3)
    desk.pass_s(10)
    second = again(desk)
    run = desk.end(second, 3)
    spools = [Spool(one.sid, one.data) for one in desk.journals.values()]

    after = Desk(tried())
    after.now = desk.now
    after.do(lambda turn: rebuild.rebuild(turn, spools, why="a test"))

    found = after.run(run.id)
    assert (found.state, found.attempt, found.retries) == (State.RETRY_WAIT, 2, 2)
    assert found.due_at == run.due_at


def test_skip_code_ends_a_run_well_and_says_so() -> None:
    desk = Desk(tried(skip_code=75))
    run = desk.end(desk.begin("j"), 75)
    assert (run.state, run.note, run.exit_code) == (State.SUCCEEDED, "already done", 75)


def test_a_oneshot_is_done_only_after_an_attempt_that_ended_well() -> None:
    desk = Desk(tried(type_=JobType.ONESHOT, run_at=Desk().now))
    assert replace(desk.standing("j")).done_at is None
    assert desk.end(desk.begin("j"), 3).state is State.RETRY_WAIT
    assert desk.standing("j").done_at is None


def test_a_rebuilt_database_follows_a_supervisor_that_made_several_attempts() -> None:
    desk = Desk(tried())
    first = desk.begin("j")
    run = desk.end(first, 3)
    desk.pass_s(10)
    second = again(desk)
    desk.end(second, 0)
    spool = Spool(first.sid, first.data + second.data)

    after = Desk(tried())
    after.now = desk.now
    after.do(lambda turn: rebuild.rebuild(turn, [spool], why="a test"))

    found = after.run(run.id)
    assert (found.state, found.attempt, found.retries) == (State.SUCCEEDED, 2, 1)
    attempts = after.database.view(lambda tx: tx.attempts(run.id))
    assert [(one.no, one.cause, one.exit_code) for one in attempts] == [
        (1, "start", 3),
        (2, "retry", 0),
    ]
