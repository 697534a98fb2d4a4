"""What supervisors report, line by line, twice, torn and out of the blue."""

from dataclasses import replace

import pytest

from claw.master.engine import intents, journal
from claw.master.engine.dispatch import Claim
from claw.master.engine.turn import Turn
from claw.model import ids
from claw.model.effect import Dispatch, Settled, StopRun
from claw.model.job import Daemon, Restart, RestartPolicy
from claw.model.run import Origin, Phase, Run, State
from tests.kit.desk import BOOT, Desk, Journal, job, service


def _claim(desk: Desk, name: str = "a") -> Claim:
    desk.ask(name)
    (claim,) = desk.dispatch()
    return claim


def test_a_run_is_followed_from_launch_to_success() -> None:
    desk = Desk(job("a"))
    found = desk.begin("a")
    run = desk.run_of(found)
    assert (run.state, run.pid, run.phase) == (State.RUNNING, 801, Phase.UP)
    desk.pass_s(2)
    run = desk.end(found)
    assert (run.state, run.exit_code, run.ended_at) == (State.SUCCEEDED, 0, desk.now)
    assert desk.moves(run.id) == [
        (None, "queued"),
        ("queued", "claimed"),
        ("claimed", "running"),
        ("running", "succeeded"),
    ]
    types = [event.type for event in desk.events(run=run.id)]
    assert types.count("attempt.started") == types.count("attempt.exited") == 1
    assert {Settled(found.sid, run.id), Dispatch()} <= set(desk.effects)
    assert desk.standing("a").last_run == run.id
    row = desk.database.view(lambda tx: tx.supervisor(found.sid))
    assert row is not None
    assert (row.pid, row.boot, row.closed_at) == (700, BOOT, desk.now)


def test_success_codes_of_the_job_decide() -> None:
    desk = Desk(job("a", success_codes=(0, 3)), job("b"))
    assert desk.end(desk.begin("a"), 3).state is State.SUCCEEDED
    assert desk.end(desk.begin("b"), 3).state is State.FAILED


def test_i11_a_journal_read_twice_or_from_any_earlier_offset_changes_nothing() -> None:
    desk = Desk(service("a"))
    found = desk.begin("a")
    found.exit(1, 1)
    found.add(
        "restarting", run="", attempt=2, delay_s=1, until=desk.now.timestamp(), restarts=1
    )
    found.add("started", run="", attempt=2, pid=900, start=7)
    found.exit(2, 0)
    found.add("ended", run="", attempt=2, why="stop", by="me")
    desk.read(found)
    after = desk.dump()
    for offset in range(len(found.data)):
        if offset == 0 or found.data[offset - 1 : offset] == b"\n":
            assert desk.read(found, offset) == len(found.data)
            assert desk.dump() == after


def test_i11_a_journal_read_in_any_pieces_gives_the_same_database() -> None:
    def told(cuts: list[int]) -> list[tuple[object, ...]]:
        desk = Desk(job("a"))
        claim = _fixed_claim(desk)
        found = Journal(desk, claim.sid)
        found.launch(claim)
        found.add("started", run="", attempt=1, pid=801, start=5)
        found.exit(1, 4)
        found.add("ended", run="", attempt=1, why="exit", by="")
        whole = found.data
        for cut in [*cuts, len(whole)]:
            found.data = whole[:cut]
            desk.read(found)
        return desk.dump()

    expected = told([])
    for cut in range(0, 600, 7):
        assert told([cut]) == expected
        assert told([cut, cut + 90]) == expected


def _fixed_claim(desk: Desk) -> Claim:
    """Claim a run under ids that are the same each time."""
    run = Run(
        id=ids.run_id(1, bytes(10)),
        job="a",
        state=State.CLAIMED,
        origin=Origin.MANUAL,
        origin_key="k",
        queued_at=desk.now,
        due_at=desk.now,
    )
    return Claim(run, 1, ids.supervisor_id(1, bytes(10)), desk.config.jobs[0])


