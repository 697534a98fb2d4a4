"""The gates at work, one transaction at a time."""

from claw.master.engine import intents, services
from claw.model.effect import StopRun
from claw.model.job import Daemon, Overlap
from claw.model.run import State
from tests.kit.desk import Desk, job, service


def test_a_claim_is_on_disk_with_its_attempt_and_supervisor() -> None:
    desk = Desk(job("a"))
    run = desk.ask("a")
    (claim,) = desk.dispatch()
    stored = desk.run(run.id)
    assert (claim.run, claim.attempt, claim.run.sid) == (stored, 1, claim.sid)
    assert stored.state is State.CLAIMED
    row = desk.database.view(lambda tx: tx.attempt(run.id, 1))
    assert row is not None
    assert (row.sid, row.cause, row.pid) == (claim.sid, "start", None)
    supervisor = desk.database.view(lambda tx: tx.supervisor(claim.sid))
    assert supervisor is not None
    assert (supervisor.run, supervisor.offset, supervisor.closed_at) == (run.id, 0, None)
    assert desk.dispatch() == ()


def test_what_is_due_first_goes_first() -> None:
    desk = Desk(
        job("a", max_instances=9), job("b", max_instances=9), daemon=Daemon(max_parallel=3)
    )
    order = []
    for name in ("a", "b", "b", "a", "b"):
        order.append(desk.ask(name).id)
        desk.pass_s(1)
    assert [claim.run.id for claim in desk.dispatch()] == order[:3]


def test_max_parallel_holds_back_and_says_so_until_a_run_ends() -> None:
    desk = Desk(job("a"), job("b"), daemon=Daemon(max_parallel=1))
    first = desk.begin("a")
    second = desk.ask("b")
    assert desk.dispatch() == ()
    assert "max_parallel" in (desk.run(second.id).waiting_for or "")
    desk.end(first)
    assert [claim.run.id for claim in desk.dispatch()] == [second.id]
    assert desk.run(second.id).waiting_for is None


def test_services_take_no_place_of_max_parallel() -> None:
    desk = Desk(service("s"), job("a"), job("b"), daemon=Daemon(max_parallel=1))
    desk.begin("a")
    desk.begin("s")
    desk.ask("b")
    assert desk.dispatch() == ()


def test_queue_waits_for_the_run_before_and_names_it() -> None:
    desk = Desk(job("a"))
    first = desk.begin("a")
    second = desk.ask("a")
    assert desk.dispatch() == ()
    assert desk.run_of(first).id[-6:] in (desk.run(second.id).waiting_for or "")
    desk.end(first)
    assert [claim.run.id for claim in desk.dispatch()] == [second.id]


def test_skip_leaves_a_row_that_says_why() -> None:
    desk = Desk(job("a", on_overlap=Overlap.SKIP))
    desk.begin("a")
    second = desk.ask("a")
    assert desk.dispatch() == ()
    row = desk.run(second.id)
    assert (row.state, row.ended_at) == (State.SKIPPED, desk.now)
    assert "on_overlap = skip" in (row.reason or "")
    assert desk.moves(second.id) == [(None, "queued"), ("queued", "skipped")]


def test_max_queued_turns_away_the_newest() -> None:
    desk = Desk(job("a", max_queued=1))
    desk.begin("a")
    waiting, extra = desk.ask("a"), desk.ask("a")
    desk.dispatch()
    assert desk.run(waiting.id).state is State.QUEUED
    assert desk.run(extra.id).state is State.SKIPPED


def test_kill_restart_ends_the_running_one_and_takes_its_place() -> None:
    desk = Desk(job("a", on_overlap=Overlap.KILL_RESTART))
    first = desk.begin("a")
    second = desk.ask("a")
    assert desk.dispatch() == ()
    old = desk.run_of(first)
    assert desk.stops() == [StopRun(old.id, first.sid, "overlap", "kill_restart")]
    assert desk.dispatch() == ()
    assert desk.stops() == []
    ended = desk.end(first, None, signal=15, why="overlap")
    assert (ended.state, ended.reason) == (State.CANCELED, "overlap")
    assert [claim.run.id for claim in desk.dispatch()] == [second.id]


def test_a_paused_job_keeps_its_queue_until_it_is_resumed() -> None:
    desk = Desk(job("a"))
    run = desk.ask("a")
    desk.do(lambda turn: intents.pause_job(turn, "a", by="bob"))
    assert desk.dispatch() == ()
    assert desk.run(run.id).waiting_for == "paused by bob: clawctl resume a"
    desk.do(lambda turn: intents.resume_job(turn, "a", by="bob"))
    assert len(desk.dispatch()) == 1


def test_a_job_that_is_disabled_while_runs_wait_holds_them() -> None:
    desk = Desk(job("a"))
    desk.ask("a")
    desk.set_config(job("a", enabled=False))
    assert desk.dispatch() == ()
    desk.set_config(job("a"))
    assert len(desk.dispatch()) == 1


def test_a_long_queue_of_a_busy_job_starves_no_other() -> None:
    desk = Desk(job("a"), job("b"), daemon=Daemon(max_parallel=2))
    desk.begin("a")
    for _ in range(20):
        desk.ask("a")
    desk.pass_s(5)
    late = desk.ask("b")
    assert [claim.run.id for claim in desk.dispatch()] == [late.id]


def test_nothing_is_claimed_once_a_shutdown_has_begun() -> None:
    desk = Desk(job("a"))
    desk.ask("a")
    desk.do(lambda turn: intents.shut_down(turn, by="root"))
    assert desk.dispatch() == ()
    desk.do(lambda turn: services.begin(turn, "boot-1"))
    assert len(desk.dispatch()) == 1
