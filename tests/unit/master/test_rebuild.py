"""The present rebuilt from journals, after the database was lost."""

import json
from dataclasses import replace
from datetime import timedelta

from claw.master.engine import dispatch, intents, journal, locks, rebuild, services, slots, sync
from claw.master.engine.dispatch import Claim
from claw.master.engine.histories import Spool, in_order
from claw.master.engine.turn import Turn
from claw.model.job import Config, JobType
from claw.model.lock import Backend, Grant, Locks
from claw.model.retry import Retry
from claw.model.run import Origin, Run, State
from claw.model.trigger import Trigger
from claw.store.database import Database
from tests.kit.desk import BOOT, T0, Desk, Journal, job, service

WEB = service("web", autostart=True)
HOURLY = job("h", JobType.SCHEDULED, schedule=("0 * * * *",))


def _lose_and_rebuild(desk: Desk, config: Config | None = None) -> None:
    """Lose the database and have a new master begin from the journals."""
    spools = [Spool(one.sid, one.data) for one in desk.journals.values()]
    desk.config = config or desk.config
    desk.database = Database.inline(desk.now)
    desk.do(lambda turn: rebuild.rebuild(turn, spools[::-1], why="its file is empty"))
    desk.do(lambda turn: services.begin(turn, BOOT))
    desk.do(lambda turn: sync.sync(turn, start=False))


def _launch(desk: Desk) -> Journal:
    (claim,) = desk.dispatch()
    return desk.launch(claim)


def test_runs_come_back_as_their_journals_tell_them() -> None:
    desk = Desk(job("a"), job("b"))
    done = desk.run_of(desk.begin("a"))
    desk.end(desk.journals[done.sid or ""], 3)
    alive = desk.begin("b")
    before = [desk.run(done.id), desk.run_of(alive)]
    _lose_and_rebuild(desk)
    for run in before:
        found = desk.run(run.id)
        for key in (
            "state",
            "job",
            "origin",
            "origin_key",
            "pid",
            "exit_code",
            "reason",
            "sid",
        ):
            assert getattr(found, key) == getattr(run, key), key
    assert [one.sid for one in desk.database.view(lambda tx: tx.open_supervisors())] == [
        alive.sid
    ]
    assert desk.end(alive, 0).state is State.SUCCEEDED
    assert desk.standing("a").last_run == done.id


def test_it_is_said_until_it_is_acknowledged() -> None:
    desk = Desk(job("a"))
    desk.end(desk.begin("a"))
    _lose_and_rebuild(desk)
    (alert,) = desk.database.view(lambda tx: tx.open_alerts())
    assert alert.kind == "database_rebuilt"
    assert "its file is empty" in alert.text
    assert "1 runs" in alert.text
    assert "daemon.damaged" in [event.type for event in desk.events()]


def test_a_run_of_several_supervisors_comes_back_as_one_run() -> None:
    desk = Desk(WEB)
    first = _launch(desk)
    desk.do(lambda turn: intents.restart_job(turn, "web", by="me", key="r"))
    desk.pass_s(1)
    desk.end(first, None, signal=15, why="restart")
    second = _launch(desk)
    run = desk.run_of(second)
    _lose_and_rebuild(desk)
    (found,) = desk.runs()
    assert (found.id, found.state, found.attempt, found.sid) == (
        run.id,
        State.RUNNING,
        2,
        second.sid,
    )
    rows = desk.database.view(lambda tx: tx.attempts(run.id))
    assert [(one.no, one.sid) for one in rows] == [(1, first.sid), (2, second.sid)]


def test_a_run_whose_first_supervisor_was_lost_goes_on_with_its_second() -> None:
    desk = Desk(WEB)
    first = _launch(desk)
    desk.do(lambda turn: intents.restart_job(turn, "web", by="me", key="r"))
    desk.pass_s(1)
    desk.do(lambda turn: journal.lost(turn, first.sid, "killed"))
    second = _launch(desk)
    _lose_and_rebuild(desk)
    (found,) = desk.runs()
    assert (found.state, found.attempt, found.sid) == (State.RUNNING, 2, second.sid)


def test_what_the_operator_stopped_stays_stopped() -> None:
    desk = Desk(WEB)
    found = _launch(desk)
    desk.do(lambda turn: intents.stop_job(turn, "web", by="eve"))
    found.add("stopping", run="", attempt=1, why="stop", by="eve", grace_s=30)
    desk.end(found, None, signal=15, why="stop")
    _lose_and_rebuild(desk)
    desk.do(services.autostart)
    assert desk.standing("web").stopped_by == "eve"
    assert desk.dispatch() == ()