def test_a_torn_last_line_is_not_read_until_it_is_whole_or_ended() -> None:
    desk = Desk(job("a"))
    found = desk.begin("a")
    found.exit(1, 6)
    whole = found.data
    found.data = whole[:-10]
    reached = desk.read(found)
    assert desk.run_of(found).pid == 801
    found.data = whole[:-10] + b"\n"
    assert desk.read(found) > reached
    assert desk.run_of(found).pid == 801
    found.exit(1, 6)
    found.add("ended", run="", attempt=1, why="exit", by="")
    desk.read(found)
    assert desk.run_of(found).exit_code == 6


def test_lines_that_nobody_knows_are_passed_over() -> None:
    desk = Desk(job("a"))
    found = desk.begin("a")
    found.add("ready", run="", attempt=1)
    found.data += b"\xff\xfe\x00garbage\n[1, 2]\n\n{}\n" + b'{"ev": "exited"}\n'
    assert desk.end(found).state is State.SUCCEEDED


def test_a_reader_that_skips_bytes_is_a_mistake() -> None:
    desk = Desk(job("a"))
    found = desk.begin("a")
    with pytest.raises(ValueError, match="taken in up to"):
        desk.read(found, len(found.data) + 1)


def test_a_stop_asked_for_before_the_supervisor_spoke_is_named_again() -> None:
    desk = Desk(job("a"))
    claim = _claim(desk)
    desk.do(lambda turn: intents.stop_job(turn, "a", by="eve"))
    desk.stops()
    found = Journal(desk, claim.sid)
    found.launch(claim)
    desk.read(found)
    assert desk.stops() == [StopRun(claim.run.id, claim.sid, "stop", "eve")]
    found.add("taken_over", pid=44, start=3)
    desk.read(found)
    assert desk.stops() == [StopRun(claim.run.id, claim.sid, "stop", "eve")]
    row = desk.database.view(lambda tx: tx.supervisor(claim.sid))
    assert row is not None
    assert (row.pid, row.start_ticks) == (44, 3)


def test_a_new_master_names_all_stops_that_are_not_done() -> None:
    desk = Desk(job("a"), job("b"))
    found = desk.begin("a")
    desk.begin("b")
    run = desk.run_of(found)
    desk.do(lambda turn: intents.cancel_run(turn, run.id, by="eve"))
    desk.stops()
    desk.do(journal.pending_stops)
    assert desk.stops() == [StopRun(run.id, found.sid, "cancel", "eve")]


def test_a_launch_refused_for_now_goes_back_and_is_tried_again_as_the_same_attempt() -> None:
    desk = Desk(job("a"))
    claim = _claim(desk)
    desk.do(
        lambda turn: journal.launch_refused(turn, claim.run.id, 1, "EAGAIN", retryable=True)
    )
    run = desk.run(claim.run.id)
    assert (run.state, run.attempt, run.sid) == (State.QUEUED, 0, None)
    assert "EAGAIN" in (run.waiting_for or "")
    assert desk.database.view(lambda tx: tx.supervisor(claim.sid)) is None
    assert desk.database.view(lambda tx: tx.attempts(run.id)) == ()
    assert desk.dispatch() == ()
    desk.pass_s(1.5)
    (again,) = desk.dispatch()
    assert (again.run.id, again.attempt) == (run.id, 1)
    assert again.sid != claim.sid


def test_a_launch_refused_for_good_fails_the_run_with_the_reason() -> None:
    desk = Desk(job("a"))
    claim = _claim(desk)
    desk.do(
        lambda turn: journal.launch_refused(turn, claim.run.id, 1, "chdir: /x", retryable=False)
    )
    run = desk.run(claim.run.id)
    assert (run.state, run.reason) == (State.FAILED, "spawn_failed")
    (attempt,) = desk.database.view(lambda tx: tx.attempts(run.id))
    assert attempt.error == "chdir: /x"
    assert desk.standing("a").last_run == run.id


