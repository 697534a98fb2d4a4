"""What operators want: written down first, and it stays."""

import pytest

from claw.errors import ConflictError, NotFoundError
from claw.master.engine import intents, services
from claw.model.effect import Dispatch, Reschedule, StopRun
from claw.model.job import JobType
from claw.model.run import Origin, State
from tests.kit.desk import BOOT, Desk, Journal, job, service

NIGHTLY = job("nightly", JobType.SCHEDULED, schedule=("0 3 * * *",))


def _start(desk: Desk, name: str = "web", *, forced: bool = False) -> str | None:
    key = f"start-{len(desk.runs())}"
    return desk.do(lambda turn: intents.start_job(turn, name, by="me", key=key, forced=forced))


def _up(desk: Desk, name: str = "web") -> Journal:
    _start(desk, name)
    (claim,) = desk.dispatch()
    return desk.launch(claim)


def _stop(desk: Desk, name: str = "web") -> tuple[str, ...]:
    return desk.do(lambda turn: intents.stop_job(turn, name, by="eve"))


def test_start_gives_a_service_one_run_however_often_it_is_asked() -> None:
    desk = Desk(service("web"))
    first = _start(desk)
    assert first is not None
    assert _start(desk) == first
    (claim,) = desk.dispatch()
    assert _start(desk) == first
    desk.launch(claim)
    assert _start(desk) == first
    assert len(desk.runs()) == 1


def test_start_gives_a_manual_job_one_run_and_others_wait_for_their_time() -> None:
    desk = Desk(job("a"), NIGHTLY)
    assert _start(desk, "a") is not None
    assert _start(desk, "nightly") is None
    assert desk.runs("nightly") == ()


def test_stop_is_durable_before_anyone_is_told() -> None:
    desk = Desk(service("web"))
    found = _up(desk)
    desk.stops()
    (run_id,) = _stop(desk)
    run, standing = desk.run(run_id), desk.standing("web")
    assert (run.state, run.stop_why, run.stop_by) == (State.RUNNING, "stop", "eve")
    assert (standing.stopped_by, standing.up) == ("eve", False)
    assert desk.stops() == [StopRun(run_id, found.sid, "stop", "eve")]
    ended = desk.end(found, None, signal=15, why="stop")
    assert (ended.state, ended.reason) == (State.CANCELED, "stop")
    assert desk.events(run=run_id)[-1].by == "eve"


def test_stop_cancels_what_waits() -> None:
    desk = Desk(job("a"))
    run = desk.ask("a")
    later = desk.ask("a", due_at=desk.now.replace(hour=20))
    assert set(_stop(desk, "a")) == {run.id, later.id}
    assert {desk.run(each.id).state for each in (run, later)} == {State.CANCELED}
    assert desk.dispatch() == ()


def test_stop_twice_is_one_stop() -> None:
    desk = Desk(service("web"))
    _up(desk)
    _stop(desk)
    desk.do(lambda turn: intents.stop_job(turn, "web", by="bob"))
    assert desk.standing("web").stopped_by == "eve"
    types = [event.type for event in desk.events(job="web")]
    assert types.count("job.stopped") == types.count("attempt.stopping") == 1


def test_what_the_operator_stopped_stays_stopped_over_reloads_restarts_and_boots() -> None:
    desk = Desk(service("web", autostart=True))
    (claim,) = desk.dispatch()
    found = desk.launch(claim)
    _stop(desk)
    desk.end(found, why="stop")
    changed = service("web", autostart=True, title="new")
    desk.set_config(changed, restart=["web"])
    for boot in (BOOT, "boot-2"):
        desk.do(lambda turn, boot=boot: services.begin(turn, boot))  # type: ignore[misc]
        desk.do(services.autostart)
        assert desk.dispatch() == ()
    assert _start(desk) is not None
    assert len(desk.dispatch()) == 1


def test_a_service_started_while_it_is_stopping_begins_again_after_its_end() -> None:
    desk = Desk(service("web"))
    found = _up(desk)
    old = desk.run_of(found).id
    _stop(desk)
    new = _start(desk)
    assert new not in {None, old}
    assert desk.dispatch() == ()
    desk.end(found, None, signal=15, why="stop")
    assert [claim.run.id for claim in desk.dispatch()] == [new]


def test_restart_makes_the_same_run_anew_with_the_next_attempt() -> None:
    desk = Desk(service("web"))
    found = _up(desk)
    run_id = desk.run_of(found).id
    desk.stops()
    assert desk.do(lambda turn: intents.restart_job(turn, "web", by="me", key="r")) == (run_id,)
    assert desk.stops() == [StopRun(run_id, found.sid, "restart", "me")]
    assert desk.end(found, None, signal=15, why="restart").state is State.QUEUED
    (claim,) = desk.dispatch()
    assert (claim.run.id, claim.attempt, claim.run.cause) == (run_id, 2, "restart")
    desk.launch(claim)
    assert desk.run(run_id).state is State.RUNNING
    causes = [one.cause for one in desk.database.view(lambda tx: tx.attempts(run_id))]
    assert causes == ["start", "restart"]


def test_restart_of_a_service_that_is_down_starts_it() -> None:
    desk = Desk(service("web"))
    _stop(desk)
    (run_id,) = desk.do(lambda turn: intents.restart_job(turn, "web", by="me", key="r"))
    assert desk.run(run_id).state is State.QUEUED
    assert desk.standing("web").stopped_by is None