def test_instances_come_back_with_what_was_said_of_them() -> None:
    desk = Desk(service("web", autostart=True, instances=3))
    found = {claim.run.instance: desk.launch(claim) for claim in desk.dispatch()}
    desk.do(lambda turn: intents.scale_job(turn, "web", 4, by="eve"))
    (claim,) = desk.dispatch()
    desk.launch(claim)
    desk.do(lambda turn: intents.stop_job(turn, "web", by="eve", instance=2))
    found[2].add("stopping", run="", attempt=1, why="stop", by="eve", kill_b=0.0)
    desk.end(found[2], None, signal=15, why="stop")
    _lose_and_rebuild(desk)
    desk.do(services.autostart)
    assert desk.dispatch() == ()
    assert desk.standing("web").scale == 4
    known = desk.database.view(lambda tx: tx.instances("web"))
    assert [(no, one.stopped_by) for (_, no), one in sorted(known.items())] == [
        (1, None),
        (2, "eve"),
        (3, None),
        (4, None),
    ]


def test_a_service_that_ended_by_itself_is_left_so_and_one_that_runs_is_not_doubled() -> None:
    desk = Desk(WEB, service("db", autostart=True))
    journals = {claim.job.name: desk.launch(claim) for claim in desk.dispatch()}
    desk.end(journals["web"], 1, why="start_limit")
    _lose_and_rebuild(desk)
    desk.do(services.autostart)
    assert desk.dispatch() == ()
    assert desk.standing("db").up


def test_a_service_that_a_shutdown_ended_starts_again() -> None:
    desk = Desk(WEB)
    found = _launch(desk)
    desk.do(lambda turn: intents.shut_down(turn, by="root"))
    desk.end(found, None, signal=15, why="shutdown")
    _lose_and_rebuild(desk)
    desk.do(services.autostart)
    assert [claim.run.origin for claim in desk.dispatch()] == [Origin.AUTOSTART]


def test_past_slots_that_no_journal_shows_are_missed_and_not_due() -> None:
    desk = Desk(HOURLY)
    for _ in range(2):
        desk.now += timedelta(hours=1)
        desk.do(lambda turn: slots.tick(turn, ["h"]))
        desk.end(_launch(desk))
    desk.now = T0 + timedelta(hours=6)
    _lose_and_rebuild(desk)
    desk.do(lambda turn: slots.tick(turn, ["h"]))
    rows = sorted(desk.runs("h"), key=lambda run: run.slot_at or T0)
    assert [(run.state, run.slot_count) for run in rows] == [
        (State.SUCCEEDED, 1),
        (State.SUCCEEDED, 1),
        (State.MISSED, 4),
    ]
    assert rows[-1].slot_at == T0 + timedelta(hours=3)
    assert "rebuilt" in (rows[-1].reason or "")
    desk.now = T0 + timedelta(hours=7)
    desk.do(lambda turn: slots.tick(turn, ["h"]))
    assert len(desk.dispatch()) == 1


def test_intervals_stay_in_step() -> None:
    desk = Desk(job("h", JobType.SCHEDULED, schedule=("@every 50m",)))
    desk.now = T0 + timedelta(minutes=50)
    desk.do(lambda turn: slots.tick(turn, ["h"]))
    desk.end(_launch(desk))
    desk.now = T0 + timedelta(minutes=77)
    _lose_and_rebuild(desk)
    assert desk.database.view(lambda tx: slots.next_slots(tx, desk.config, desk.now)) == {
        "h": T0 + timedelta(minutes=100)
    }


def test_a_oneshot_that_succeeded_stays_done() -> None:
    once = job("once", JobType.ONESHOT, run_at=T0 + timedelta(hours=1))
    desk = Desk(once)
    desk.now = T0 + timedelta(hours=1)
    desk.do(lambda turn: slots.tick(turn, ["once"]))
    desk.end(_launch(desk))
    _lose_and_rebuild(desk)
    assert desk.standing("once").done_at is not None
    desk.do(lambda turn: slots.tick(turn, ["once"]))
    assert len(desk.runs()) == 1


def test_a_reboot_job_is_not_run_again_in_the_same_boot() -> None:
    desk = Desk(job("up", JobType.SCHEDULED, schedule=("@reboot",)))
    desk.end(_launch(desk))
    _lose_and_rebuild(desk)
    desk.do(services.autostart)
    assert len(desk.runs()) == 1


def test_journals_without_sense_are_passed_over() -> None:
    desk = Desk(job("a"))
    desk.end(desk.begin("a"))
    for number, data in enumerate((b"", b"\x00" * 50, b'{"ev":"launch"}\n', b'{"ev":"laun')):
        found = Journal(desk, f"s{number:026}")
        found.data = data
        desk.journals[found.sid] = found
    _lose_and_rebuild(desk)
    assert len(desk.runs()) == 1


def test_the_journal_of_a_job_that_is_gone_keeps_its_history() -> None:
    desk = Desk(job("a"))
    run = desk.end(desk.begin("a"))
    _lose_and_rebuild(desk, Config())
    assert desk.run(run.id).state is State.SUCCEEDED
    assert desk.database.view(lambda tx: tx.standings()) == {}


def _take_next(desk: Desk, found: Journal) -> None:
    """Have a supervisor that is free take the run that is due, and its child begin."""

    def decide(turn: Turn) -> tuple[Claim, ...]:
        turn.free = [(found.sid, len(found.data))]
        return dispatch.dispatch(turn)

    (claim,) = desk.do(decide)
    assert claim.sid == found.sid
    found.launch(claim)
    found.add("started", run=claim.run.id, attempt=claim.attempt, pid=802, start=6)
    desk.read(found)