def test_late_words_about_an_earlier_launch_change_nothing() -> None:
    desk = Desk(job("a"))
    found = desk.begin("a")
    before = desk.dump()
    run = desk.run_of(found)
    for retryable in (True, False):
        desk.do(
            lambda turn, retryable=retryable: journal.launch_refused(  # type: ignore[misc]
                turn, run.id, 1, "late", retryable=retryable
            )
        )
    desk.do(lambda turn: journal.never_launched(turn, run.id, 1))
    desk.do(lambda turn: journal.lost(turn, "snobody", "gone"))
    assert desk.dump() == before


def test_a_claim_without_a_launch_file_goes_back_at_once() -> None:
    desk = Desk(job("a"))
    claim = _claim(desk)
    desk.do(lambda turn: journal.never_launched(turn, claim.run.id, 1))
    assert [again.attempt for again in desk.dispatch()] == [1]


def test_a_claim_that_was_to_end_and_never_launched_is_canceled() -> None:
    desk = Desk(job("a"))
    claim = _claim(desk)
    desk.do(lambda turn: intents.cancel_run(turn, claim.run.id, by="eve", why="too late"))
    desk.do(lambda turn: journal.never_launched(turn, claim.run.id, 1))
    run = desk.run(claim.run.id)
    assert (run.state, run.reason) == (State.CANCELED, "cancel: too late")
    assert desk.database.view(lambda tx: tx.attempts(run.id)) == ()


def test_a_lost_run_has_crashed() -> None:
    desk = Desk(job("a"))
    found = desk.begin("a")
    desk.do(lambda turn: journal.lost(turn, found.sid, "the host went down"))
    run = desk.run_of(found)
    assert (run.state, run.reason, run.pid) == (State.CRASHED, "lost", None)
    assert desk.dispatch() == ()
    assert desk.database.view(lambda tx: tx.open_supervisors()) == ()


def _lose(desk: Desk, found: Journal) -> None:
    desk.do(lambda turn: journal.lost(turn, found.sid, "killed"))


def test_a_lost_service_begins_anew_after_the_wait_of_its_ladder() -> None:
    restart = Restart(delays_s=(2.0, 8.0), reset_after_s=60.0)
    desk = Desk(service("web", restart=restart))
    found = desk.launch(_start(desk))
    for wait_s in (2.0, 8.0, 8.0):
        desk.pass_s(1)
        _lose(desk, found)
        assert desk.dispatch() == ()
        desk.pass_s(wait_s - 0.5)
        assert desk.dispatch() == ()
        desk.pass_s(0.5)
        (claim,) = desk.dispatch()
        assert (claim.run.origin, claim.run.cause) == (Origin.AUTOSTART, "crash")
        found = desk.launch(claim)
    desk.pass_s(61)
    _lose(desk, found)
    desk.pass_s(2)
    assert len(desk.dispatch()) == 1
    keys = [run.origin_key for run in desk.runs("web")]
    assert len(keys) == len(set(keys)) == 5


def _start(desk: Desk, name: str = "web") -> Claim:
    desk.do(lambda turn: intents.start_job(turn, name, by="me", key="start"))
    (claim,) = desk.dispatch()
    return claim


def test_a_lost_service_stays_down_when_it_was_stopped_or_is_never_restarted() -> None:
    never = Restart(policy=RestartPolicy.NEVER)
    desk = Desk(service("web"), service("once", restart=never))
    web, once = desk.launch(_start(desk)), desk.launch(_start_other(desk))
    desk.do(lambda turn: intents.stop_job(turn, "web", by="eve"))
    _lose(desk, web)
    _lose(desk, once)
    assert desk.run_of(web).state is State.CANCELED
    assert desk.run_of(once).state is State.CRASHED
    desk.pass_s(1000)
    assert desk.dispatch() == ()


