"""Configurations and what they change."""

from dataclasses import replace

from claw.master.engine import intents, services, sync
from claw.model.effect import StopRun
from claw.model.job import JobType
from claw.model.run import State
from tests.kit.desk import T0, Desk, Journal, job, service

WEB = service("web", autostart=True)
HOURLY = job("h", JobType.SCHEDULED, schedule=("0 * * * *",))


def _launch(desk: Desk) -> Journal:
    (claim,) = desk.dispatch()
    return desk.launch(claim)


def test_jobs_are_added_and_removed_with_their_events() -> None:
    desk = Desk(job("a"), job("b"))
    synced = desk.set_config(job("b"), job("c"))
    assert (synced.added, synced.removed, synced.changed) == (("c",), ("a",), ())
    assert sorted(desk.database.view(lambda tx: tx.standings())) == ["b", "c"]
    assert [event.type for event in desk.events(job="a")] == ["job.added", "job.removed"]


def test_the_same_configuration_again_changes_nothing() -> None:
    desk = Desk(WEB, HOURLY)
    found = _launch(desk)
    before = desk.dump()
    desk.set_config(WEB, HOURLY)
    assert desk.dump() == before
    assert desk.run_of(found).stop_why is None


def test_a_new_service_starts_by_a_reload_and_not_by_the_first_sync_of_a_master() -> None:
    desk = Desk(job("a"))
    desk.set_config(job("a"), WEB)
    assert [claim.job.name for claim in desk.dispatch()] == ["web"]
    other = Desk(job("a"))
    other.config = desk.config
    other.do(lambda turn: sync.sync(turn, start=False))
    assert other.dispatch() == ()
    other.do(services.autostart)
    assert len(other.dispatch()) == 1


def test_a_removed_job_ends_and_keeps_its_history() -> None:
    desk = Desk(WEB, job("a"))
    found = _launch(desk)
    waiting = desk.ask("a")
    desk.stops()
    desk.set_config()
    run = desk.run_of(found)
    assert desk.stops() == [StopRun(run.id, found.sid, "removed", "reload")]
    assert desk.run(waiting.id).reason == "removed"
    ended = desk.end(found, None, signal=15, why="removed")
    assert (ended.state, ended.reason) == (State.CANCELED, "removed")
    assert desk.dispatch() == ()


def test_a_job_that_comes_back_while_it_ends_begins_again_after_that() -> None:
    desk = Desk(WEB)
    found = _launch(desk)
    desk.set_config()
    desk.set_config(WEB)
    assert desk.dispatch() == ()
    desk.end(found, None, signal=15, why="removed")
    assert len(desk.dispatch()) == 1


def test_only_the_jobs_listed_are_restarted() -> None:
    desk = Desk(WEB, service("db", autostart=True))
    journals = {claim.job.name: desk.launch(claim) for claim in desk.dispatch()}
    desk.stops()
    desk.set_config(WEB, service("db", autostart=True, umask=0o77), restart=["db"])
    db = desk.run_of(journals["db"])
    assert desk.stops() == [StopRun(db.id, journals["db"].sid, "restart", "reload")]
    desk.end(journals["db"], why="restart")
    (claim,) = desk.dispatch()
    assert (claim.run.id, claim.attempt, claim.job.umask) == (db.id, 2, 0o77)


def test_a_service_that_ended_by_itself_begins_again_only_if_it_changed() -> None:
    desk = Desk(WEB)
    desk.end(_launch(desk), 1, why="start_limit")
    desk.set_config(WEB)
    assert desk.dispatch() == ()
    desk.set_config(service("web", autostart=True, umask=0o77), restart=["web"])
    assert len(desk.dispatch()) == 1


def test_a_restart_spares_what_could_not_begin_again() -> None:
    desk = Desk(WEB, service("off", autostart=True))
    journals = {claim.job.name: desk.launch(claim) for claim in desk.dispatch()}
    desk.do(lambda turn: intents.pause_job(turn, "web", by="bob"))
    desk.stops()
    off = service("off", autostart=True, enabled=False, umask=0o77)
    desk.set_config(service("web", autostart=True, umask=0o77), off, restart=["web", "off"])
    assert desk.stops() == []
    assert all(desk.run_of(found).stop_why is None for found in journals.values())


def test_a_service_that_is_enabled_starts() -> None:
    desk = Desk(service("web", autostart=True, enabled=False))
    assert desk.runs() == ()
    desk.set_config(WEB)
    assert len(desk.dispatch()) == 1


def test_disabling_and_enabling_keeps_what_runs_and_starts_no_second_one() -> None:
    desk = Desk(WEB)
    found = _launch(desk)
    desk.set_config(service("web", autostart=True, enabled=False))
    desk.set_config(WEB)
    assert desk.dispatch() == ()
    assert desk.run_of(found).state is State.RUNNING
    assert len(desk.runs()) == 1


def test_slots_from_while_a_job_was_disabled_are_skipped_rows() -> None:
    desk = Desk(HOURLY)
    off = job("h", JobType.SCHEDULED, schedule=("0 * * * *",), enabled=False)
    desk.set_config(off)
    desk.pass_s(3 * 3600)
    desk.set_config(HOURLY)
    (row,) = desk.runs("h")
    assert (row.state, row.slot_count) == (State.SKIPPED, 3)
    assert "disabled" in (row.reason or "")
    assert desk.standing("h").active_since == desk.now


def test_slots_up_to_a_change_of_schedule_go_by_the_old_one() -> None:
    desk = Desk(HOURLY)
    desk.pass_s(2 * 3600 + 1)
    desk.set_config(job("h", JobType.SCHEDULED, schedule=("30 * * * *",)))
    slots = [(run.state, run.slot_at, run.slot_count) for run in desk.runs("h")]
    missed, due = T0.replace(hour=13), T0.replace(hour=14)
    assert sorted(slots) == [(State.MISSED, missed, 1), (State.QUEUED, due, 1)]


def test_slots_of_a_schedule_that_changed_while_no_master_ran_are_not_made_up() -> None:
    desk = Desk(HOURLY)
    desk.pass_s(5 * 3600)
    desk.config = Desk(job("h", JobType.SCHEDULED, schedule=("*/5 * * * *",))).config
    synced = desk.do(lambda turn: sync.sync(turn, start=False))
    assert synced.changed == ("h",)
    assert desk.runs("h") == ()
    assert desk.standing("h").scheduled_through == desk.now


def test_a_oneshot_that_gets_another_time_is_planned_again() -> None:
    at = T0.replace(hour=13)
    desk = Desk(job("once", JobType.ONESHOT, run_at=at))
    done = replace(desk.standing("once"), done_at=T0)
    desk.database.transact(lambda tx: tx.put_standing(done))
    desk.set_config(job("once", JobType.ONESHOT, run_at=at.replace(hour=15)))
    assert desk.standing("once").done_at is None
