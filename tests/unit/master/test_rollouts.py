"""Instances of services: begun, restarted one after the other, scaled, stopped alone."""

from claw.master.engine import intents, journal, services, sync
from claw.model import instances
from claw.model.job import Config
from claw.model.run import State
from tests.kit.desk import BOOT, Desk, Journal, service


def _launch_all(desk: Desk) -> dict[int, Journal]:
    claims = desk.dispatch()
    return {instances.number(claim.run): desk.launch(claim) for claim in claims}


def _ready(desk: Desk, found: Journal) -> None:
    run = desk.run_of(found)
    found.add("ready", run=run.id, attempt=run.attempt, by="none")
    desk.read(found)


def _up(count: int, **values: object) -> tuple[Desk, dict[int, Journal]]:
    """Return a desk with a service of which so many instances are ready."""
    desk = Desk(service("web", instances=count, autostart=True, **values))
    found = _launch_all(desk)
    for one in found.values():
        _ready(desk, one)
    desk.stops()
    return desk, found


def _restart(desk: Desk, **extent: int | None) -> None:
    desk.pass_s(1)
    wanted = intents.Extent(**extent)
    desk.do(lambda turn: intents.restart_job(turn, "web", by="me", key="k", extent=wanted))


def _renew(desk: Desk, found: Journal) -> Journal:
    """Have a child that is to restart end, and its next one begin."""
    desk.end(found, None, signal=15, why="restart")
    (claim,) = desk.dispatch()
    return desk.launch(claim)


def _sids(desk: Desk) -> list[str]:
    return [stop.sid for stop in desk.stops()]


def _rollout(desk: Desk) -> object:
    return desk.database.view(lambda tx: tx.rollout("web"))


def test_i5_each_instance_has_one_run_with_a_key_of_its_own() -> None:
    desk, _ = _up(3)
    runs = desk.runs("web")[::-1]
    assert [run.origin_key for run in runs] == ["web#1@1", "web#2@1", "web#3@1"]
    assert [run.instance for run in runs] == [1, 2, 3]
    desk.do(services.autostart)
    assert len(desk.runs()) == 3


def test_a_restart_rolls_and_goes_on_with_each_that_is_ready() -> None:
    desk, found = _up(3)
    _restart(desk)
    for no in (1, 2, 3):
        assert _sids(desk) == [found[no].sid]
        later = _renew(desk, found[no])
        assert _sids(desk) == []
        _ready(desk, later)
    assert _sids(desk) == []
    assert _rollout(desk) is None
    assert [event.type for event in desk.events() if "roll" in event.type] == [
        "job.rolling",
        "job.rolled",
    ]


def test_a_batch_is_away_at_once_and_filled_up_one_by_one() -> None:
    desk, found = _up(4)
    _restart(desk, batch=2)
    assert _sids(desk) == [found[1].sid, found[2].sid]
    later = {no: _renew(desk, found[no]) for no in (1, 2)}
    _ready(desk, later[2])
    assert _sids(desk) == [found[3].sid]
    _ready(desk, later[1])
    assert _sids(desk) == [found[4].sid]


def test_all_at_once_is_no_rollout() -> None:
    desk, found = _up(3)
    _restart(desk, batch=None)
    assert _sids(desk) == [one.sid for one in found.values()]
    assert _rollout(desk) is None


def test_it_stops_at_the_first_failure_and_the_rest_goes_on() -> None:
    desk, found = _up(3)
    _restart(desk)
    later = _renew(desk, found[1])
    run = desk.run_of(later)
    desk.stops()
    later.exit(run.attempt, 7)
    later.add("restarting", run=run.id, attempt=run.attempt + 1, until=0.0, restarts=1)
    desk.read(later)
    assert _sids(desk) == []
    rollout = desk.database.view(lambda tx: tx.rollout("web"))
    assert rollout is not None
    assert rollout.failed == "web@1: exit 7, before it was ready"
    assert rollout.todo == (2, 3)
    _restart(desk)
    assert _sids(desk) == [later.sid]


def test_a_child_that_its_supervisor_started_before_it_heard_is_not_the_new_one() -> None:
    desk, found = _up(2)
    _restart(desk)
    run = desk.run_of(found[1])
    found[1].exit(1, 1)
    found[1].add("restarting", run=run.id, attempt=2, until=0.0, restarts=1)
    found[1].add("started", run=run.id, attempt=2, pid=900, start=9)
    found[1].exit(2, None, 15)
    desk.read(found[1])
    rollout = desk.database.view(lambda tx: tx.rollout("web"))
    assert rollout is not None
    assert rollout.failed is None
    later = _renew(desk, found[1])
    _ready(desk, later)
    desk.stops()
    assert desk.run_of(found[2]).stop_why == "restart"


def test_a_start_lets_a_rolling_restart_go_on_and_forgets_one_that_failed() -> None:
    desk, found = _up(2)
    _restart(desk)
    desk.do(lambda turn: intents.start_job(turn, "web", by="me", key="s"))
    assert _rollout(desk) is not None
    later = _renew(desk, found[1])
    desk.end(later, 7)
    desk.do(lambda turn: intents.start_job(turn, "web", by="me", key="s2"))
    assert _rollout(desk) is None


def test_what_is_stopped_meanwhile_is_passed_over() -> None:
    desk, found = _up(3)
    _restart(desk)
    desk.do(lambda turn: intents.stop_job(turn, "web", by="eve", instance=1))
    desk.end(found[1], None, signal=15, why="stop")
    assert found[2].sid in _sids(desk)
    desk.do(lambda turn: intents.stop_job(turn, "web", by="eve"))
    assert _rollout(desk) is None