def _start_other(desk: Desk) -> Claim:
    desk.do(lambda turn: intents.start_job(turn, "once", by="me", key="other"))
    (claim,) = desk.dispatch()
    return claim


def test_a_service_lost_in_the_middle_of_a_restart_is_restarted() -> None:
    desk = Desk(service("web"))
    found = desk.launch(_start(desk))
    desk.do(lambda turn: intents.restart_job(turn, "web", by="me", key="r"))
    _lose(desk, found)
    (claim,) = desk.dispatch()
    assert (claim.run.id, claim.attempt) == (desk.run_of(found).id, 2)


def test_a_full_queue_keeps_no_service_down() -> None:
    desk = Desk(service("web", restart=Restart(delays_s=(0.0,))), daemon=Daemon(max_queue=1))
    found = desk.launch(_start(desk))

    def fill_and_lose(turn: Turn) -> None:
        turn.config = replace(turn.config, daemon=Daemon(max_queue=0))
        journal.lost(turn, found.sid, "killed")

    desk.do(fill_and_lose)
    assert len(desk.dispatch()) == 1


def test_a_journal_nobody_knows_makes_good_the_run_that_is_missing() -> None:
    desk = Desk(job("a"))
    claim = _fixed_claim(desk)
    found = Journal(desk, claim.sid)
    found.launch(claim)
    found.add("started", run="", attempt=1, pid=801, start=5)
    desk.read(found)
    run = desk.run(claim.run.id)
    assert (run.state, run.sid, run.origin_key) == (State.RUNNING, claim.sid, "k")
    assert desk.end(found, 2).exit_code == 2


def test_a_journal_nobody_knows_of_a_claim_that_was_given_back_is_that_claim() -> None:
    desk = Desk(job("a"))
    claim = _claim(desk)
    desk.do(lambda turn: journal.never_launched(turn, claim.run.id, 1))
    found = desk.launch(claim)
    run = desk.run(claim.run.id)
    assert (run.state, run.sid, run.attempt) == (State.RUNNING, claim.sid, 1)
    assert desk.dispatch() == ()
    assert desk.end(found).state is State.SUCCEEDED


def test_a_launch_under_another_id_takes_over_the_claim() -> None:
    desk = Desk(job("a"))
    first = _claim(desk)
    desk.do(lambda turn: journal.never_launched(turn, first.run.id, 1))
    (second,) = desk.dispatch()
    found = desk.launch(first)
    run = desk.run(first.run.id)
    assert (run.state, run.sid) == (State.RUNNING, first.sid)
    assert desk.database.view(lambda tx: tx.supervisor(second.sid)) is None
    assert desk.end(found).state is State.SUCCEEDED


def test_a_supervisor_of_a_run_that_has_ended_is_told_to_end() -> None:
    desk = Desk(job("a"))
    claim = _claim(desk)
    desk.do(lambda turn: journal.lost(turn, claim.sid, "gone"))
    before = desk.run(claim.run.id)
    desk.stops()
    stray = replace(claim, sid=ids.supervisor_id(9, bytes(10)))
    found = desk.launch(stray)
    assert desk.stops() == [StopRun(claim.run.id, found.sid, "cancel", "claw")]
    assert desk.run(claim.run.id) == before
    assert desk.database.view(lambda tx: tx.open_supervisors()) == ()


def test_a_journal_without_its_first_line_says_nothing() -> None:
    desk = Desk(job("a"))
    found = Journal(desk, "s" + "0" * 26)
    found.exit(1, 1)
    before = desk.dump()
    assert desk.read(found, 0) == 0
    assert desk.dump() == before


def test_fatal_is_said_as_an_event_of_the_job() -> None:
    desk = Desk(service("web"))
    found = desk.launch(_start(desk))
    run = desk.end(found, 1, why="start_limit")
    assert (run.state, run.reason) == (State.FAILED, "start_limit")
    assert "job.fatal" in [event.type for event in desk.events(job="web")]
    assert desk.standing("web").up
