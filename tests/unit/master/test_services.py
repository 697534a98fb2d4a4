"""Services that start by themselves, over restarts of the master and boots of the host."""

from claw.master.engine import intents, journal, services
from claw.model.job import JobType
from claw.model.run import Origin, State
from tests.kit.desk import BOOT, Desk, Journal, job, service

WEB = service("web", autostart=True)


def _launch(desk: Desk) -> Journal:
    (claim,) = desk.dispatch()
    return desk.launch(claim)


def _again(desk: Desk, boot: str = BOOT) -> None:
    """Have a new master begin."""
    desk.pass_s(1)
    desk.do(lambda turn: services.begin(turn, boot))
    desk.do(services.autostart)


def test_a_service_starts_with_the_daemon() -> None:
    desk = Desk(WEB, service("lazy"))
    (run,) = desk.runs()
    assert (run.job, run.origin, run.origin_key) == ("web", Origin.AUTOSTART, "web#1@1")


def test_i5_autostart_twice_makes_no_second_run() -> None:
    desk = Desk(WEB)
    _again(desk)
    _launch(desk)
    _again(desk)
    _again(desk, "boot-2")
    assert len(desk.runs()) == 1


def test_a_service_that_ended_by_itself_is_left_alone_by_a_new_master() -> None:
    desk = Desk(WEB)
    desk.end(_launch(desk), 0)
    _again(desk)
    assert desk.dispatch() == ()


def test_a_boot_starts_what_ended_by_itself() -> None:
    desk = Desk(WEB)
    desk.end(_launch(desk), 1, why="start_limit")
    _again(desk, "boot-2")
    assert len(desk.dispatch()) == 1


def test_a_boot_starts_what_was_lost_with_the_host_once_and_at_once() -> None:
    desk = Desk(WEB, service("lazy"))
    web = _launch(desk)
    desk.do(lambda turn: intents.start_job(turn, "lazy", by="me", key="k"))
    lazy = _launch(desk)
    desk.do(lambda turn: services.begin(turn, "boot-2"))
    for found in (web, lazy):
        desk.do(lambda turn, sid=found.sid: journal.lost(turn, sid, "other boot"))  # type: ignore[misc]
    desk.do(services.autostart)
    assert [claim.job.name for claim in desk.dispatch()] == ["web"]


def test_a_paused_service_waits_at_its_gate() -> None:
    desk = Desk(WEB)
    desk.do(lambda turn: intents.pause_job(turn, "web", by="bob"))
    _again(desk, "boot-2")
    assert desk.dispatch() == ()
    desk.do(lambda turn: intents.resume_job(turn, "web", by="bob"))
    assert len(desk.dispatch()) == 1


def test_a_master_that_begins_while_a_shutdown_goes_on_starts_services_after_it() -> None:
    desk = Desk(WEB)
    found = _launch(desk)
    desk.do(lambda turn: intents.shut_down(turn, by="root"))
    _again(desk)
    assert desk.dispatch() == ()
    desk.end(found, None, signal=15, why="shutdown")
    (claim,) = desk.dispatch()
    assert claim.run.origin_key == "web#1@2"


def test_a_reboot_job_runs_once_per_boot() -> None:
    desk = Desk(job("up", JobType.SCHEDULED, schedule=("@reboot",)))
    assert [run.origin for run in desk.runs()] == [Origin.REBOOT]
    _again(desk)
    assert len(desk.runs()) == 1
    _again(desk, "boot-2")
    _again(desk, "boot-2")
    assert [run.origin_key for run in desk.runs()] == ["up@boot-2", "up@boot-1"]


def test_a_reboot_job_added_later_waits_for_the_next_boot() -> None:
    desk = Desk(job("a"))
    desk.set_config(job("a"), job("up", JobType.SCHEDULED, schedule=("@reboot",)))
    _again(desk)
    assert desk.runs("up") == ()


def test_a_reboot_job_that_is_stopped_leaves_a_skipped_row() -> None:
    desk = Desk(job("up", JobType.SCHEDULED, schedule=("@reboot",)))
    desk.do(lambda turn: intents.stop_job(turn, "up", by="eve"))
    _again(desk, "boot-2")
    run = desk.runs("up")[0]
    assert (run.state, run.reason) == (State.SKIPPED, "stopped by eve: clawctl start up")
