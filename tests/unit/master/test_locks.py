"""Locks at the gates, and what becomes of a run whose lock is lost."""

from datetime import timedelta
from pathlib import Path

import pytest

from claw.errors import NotFoundError
from claw.master.engine import locks
from claw.master.engine.turn import Turn
from claw.master.locks import keeper
from claw.model import machine
from claw.model.effect import LockLeft, LockWanted
from claw.model.job import Config, Daemon, Job
from claw.model.lock import Backend, Grant, Hold, Locks, Phase
from claw.model.retry import Retry
from claw.model.run import State
from tests.kit.desk import Desk, job, service

FOLDER = Locks(backend=Backend.FOLDER, folder="/nowhere", lease_s=30)


def shared(*jobs: Job) -> Desk:
    """Return a desk whose locks are shared with other masters."""
    desk = Desk(*jobs)
    desk.config = Config(jobs=jobs, daemon=desk.config.daemon, locks=FOLDER)
    return desk


def hold(desk: Desk, name: str = "l") -> Hold:
    found = desk.database.view(lambda tx: tx.hold(name))
    assert found is not None
    return found


def grant(desk: Desk, fence: int, handle: str = "h") -> None:
    until = desk.now + timedelta(seconds=30)
    desk.do(lambda turn: locks.granted(turn, "l", Grant(fence, handle), until))


def wanted(desk: Desk) -> list[LockWanted]:
    found = [effect for effect in desk.effects if isinstance(effect, LockWanted)]
    desk.effects.clear()
    return found


def test_of_all_jobs_with_a_lock_one_run_goes_at_a_time_and_numbers_grow() -> None:
    desk = Desk(job("a", lock="l"), job("b", lock="l"), job("free"))
    first, second, other = desk.ask("a"), desk.ask("b"), desk.ask("free")

    claims = desk.dispatch()
    waiting = desk.run(second.id)
    assert [claim.run.id for claim in claims] == [first.id, other.id]
    assert claims[0].own["CLAW_LOCK_FENCE"] == "1"
    assert "CLAW_LOCK_FENCE" not in claims[1].own
    assert waiting.waiting_for == "waits for lock l: another run holds it"
    assert (hold(desk).run, hold(desk).phase) == (first.id, Phase.HELD)

    desk.end(desk.launch(claims[0]))
    (claim,) = desk.dispatch()
    assert (claim.run.id, claim.own["CLAW_LOCK_FENCE"]) == (second.id, "2")
    desk.end(desk.launch(claim), 1)
    assert (hold(desk).phase, hold(desk).fence) == (Phase.FREE, 2)
    assert wanted(desk) == []


def test_a_service_holds_its_lock_while_it_runs() -> None:
    desk = Desk(service("web", lock="l"), job("a", lock="l"))
    begun = desk.begin("web")
    run = desk.ask("a")

    assert desk.dispatch() == ()
    assert "lock l" in (desk.run(run.id).waiting_for or "")
    served = desk.run_of(begun)
    desk.do(lambda turn: turn.end(served, why="stop", by="eve"))
    desk.end(begun, None, why="stop")
    assert [claim.run.id for claim in desk.dispatch()] == [run.id]


def test_a_shared_lock_is_asked_for_once_and_taken_when_it_is_granted() -> None:
    desk = shared(job("a", lock="l"), job("b", lock="l"))
    first, second = desk.ask("a"), desk.ask("b")
    desk.effects.clear()

    assert desk.dispatch() == ()
    assert wanted(desk) == [LockWanted("l", first.id)]
    assert "being asked for" in (desk.run(first.id).waiting_for or "")

    assert desk.do(lambda turn: locks.seen(turn, "l", first.id, "held by box, run 123"))
    desk.dispatch()
    for run in (first, second):
        assert desk.run(run.id).waiting_for == "waits for lock l: held by box, run 123"

    grant(desk, 7)
    (claim,) = desk.dispatch()
    assert (claim.run.id, claim.own["CLAW_LOCK_FENCE"]) == (first.id, "7")
    assert (hold(desk).phase, hold(desk).run, hold(desk).handle) == (Phase.HELD, first.id, "h")
    wanted(desk)
    desk.dispatch()
    assert wanted(desk) == []  # it is ours: the next run waits for this one

    desk.end(desk.launch(claim))
    assert (hold(desk).phase, hold(desk).run) == (Phase.LEAVING, None)
    assert LockLeft("l") in desk.effects
    desk.dispatch()
    assert wanted(desk) == []
    desk.do(lambda turn: locks.freed(turn, "l", "h"))
    desk.dispatch()
    assert wanted(desk) == [LockWanted("l", second.id)]


def test_a_run_that_waits_for_its_lock_keeps_no_slot_from_others() -> None:
    desk = shared(job("a", lock="l"), job("b"))
    desk.config = Config(jobs=desk.config.jobs, locks=FOLDER, daemon=Daemon(max_parallel=1))
    desk.ask("a")
    other = desk.ask("b")

    assert [claim.run.id for claim in desk.dispatch()] == [other.id]


def test_a_lock_is_not_asked_for_while_its_run_lacks_something_else_too() -> None:
    desk = shared(job("a", lock="l"), job("b"))
    desk.config = Config(jobs=desk.config.jobs, locks=FOLDER, daemon=Daemon(max_parallel=1))
    busy = desk.begin("b")
    run = desk.ask("a")
    wanted(desk)

    desk.dispatch()
    assert wanted(desk) == []
    desk.end(busy)
    desk.dispatch()
    assert wanted(desk) == [LockWanted("l", run.id)]


