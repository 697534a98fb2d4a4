"""What runs depend on, begun and waited for; and what becomes of those that depend on it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from claw.master.engine import intents, journal, services
from claw.master.engine.turn import Turn
from claw.model.effect import Dispatch, DispatchAt
from claw.model.graph import Condition, Dependency
from claw.model.job import Job, JobType, OnFailure, OnRestart, Restart, RestartPolicy
from claw.model.run import Origin, State
from tests.kit.desk import T0, Desk, Journal, job, service


def _on(*names: str, **values: object) -> tuple[Dependency, ...]:
    return tuple(Dependency(job=name, **values) for name in names)  # type: ignore[arg-type]


def _after(name: str) -> tuple[Dependency, ...]:
    return _on(name, condition=Condition.AFTER_COMPLETE)


def _launch_all(desk: Desk) -> dict[str, Journal]:
    """Let go what may go, and have all of it begin."""
    return {claim.job.name: desk.launch(claim) for claim in desk.dispatch()}


def _ready(desk: Desk, found: Journal) -> None:
    run = desk.run_of(found)
    found.add("ready", run=run.id, attempt=run.attempt, by="none")
    desk.read(found)


def _start(desk: Desk, name: str, by: str = "me") -> None:
    desk.pass_s(1)
    key = f"start-{desk.now.isoformat()}"
    desk.do(lambda turn: intents.start_job(turn, name, by=by, key=key))


def _stop(desk: Desk, *names: str, forced: bool = False) -> None:
    def stop(turn: Turn) -> None:
        for name in names:
            intents.stop_job(turn, name, by="eve", forced=forced)

    desk.do(stop)


def _waits(desk: Desk, name: str) -> str:
    (run,) = [run for run in desk.runs(name) if run.is_open]
    return run.waiting_for or ""


def _up(desk: Desk, name: str) -> dict[str, Journal]:
    """Start a job with all that it needs, each as soon as it may."""
    _start(desk, name)
    found: dict[str, Journal] = {}
    while Dispatch() in desk.effects:
        desk.effects.clear()
        begun = _launch_all(desk)
        found |= begun
        for one in begun.values():
            _ready(desk, one)
    return found


CHAIN = (
    service("web", depends_on=_on("api")),
    service("api", depends_on=_on("db")),
    service("db"),
)


def test_a_start_begins_all_that_is_needed_bottom_up_each_once() -> None:
    desk = Desk(*CHAIN)
    _start(desk, "web")
    assert _launch_all(desk) == {}
    assert _launch_all(desk) == {}
    (db,) = _launch_all(desk).values()
    assert desk.run_of(db).origin is Origin.DEPENDENCY
    assert _launch_all(desk) == {}
    assert "waits for db to be ready: db is running" in _waits(desk, "api")
    desk.effects.clear()
    _ready(desk, db)
    assert Dispatch() in desk.effects
    assert list(_launch_all(desk)) == ["api"]
    assert [len(desk.runs(name)) for name in ("web", "api", "db")] == [1, 1, 1]


def test_jobs_that_need_nothing_of_each_other_start_side_by_side() -> None:
    desk = Desk(
        service("web", depends_on=_on("a", "b"), autostart=True),
        service("a", autostart=True),
        service("b", autostart=True),
    )
    assert set(_launch_all(desk)) == {"a", "b"}


def test_who_was_stopped_or_paused_or_disabled_is_not_begun() -> None:
    desk = Desk(service("web", depends_on=_on("a", "b", "c")), *map(service, "ab"),
                service("c", enabled=False))  # fmt: skip
    _stop(desk, "a")
    desk.do(lambda turn: intents.pause_job(turn, "b", by="bob"))
    _start(desk, "web")
    desk.dispatch()
    desk.dispatch()
    told = _waits(desk, "web")
    assert "a is stopped by eve: clawctl start a" in told
    assert "b is paused by bob: clawctl resume b" in told
    assert "c is disabled" in told
    assert [desk.runs(name) for name in "abc"] == [(), (), ()]
    _start(desk, "a")
    assert list(_launch_all(desk)) == ["a"]


def test_a_job_that_may_not_begin_itself_begins_nothing() -> None:
    desk = Desk(
        service("web", depends_on=_on("db", timeout_s=5), autostart=True), service("db")
    )
    desk.do(lambda turn: intents.pause_job(turn, "web", by="bob"))
    desk.pass_s(9)
    desk.dispatch()
    assert desk.runs("db") == ()
    assert _waits(desk, "web") == "paused by bob: clawctl resume web"


def test_a_dependency_that_ended_is_begun_once_for_a_request() -> None:
    desk = Desk(service("web", depends_on=_on("db")), service("db"))
    _start(desk, "web")
    desk.dispatch()
    (db,) = _launch_all(desk).values()
    desk.end(db, 3, why="start_limit")
    assert desk.dispatch() == ()
    assert "db is not running, its last run failed, exit 3: clawctl start db" in _waits(
        desk, "web"
    )
    assert len(desk.runs("db")) == 1
    _stop(desk, "web")
    _start(desk, "web")
    desk.dispatch()
    assert len(desk.runs("db")) == 2


def test_two_that_wait_for_one_job_to_complete_share_its_run() -> None:
    desk = Desk(
        service("a", depends_on=_after("migrate"), autostart=True),
        service("b", depends_on=_after("migrate"), autostart=True),
        job("migrate"),
    )
    desk.dispatch()
    (migrate,) = _launch_all(desk).values()
    desk.dispatch()
    assert "waits for migrate to end well: migrate is running" in _waits(desk, "b")
    desk.end(migrate, 0)
    assert set(_launch_all(desk)) == {"a", "b"}
    assert len(desk.runs("migrate")) == 1


def test_only_an_end_since_the_request_counts_and_a_restart_is_no_request() -> None:
    desk = Desk(service("web", depends_on=_after("migrate")), job("migrate"))
    desk.end(desk.begin("migrate"), 0)
    _start(desk, "web")
    desk.dispatch()
    (migrate,) = _launch_all(desk).values()
    desk.end(migrate, 0)
    (web,) = _launch_all(desk).values()
    desk.do(lambda turn: intents.restart_job(turn, "web", by="me", key="k"))
    desk.end(web, None, signal=15, why="restart")
    assert list(_launch_all(desk)) == ["web"]
    assert len(desk.runs("migrate")) == 2


@pytest.mark.parametrize("done", [False, True])
def test_a_oneshot_is_waited_for_and_never_begun_before_its_time(done: bool) -> None:
    at = T0 + timedelta(hours=1)
    desk = Desk(
        service("web", depends_on=_after("switch")),
        job("switch", JobType.ONESHOT, run_at=at),
    )
    if done:
        desk.pass_s(4000)
        desk.do(lambda turn: services.begin(turn, "boot-1"))
        switch = desk.begin("switch")
        standing = replace(desk.standing("switch"), scheduled_through=at)
        desk.do(lambda turn: turn.tx.put_standing(standing))
        desk.end(switch, 0)
    _start(desk, "web")
    claims = desk.dispatch()
    assert [claim.job.name for claim in claims] == (["web"] if done else [])
    if not done:
        assert "switch is planned for its own time" in _waits(desk, "web")


def test_a_wait_has_its_end_and_one_time_at_which_to_look() -> None:
    desk = Desk(
        service("web", depends_on=(*_on("db", timeout_s=60), *_on("slow", timeout_s=90))),
        service("db"),
        service("slow"),
    )
    _start(desk, "web")
    desk.dispatch()
    begun = desk.now
    assert DispatchAt(begun + timedelta(seconds=60)) in desk.effects
    db = _launch_all(desk)["db"]
    _ready(desk, db)
    desk.effects.clear()
    desk.pass_s(61)
    desk.dispatch()
    assert DispatchAt(begun + timedelta(seconds=90)) in desk.effects
    desk.pass_s(30)
    desk.dispatch()
    (web,) = desk.runs("web")
    assert web.state is State.SKIPPED
    assert web.reason == "depends_on: slow was not ready within 1m30s: slow is running"
    assert desk.standing("web").last_run == web.id


def test_a_dependency_that_waits_to_be_restarted_is_waited_for() -> None:
    desk = Desk(service("web", depends_on=_on("db")), service("db"))
    _start(desk, "web")
    desk.dispatch()
    (db,) = _launch_all(desk).values()
    run = desk.run_of(db)
    db.exit(1, 1)
    later = desk.now.timestamp() + 9
    db.add("restarting", run=run.id, attempt=2, until=later, restarts=1)
    desk.read(db)
    desk.dispatch()
    assert "db waits to be restarted, its last child ended: exit 1" in _waits(desk, "web")
    db.add("started", run=run.id, attempt=2, pid=802, start=6)
    desk.read(db)
    assert desk.dispatch() == ()
    _ready(desk, db)
    assert list(_launch_all(desk)) == ["web"]


# -- stopping in order ---------------------------------------------------------------------


def test_who_depends_on_a_job_is_told_to_stop_before_it() -> None:
    desk = Desk(*CHAIN)
    found = _up(desk, "web")
    desk.stops()
    _stop(desk, "db", "web", "api")
    assert [stop.sid for stop in desk.stops()] == [found["web"].sid]
    assert _waits(desk, "db") == "waits for api to end first"
    desk.do(journal.pending_stops)  # of the next master
    assert [stop.sid for stop in desk.stops()] == [found["web"].sid]
    desk.end(found["web"], None, signal=15, why="stop")
    assert [stop.sid for stop in desk.stops()] == [found["api"].sid]
    desk.end(found["api"], None, signal=15, why="stop")
    assert [stop.sid for stop in desk.stops()] == [found["db"].sid]
    assert _waits(desk, "db") == ""


def test_a_job_that_is_lost_lets_go_what_waits_for_its_end() -> None:
    desk = Desk(*CHAIN)
    found = _up(desk, "api")
    _stop(desk, "db", "api")
    desk.stops()
    desk.do(lambda turn: journal.lost(turn, found["api"].sid, "gone"))
    assert [stop.sid for stop in desk.stops()] == [found["db"].sid]


def test_a_job_stopped_alone_or_by_force_waits_for_nobody() -> None:
    desk = Desk(*CHAIN)
    found = _up(desk, "web")
    desk.stops()
    _stop(desk, "db")
    assert [stop.sid for stop in desk.stops()] == [found["db"].sid]
    _stop(desk, "web", "api", forced=True)
    assert {stop.sid for stop in desk.stops()} == {found["web"].sid, found["api"].sid}


def test_a_shutdown_keeps_the_order() -> None:
    desk = Desk(*CHAIN)
    found = _up(desk, "web")
    desk.stops()
    desk.do(lambda turn: intents.shut_down(turn, by="daemon"))
    for name in ("web", "api", "db"):
        assert [stop.sid for stop in desk.stops()] == [found[name].sid]
        desk.end(found[name], None, signal=15, why="shutdown")


def test_a_restart_of_several_takes_them_down_from_the_top() -> None:
    desk = Desk(*CHAIN)
    found = _up(desk, "web")
    desk.stops()

    def restart(turn: Turn) -> None:
        for name in ("db", "api", "web"):
            intents.restart_job(turn, name, by="me", key=name)

    desk.do(restart)
    for name in ("web", "api", "db"):
        assert [stop.sid for stop in desk.stops()] == [found[name].sid]
        desk.end(found[name], None, signal=15, why="restart")
    assert list(_launch_all(desk)) == ["db"]


# -- what becomes of dependents ---------------------------------------------------------


def test_a_dependent_is_restarted_with_what_it_needs_where_it_says_so() -> None:
    restarts = OnRestart.RESTART
    desk = Desk(
        service("top", depends_on=_on("web"), on_dependency_restart=restarts),
        service("web", depends_on=_on("db"), on_dependency_restart=restarts),
        service("calm", depends_on=_on("db")),
        service("db"),
    )
    found = _up(desk, "top") | _up(desk, "calm")
    desk.stops()
    desk.do(lambda turn: intents.restart_job(turn, "db", by="me", key="k"))
    whys = {name: desk.run_of(one).stop_why for name, one in found.items()}
    assert whys == {"top": "restart", "web": "restart", "db": "restart", "calm": None}
    assert [stop.sid for stop in desk.stops()] == [found["top"].sid]
    assert desk.run_of(found["web"]).stop_by == "the restart of db"


def test_a_service_that_its_supervisor_restarts_restarts_its_dependents() -> None:
    desk = Desk(
        service("web", depends_on=_on("db"), on_dependency_restart=OnRestart.RESTART),
        service("db"),
    )
    found = _up(desk, "web")
    run = desk.run_of(found["db"])
    found["db"].exit(1, 1)
    found["db"].add("restarting", run=run.id, attempt=2, until=0.0, restarts=1)
    desk.read(found["db"])
    assert desk.run_of(found["web"]).stop_why == "restart"
    desk.end(found["web"], None, signal=15, why="restart")
    assert desk.dispatch() == ()


def test_one_of_several_instances_that_restarts_concerns_nobody() -> None:
    desk = Desk(
        service("web", depends_on=_on("db"), on_dependency_restart=OnRestart.RESTART),
        service("db", instances=2),
    )
    _start(desk, "web")
    desk.dispatch()
    dbs = [desk.launch(claim) for claim in desk.dispatch()]
    for one in dbs:
        _ready(desk, one)
    (web,) = _launch_all(desk).values()
    extent = intents.Extent(instance=1)
    desk.do(lambda turn: intents.restart_job(turn, "db", by="me", key="k", extent=extent))
    assert desk.run_of(web).stop_why is None
    extent = intents.Extent(batch=None)
    desk.do(lambda turn: intents.restart_job(turn, "db", by="me", key="k", extent=extent))
    assert desk.run_of(web).stop_why == "restart"


@pytest.mark.parametrize(
    ("policy", "state", "reason"),
    [
        (OnFailure.STOP, State.CANCELED, "dependency"),
        (OnFailure.FAIL, State.FAILED, "dependency_failed"),
    ],
)
def test_a_failure_for_good_ends_dependents_and_theirs(
    policy: OnFailure, state: State, reason: str
) -> None:
    desk = Desk(
        service("top", depends_on=_on("web"), on_dependency_failure=policy),
        service("web", depends_on=_on("db"), on_dependency_failure=policy),
        service("calm", depends_on=_on("db")),
        service("db"),
    )
    found = _up(desk, "top") | _up(desk, "calm")
    desk.end(found["db"], 1, why="start_limit")
    web = desk.end(found["web"], None, signal=15, why=reason)
    assert (web.state, web.reason) == (state, reason)
    top = desk.end(found["top"], None, signal=15, why=reason)
    assert (top.state, top.reason) == (state, reason)
    assert desk.run_of(found["calm"]).stop_why is None


def test_a_service_that_is_lost_and_begins_anew_has_not_failed() -> None:
    def jobs(policy: RestartPolicy) -> tuple[Job, ...]:
        return (
            service("web", depends_on=_on("db"), on_dependency_failure=OnFailure.FAIL),
            service("db", restart=Restart(policy=policy)),
        )

    for policy, why in (
        (RestartPolicy.ALWAYS, None),
        (RestartPolicy.NEVER, "dependency_failed"),
    ):
        desk = Desk(*jobs(policy))
        found = _up(desk, "web")
        desk.do(lambda turn, sid=found["db"].sid: journal.lost(turn, sid, "gone"))  # type: ignore[misc]
        assert desk.run_of(found["web"]).stop_why == why


def test_a_job_that_an_operator_stops_has_not_failed() -> None:
    desk = Desk(
        service("web", depends_on=_on("db"), on_dependency_failure=OnFailure.FAIL),
        service("db"),
    )
    found = _up(desk, "web")
    _stop(desk, "db")
    desk.end(found["db"], None, signal=15, why="stop")
    assert desk.run_of(found["web"]).stop_why is None