def _failed_thrice() -> tuple[Desk, Run]:
    """Return a run that has failed, its attempts in two journals, the last in the first."""
    retry = Retry(delays_s=(0.0,), max_attempts=3)
    desk = Desk(job("a", retry=retry, dead_letter=True), job("b"))
    one = desk.begin("b")
    desk.end(one)
    two = desk.begin("b")
    desk.end(two)
    run = desk.ask("a")
    for found in (one, two, one):
        desk.pass_s(1)
        _take_next(desk, found)
        run = desk.end(found, 1)
    return desk, run


def test_attempts_in_several_journals_come_back_in_their_order() -> None:
    desk, before = _failed_thrice()
    assert (before.state, before.attempt) == (State.FAILED, 3)
    _lose_and_rebuild(desk)
    after = desk.run(before.id)
    for key in ("state", "attempt", "retries", "dead_at", "reason", "ended_at"):
        assert getattr(after, key) == getattr(before, key), key
    assert desk.dispatch() == ()


def test_attempts_come_back_in_their_order_whatever_the_clock_said() -> None:
    desk, run = _failed_thrice()
    journals = list(desk.journals.values())
    back = [
        json.dumps({**line, "at": -line["at"]}) + "\n"
        for line in map(json.loads, journals[1].data.splitlines())
    ]
    spools = [Spool(journals[0].sid, journals[0].data), Spool("x", "".join(back).encode())]
    for some in (spools, spools[::-1]):
        found = [one for one in in_order(some) if one.run == run.id]
        assert [one.attempt for one in found] == [1, 2, 3]


def test_journals_that_no_order_fits_are_all_taken_in() -> None:
    line = {"ev": "launch", "job": "a", "kind": "once", "boot": BOOT, "pid": 1, "start": 1}
    line |= {"at": 1.0, "b": 1.0, "cause": "first", "origin": "manual", "origin_key": "k"}
    line |= {"version": "1", "instance": None, "slot": None}
    spools = [
        Spool(sid, b"".join(json.dumps({**line, **one}).encode() + b"\n" for one in both))
        for sid, both in {
            "s": ({"run": "r1", "attempt": 2}, {"run": "r2", "attempt": 1}),
            "t": ({"run": "r2", "attempt": 2}, {"run": "r1", "attempt": 1}),
        }.items()
    ]
    found = [(one.run, one.attempt) for one in in_order(spools)]
    assert sorted(found) == [("r1", 1), ("r1", 2), ("r2", 1), ("r2", 2)]
    assert sum(len(one.data) for one in in_order(spools)) == sum(
        len(one.data) for one in spools
    )


def test_a_run_whose_shared_lock_is_not_known_any_more_is_ended() -> None:
    desk = Desk(job("a", lock="L"), job("b"))
    desk.config = replace(desk.config, locks=Locks(backend=Backend.FOLDER, folder="/x"))
    free = desk.begin("b")
    run = desk.ask("a")
    desk.dispatch()
    until = desk.now + timedelta(seconds=30)
    desk.do(lambda turn: locks.granted(turn, "L", Grant(1, "h1"), until))
    desk.launch(*desk.dispatch())
    desk.stops()
    _lose_and_rebuild(desk)
    assert [(stop.run, stop.why) for stop in desk.stops()] == [(run.id, "lock_lost")]
    assert desk.run_of(free).stop_why is None
    assert "lock.lost" in [event.type for event in desk.events(run=run.id)]


def test_runs_that_follow_others_come_back_and_nothing_old_is_followed_again() -> None:
    a, b, c = job("a"), job("b", trigger=Trigger(after=("a",))), job("c")
    desk = Desk(a, b, c)
    first = desk.end(desk.begin("a"))
    child = desk.run_of(_launch(desk))
    other = desk.run_of(desk.begin("c"))
    config = replace(desk.config, jobs=(a, b, replace(c, trigger=Trigger(after=("a",)))))
    _lose_and_rebuild(desk, config)
    found = desk.run(child.id)
    assert found.lineage == child.lineage
    assert found.lineage.parent == first.id
    assert [one.id for one in desk.runs("b")] == [child.id]
    assert [one.id for one in desk.runs("c")] == [other.id]


def test_what_a_store_behind_its_journals_had_not_begun_is_begun_once() -> None:
    desk = Desk(job("a"), job("b", trigger=Trigger(after=("a",))))
    desk.end(desk.begin("a"))
    child = desk.run_of(_launch(desk))
    other = desk.begin("a")
    last = desk.end(other)
    spools = [Spool(one.sid, one.data) for one in desk.journals.values()]
    desk.database = Database.inline(desk.now)
    desk.do(lambda turn: services.begin(turn, BOOT))
    desk.do(lambda turn: sync.sync(turn, start=False))
    desk.do(lambda turn: rebuild.catch_up_with(turn, spools))
    assert {one.origin_key: one.id == child.id for one in desk.runs("b")} == {
        child.origin_key: True,
        f"{last.id}:b": False,
    }