def test_a_grant_that_nobody_has_used_is_let_go() -> None:
    desk = shared(job("a", lock="l"))
    grant(desk, 1)

    desk.do(lambda turn: locks.unused(turn, "l", "other"))
    assert hold(desk).phase is Phase.GRANTED
    desk.do(lambda turn: locks.unused(turn, "l", "h"))
    assert hold(desk).phase is Phase.LEAVING


def test_the_run_of_a_lost_lock_is_ended_and_has_failed() -> None:
    desk = shared(job("a", lock="l"))
    desk.ask("a")
    grant(desk, 1)
    (claim,) = desk.dispatch()
    begun = desk.launch(claim)
    desk.stops()

    desk.do(lambda turn: locks.lost(turn, "l", "another", "somebody else's"))
    assert desk.stops() == []
    desk.do(lambda turn: locks.lost(turn, "l", "h", "another has it"))
    (stop,) = desk.stops()
    ended = desk.end(begun, None, signal=15, why="lock_lost")

    assert (stop.why, stop.run) == ("lock_lost", claim.run.id)
    assert (ended.state, ended.reason) == (State.FAILED, "lock_lost")
    assert (hold(desk).phase, hold(desk).fence) == (Phase.FREE, 1)
    [event] = [one for one in desk.events(run=ended.id) if one.type == "lock.lost"]
    assert event.why == "l: another has it"


def test_a_run_that_lost_its_lock_is_tried_again_as_its_ladder_says() -> None:
    ladder = Retry(delays_s=(60.0,), max_attempts=2)
    desk = shared(job("a", lock="l", retry=ladder))
    desk.ask("a")
    grant(desk, 1)
    (claim,) = desk.dispatch()
    begun = desk.launch(claim)

    desk.do(lambda turn: locks.lost(turn, "l", "h", "another has it"))
    waiting = desk.end(begun, None, signal=15, why="lock_lost")
    desk.pass_s(60)
    wanted(desk)
    desk.dispatch()

    assert (waiting.state, waiting.retries) == (State.RETRY_WAIT, 1)
    assert wanted(desk) == [LockWanted("l", waiting.id)]


def test_a_service_waits_for_its_lock_again_once_it_has_lost_it() -> None:
    desk = shared(service("web", lock="l", autostart=True))
    grant(desk, 1)
    (claim,) = desk.dispatch()
    begun = desk.launch(claim)

    desk.do(lambda turn: locks.lost(turn, "l", "h", "another has it"))
    desk.end(begun, None, signal=15, why="lock_lost")

    assert [run.state for run in desk.runs("web")] == [State.QUEUED, State.FAILED]


def test_a_run_that_waits_to_be_tried_again_has_no_lock() -> None:
    desk = Desk(job("a", lock="l"), job("b", lock="l"))
    begun = desk.begin("a")
    run = desk.run_of(begun)

    def put_back(turn: Turn) -> None:
        turn.take(turn.run(run.id), machine.requeue(turn.run(run.id), turn.now))

    desk.do(put_back)
    assert hold(desk).run is None


def test_a_lock_is_taken_away_by_ending_its_run() -> None:
    desk = Desk(job("a", lock="l"))
    begun = desk.begin("a")
    desk.stops()

    with pytest.raises(NotFoundError):
        desk.do(lambda turn: locks.release(turn, "other", "eve"))
    desk.do(lambda turn: locks.release(turn, "l", "eve"))

    (stop,) = desk.stops()
    assert (stop.why, stop.by) == ("lock_lost", "eve")
    assert hold(desk).phase is Phase.HELD  # until it has ended: never two
    assert desk.end(begun, None, signal=15, why="lock_lost").reason == "lock_lost"
    assert hold(desk).phase is Phase.FREE


def test_a_master_is_called_the_same_after_a_restart() -> None:
    desk = Desk()

    first = desk.do(lambda turn: keeper.owner(turn, "here"))

    assert desk.do(lambda turn: keeper.owner(turn, "here")) == first


def test_the_master_of_a_copied_home_is_another_and_touches_no_lock_of_the_first() -> None:
    desk = Desk()
    held = Hold(
        name="l", backend=Backend.FOLDER, phase=Phase.LEAVING, fence=3, run="r1", handle="h"
    )
    own = Hold(name="m", phase=Phase.HELD, fence=1, run="r2")
    first = desk.do(lambda turn: keeper.owner(turn, "here"))
    for hold in (held, own):
        desk.do(lambda turn, hold=hold: turn.tx.put_hold(hold))  # type: ignore[misc]

    second = desk.do(lambda turn: keeper.owner(turn, "there"))

    assert second != first
    one, other = desk.database.view(lambda tx: tx.holds())
    assert (one.phase, one.run, one.handle, one.fence) == (Phase.FREE, None, "", 3)
    assert other == own
    assert desk.do(lambda turn: keeper.owner(turn, "there")) == second


def test_a_copy_is_told_by_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").symlink_to("a")
    places = [keeper.place_of(str(tmp_path / name)) for name in ("a", "b", "c")]

    assert places[0] == places[1] != places[2]