def test_a_stop_after_a_restart_wins() -> None:
    desk = Desk(service("web"))
    found = _up(desk)
    desk.do(lambda turn: intents.restart_job(turn, "web", by="me", key="r"))
    _stop(desk)
    run = desk.end(found, None, signal=15, why="restart")
    assert (run.state, run.reason) == (State.CANCELED, "stop")
    assert desk.dispatch() == ()


def test_pause_holds_what_is_new_and_lets_run_what_runs() -> None:
    desk = Desk(service("web"))
    found = _up(desk)
    desk.stops()
    for _ in range(2):
        desk.do(lambda turn: intents.pause_job(turn, "web", by="bob"))
    assert desk.stops() == []
    assert desk.run_of(found).stop_why is None
    types = [event.type for event in desk.events(job="web")]
    assert types.count("job.paused") == 1
    desk.end(found, 0)
    assert desk.dispatch() == ()


def test_start_releases_a_pause_too() -> None:
    desk = Desk(service("web"))
    desk.do(lambda turn: intents.pause_job(turn, "web", by="bob"))
    _start(desk)
    assert desk.standing("web").paused_by is None
    assert len(desk.dispatch()) == 1


def test_resume_of_a_stopped_job_says_what_to_type() -> None:
    desk = Desk(service("web"))
    _stop(desk)
    with pytest.raises(ConflictError) as found:
        desk.do(lambda turn: intents.resume_job(turn, "web", by="bob"))
    assert found.value.hint == "clawctl start web"


def test_resume_of_a_job_that_is_not_paused_is_nothing() -> None:
    desk = Desk(service("web"))
    before = desk.dump()
    desk.do(lambda turn: intents.resume_job(turn, "web", by="bob"))
    assert desk.dump() == before


def test_a_disabled_job_starts_only_by_force() -> None:
    desk = Desk(service("web", enabled=False))
    with pytest.raises(ConflictError, match="disabled"):
        _start(desk)
    with pytest.raises(ConflictError, match="disabled"):
        desk.do(lambda turn: intents.restart_job(turn, "web", by="me", key="r"))
    _start(desk, forced=True)
    (claim,) = desk.dispatch()
    found = desk.launch(claim)
    desk.do(lambda turn: intents.restart_job(turn, "web", by="me", key="r", forced=True))
    desk.end(found, why="restart")
    assert [again.run.id for again in desk.dispatch()] == [claim.run.id]


def test_cancel_revokes_what_waits_and_ends_what_runs_and_refuses_what_is_over() -> None:
    desk = Desk(job("a"))
    found = desk.begin("a")
    waiting = desk.ask("a")
    desk.do(lambda turn: intents.cancel_run(turn, waiting.id, by="me", why="not needed"))
    assert desk.run(waiting.id).reason == "cancel: not needed"
    running = desk.run_of(found)
    desk.do(lambda turn: intents.cancel_run(turn, running.id, by="me"))
    assert desk.end(found, None, signal=15, why="cancel").reason == "cancel"
    before = desk.dump()
    with pytest.raises(ConflictError, match="has ended: canceled"):
        desk.do(lambda turn: intents.cancel_run(turn, running.id, by="me"))
    assert desk.dump() == before


def test_words_about_what_is_not_there_are_refused() -> None:
    desk = Desk(job("a"))
    with pytest.raises(NotFoundError):
        _stop(desk, "zz")
    with pytest.raises(NotFoundError):
        _start(desk, "zz")
    for act in (intents.pause_job, intents.resume_job):
        with pytest.raises(NotFoundError):
            desk.do(lambda turn, act=act: act(turn, "zz", by="me"))  # type: ignore[misc]
    with pytest.raises(NotFoundError):
        desk.do(lambda turn: intents.cancel_run(turn, "rzz", by="me"))


def test_a_shutdown_ends_what_runs_and_keeps_what_waits() -> None:
    desk = Desk(service("web", autostart=True), job("a"))
    (claim,) = desk.dispatch()
    web = desk.launch(claim)
    once = desk.begin("a")
    waiting = desk.ask("a")
    desk.stops()
    ended = desk.do(lambda turn: intents.shut_down(turn, by="root"))
    assert set(ended) == {desk.run_of(web).id, desk.run_of(once).id}
    assert {stop.why for stop in desk.stops()} == {"shutdown"}
    for found in (web, once):
        run = desk.end(found, None, signal=15, why="shutdown")
        assert (run.state, run.reason) == (State.CANCELED, "shutdown")
    assert desk.run(waiting.id).state is State.QUEUED
    desk.do(lambda turn: services.begin(turn, BOOT))
    desk.do(services.autostart)
    assert {claim.job.name for claim in desk.dispatch()} == {"web", "a"}
    assert desk.runs("web", State.CLAIMED)[0].origin is Origin.AUTOSTART


def test_a_service_in_the_queue_is_not_kept_over_a_shutdown() -> None:
    desk = Desk(service("web"))
    found = _up(desk)
    desk.do(lambda turn: intents.restart_job(turn, "web", by="me", key="r"))
    desk.end(found, why="restart")
    desk.do(lambda turn: intents.shut_down(turn, by="root"))
    assert desk.runs("web")[0].reason == "shutdown"


def test_what_changes_when_a_job_begins_wakes_ticker_and_dispatcher() -> None:
    desk = Desk(NIGHTLY)
    _stop(desk, "nightly")
    desk.effects.clear()
    _start(desk, "nightly")
    assert {Reschedule("nightly"), Dispatch()} <= set(desk.effects)