def test_an_instance_that_ended_by_itself_is_begun_by_a_rolling_restart() -> None:
    desk, found = _up(2)
    desk.end(found[1], 0)
    _restart(desk)
    (later,) = _launch_all(desk).values()
    assert desk.run_of(later).instance == 1
    _ready(desk, later)
    assert _sids(desk) == [found[2].sid]


def test_a_reload_rolls_too_and_a_paused_job_is_left_alone() -> None:
    desk, found = _up(2)
    desk.set_config(desk.config.jobs[0], restart=("web",))
    assert _sids(desk) == [found[1].sid]
    rollout = desk.database.view(lambda tx: tx.rollout("web"))
    assert rollout is not None
    assert rollout.why == "reload"


def test_a_reload_that_fails_half_way_is_an_alert() -> None:
    desk, found = _up(2)
    desk.set_config(desk.config.jobs[0], restart=("web",))
    desk.end(_renew(desk, found[1]), 7)
    (alert,) = desk.database.view(lambda tx: tx.open_alerts())
    assert "web@1: exit 7, before it was ready; not restarted: web@2" in alert.text


def test_scaling_touches_no_sibling() -> None:
    desk, found = _up(2)
    desk.do(lambda turn: intents.scale_job(turn, "web", 4, by="me"))
    more = _launch_all(desk)
    assert sorted(more) == [3, 4]
    desk.do(lambda turn: intents.scale_job(turn, "web", 1, by="me"))
    assert sorted(_sids(desk)) == sorted([found[2].sid, more[3].sid, more[4].sid])
    assert desk.run_of(found[1]).stop_why is None
    ended = desk.end(found[2], None, signal=15, why="scale")
    assert (ended.state, ended.reason) == (State.CANCELED, "scale")


def test_a_scale_holds_until_the_configured_number_changes() -> None:
    desk, _ = _up(2)
    desk.do(lambda turn: intents.scale_job(turn, "web", 3, by="me"))
    _launch_all(desk)
    desk.do(lambda turn: intents.stop_job(turn, "web", by="eve", instance=3))
    desk.set_config(service("web", instances=2, autostart=True, tags=("x",)))
    assert desk.standing("web").scale == 3
    desk.set_config(service("web", instances=4, autostart=True))
    assert desk.standing("web").scale is None
    assert sorted(_launch_all(desk)) == [4]


def test_a_number_that_changed_while_there_was_no_master_holds_for_the_next() -> None:
    desk, found = _up(3)
    desk.end(found[2], 0)

    def begin_with(count: int) -> None:
        desk.config = Config(jobs=(service("web", instances=count, autostart=True),))
        desk.do(lambda turn: services.begin(turn, BOOT))
        desk.do(lambda turn: sync.sync(turn, start=False))
        desk.do(services.autostart)

    desk.stops()
    begin_with(2)
    assert _sids(desk) == [found[3].sid]
    desk.end(found[3], None, signal=15, why="scale")
    assert desk.dispatch() == ()
    begin_with(4)
    assert sorted(_launch_all(desk)) == [3, 4]  # the second one had ended by itself


def test_a_scale_of_what_is_down_is_only_noted() -> None:
    desk, found = _up(2)
    desk.do(lambda turn: intents.stop_job(turn, "web", by="eve"))
    for one in found.values():
        desk.end(one, None, signal=15, why="stop")
    desk.do(lambda turn: intents.scale_job(turn, "web", 3, by="me"))
    assert desk.dispatch() == ()
    desk.do(lambda turn: intents.start_job(turn, "web", by="me", key="k"))
    assert sorted(_launch_all(desk)) == [1, 2, 3]


def test_an_instance_stopped_alone_stays_so_until_it_or_all_are_started() -> None:
    desk, found = _up(3)
    desk.do(lambda turn: intents.stop_job(turn, "web", by="eve", instance=2))
    desk.end(found[2], None, signal=15, why="stop")
    desk.do(lambda turn: services.begin(turn, "boot-2"))
    for no in (1, 3):
        desk.do(lambda turn, sid=found[no].sid: journal.lost(turn, sid, "boot"))  # type: ignore[misc]
    desk.do(services.autostart)
    assert sorted(_launch_all(desk)) == [1, 3]
    desk.do(lambda turn: intents.start_job(turn, "web", by="me", key="k"))
    assert sorted(_launch_all(desk)) == [2]


def test_one_instance_started_of_a_stopped_job_leaves_the_others_stopped() -> None:
    desk, found = _up(3)
    desk.do(lambda turn: intents.stop_job(turn, "web", by="eve"))
    for one in found.values():
        desk.end(one, None, signal=15, why="stop")
    desk.do(lambda turn: intents.start_job(turn, "web", by="me", key="k", instance=2))
    assert sorted(_launch_all(desk)) == [2]
    known = desk.database.view(lambda tx: tx.instances("web"))
    assert {no: one.stopped_by for (_, no), one in known.items()} == {
        1: "eve",
        2: None,
        3: "eve",
    }


def test_an_instance_that_is_lost_begins_anew_and_no_other() -> None:
    desk, found = _up(3)
    desk.do(lambda turn: journal.lost(turn, found[2].sid, "gone"))
    desk.pass_s(10)
    assert sorted(_launch_all(desk)) == [2]


def test_a_service_of_one_counts_as_the_first_of_several() -> None:
    desk, found = _up(1)
    assert desk.run_of(found[1]).instance is None
    desk.do(lambda turn: intents.scale_job(turn, "web", 2, by="me"))
    assert sorted(_launch_all(desk)) == [2]
    desk.do(
        lambda turn: intents.restart_job(
            turn, "web", by="me", key="k", extent=intents.Extent(instance=1)
        )
    )
    assert desk.run_of(_renew(desk, found[1])).instance == 1
