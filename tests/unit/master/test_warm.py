"""One supervisor, several runs: whose journal tells of one after the other."""

import pytest

from claw.master.engine import dispatch, journal, rebuild
from claw.master.engine.dispatch import Claim
from claw.master.engine.histories import Spool
from claw.master.engine.turn import Turn
from claw.model.job import Job, JobType, Log, Resources, Stderr, Stdin
from claw.model.retry import Retry
from claw.model.run import Attempt, State
from tests.kit.desk import Desk, Journal, job


def _claim_for_free(desk: Desk, found: Journal, size: int | None = None) -> Claim:
    """Pass the gates while the supervisor of a journal is free."""

    def decide(turn: Turn) -> tuple[Claim, ...]:
        turn.free = [(found.sid, len(found.data) if size is None else size)]
        return dispatch.dispatch(turn)

    (claim,) = desk.do(decide)
    return claim


def _go_on(desk: Desk, found: Journal, name: str = "a") -> Claim:
    """Have the supervisor of a journal begin one more run."""
    desk.ask(name)
    claim = _claim_for_free(desk, found)
    found.launch(claim)
    found.add("started", run=claim.run.id, attempt=claim.attempt, pid=802, start=6)
    desk.read(found)
    return claim


def test_a_free_supervisor_takes_the_next_run_and_each_has_its_own_end() -> None:
    desk = Desk(job("a"), job("b"))
    found = desk.begin("a")
    first = desk.end(found, 0)
    second = _go_on(desk, found, "b")
    assert (second.sid, desk.run(second.run.id).state) == (found.sid, State.RUNNING)
    assert desk.end(found, 3).id == second.run.id
    assert desk.run(first.id).state is State.SUCCEEDED
    assert desk.run(second.run.id).state is State.FAILED
    row = desk.database.view(lambda tx: tx.supervisor(found.sid))
    assert row is not None
    assert (row.run, row.offset, row.closed_at) == (second.run.id, len(found.data), desk.now)


def test_i11_a_journal_of_several_runs_read_from_any_earlier_offset_changes_nothing() -> None:
    desk = Desk(job("a"))
    found = desk.begin("a")
    for code in (0, 1):
        desk.end(found, code)
        _go_on(desk, found)
    desk.end(found, 0)
    after = desk.dump()
    for offset in range(len(found.data)):
        if offset == 0 or found.data[offset - 1 : offset] == b"\n":
            assert desk.read(found, offset) == len(found.data)
            assert desk.dump() == after


def test_none_is_taken_whose_journal_has_more_to_say() -> None:
    desk = Desk(job("a"))
    found = desk.begin("a")
    desk.end(found)
    desk.ask("a")
    assert _claim_for_free(desk, found, len(found.data) + 1).sid != found.sid


def test_none_is_taken_that_has_a_run_or_is_not_known() -> None:
    desk = Desk(job("a", max_instances=2))
    found = desk.begin("a")
    desk.ask("a")
    assert _claim_for_free(desk, found).sid != found.sid
    desk.end(found)
    desk.end(desk.launch(_go_on_elsewhere(desk)))


def _go_on_elsewhere(desk: Desk) -> Claim:
    desk.ask("a")
    return _claim_for_free(desk, Journal(desk, "s" + "7" * 26))


@pytest.mark.parametrize(
    "other",
    [
        job("a", type_=JobType.CONTINUOUS),
        job("a", tty=True),
        job("a", stdin=Stdin.OPEN),
        job("a", log=Log(stderr=Stderr.SEPARATE)),
        job("a", user="nobody"),
        job("a", group="nogroup"),
        job("a", resources=Resources(pids=5)),
    ],
)
def test_what_needs_more_than_a_pipe_gets_a_supervisor_of_its_own(other: Job) -> None:
    assert job("a").is_plain
    assert not other.is_plain


def test_a_launch_that_a_free_one_refuses_goes_back_and_its_journal_stays_known() -> None:
    desk = Desk(job("a"))
    found = desk.begin("a")
    desk.end(found)
    desk.ask("a")
    claim = _claim_for_free(desk, found)
    desk.do(
        lambda turn: journal.launch_refused(
            turn, claim.run.id, claim.attempt, "no room", retryable=True
        )
    )
    assert desk.run(claim.run.id).state is State.QUEUED
    row = desk.database.view(lambda tx: tx.supervisor(found.sid))
    assert row is not None
    assert (row.offset, row.closed_at) == (len(found.data), desk.now)
    assert desk.do(lambda turn: rebuild.unknown(turn, {found.sid: len(found.data)})) == ()


def test_after_damage_each_run_of_a_journal_comes_back() -> None:
    desk = Desk(job("a"))
    found = desk.begin("a")
    first = desk.end(found, 0)
    second = _go_on(desk, found).run
    desk.end(found, 2)
    third = _go_on(desk, found).run

    again = Desk(job("a"))
    again.do(lambda turn: rebuild.rebuild(turn, [Spool(found.sid, found.data)], why="test"))

    states = {run.id: (run.state, run.exit_code) for run in again.runs()}
    assert states == {
        first.id: (State.SUCCEEDED, 0),
        second.id: (State.FAILED, 2),
        third.id: (State.RUNNING, None),
    }
    row = again.database.view(lambda tx: tx.supervisor(found.sid))
    assert row is not None
    assert (row.run, row.closed_at) == (third.id, None)


def test_after_damage_attempts_of_one_run_under_one_supervisor_come_back() -> None:
    ladder = Retry(max_attempts=3, delays_s=(1.0,), jitter=0.0)
    desk = Desk(job("a", retry=ladder))
    found = desk.begin("a")
    run = desk.run_of(found)
    assert desk.end(found, 5).state is State.RETRY_WAIT
    desk.pass_s(5)
    claim = _claim_for_free(desk, found)
    assert (claim.run.id, claim.sid, claim.attempt) == (run.id, found.sid, 2)
    found.launch(claim)
    found.add("started", run=run.id, attempt=2, pid=803, start=7)
    desk.read(found)
    desk.end(found, 0)
    told = [(one.no, one.exit_code) for one in _attempts(desk, run.id)]
    assert told == [(1, 5), (2, 0)]

    again = Desk(job("a", retry=ladder))
    again.do(lambda turn: rebuild.rebuild(turn, [Spool(found.sid, found.data)], why="test"))

    assert again.run(run.id).state is State.SUCCEEDED
    assert [(one.no, one.exit_code) for one in _attempts(again, run.id)] == told


def _attempts(desk: Desk, run: str) -> tuple[Attempt, ...]:
    return desk.database.view(lambda tx: tx.attempts(run))


@pytest.mark.parametrize("is_claim_known", [False, True])
def test_a_database_that_has_gone_back_learns_of_runs_after_those_it_knows(
    *, is_claim_known: bool
) -> None:
    desk, behind = Desk(job("a")), Desk(job("a"))
    found = desk.begin("a")
    known = behind.begin("a")
    assert found.data == known.data  # the same ids are made
    for one, lines in ((desk, found), (behind, known)):
        one.end(lines)
    if is_claim_known:
        behind.ask("a")
        _claim_for_free(behind, known)
    claim = _go_on(desk, found)
    desk.end(found, 4)

    sizes = {found.sid: len(found.data)}
    spools = [Spool(found.sid, found.data)]
    if is_claim_known:  # then it is not settled, and read by adoption in any case
        behind.do(lambda turn: journal.apply_journal(turn, found.sid, found.data, 0))
    else:
        assert behind.do(lambda turn: rebuild.unknown(turn, sizes)) == (found.sid,)
        assert behind.do(lambda turn: rebuild.news(turn, spools)) == tuple(spools)
        behind.do(lambda turn: rebuild.catch_up_with(turn, spools))

    run = behind.run(claim.run.id)
    assert (run.state, run.exit_code) == (State.FAILED, 4)
    assert behind.do(lambda turn: rebuild.unknown(turn, sizes)) == ()


def test_what_a_burial_adds_to_a_journal_is_no_news() -> None:
    desk = Desk(job("a"))
    found = desk.begin("a")
    desk.do(lambda turn: journal.lost(turn, found.sid, "gone"))
    found.add("ended", run="", attempt=0, why="exit", by="claw")
    spools = [Spool(found.sid, found.data)]
    assert desk.do(lambda turn: rebuild.news(turn, spools)) == ()
