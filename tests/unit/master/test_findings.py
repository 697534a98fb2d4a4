"""What a run has printed, and what becomes of it by that."""

from functools import partial

from claw.master.engine import journal
from claw.master.handlers import leavings
from claw.model.evidence import Evidence, Printed
from claw.model.job import Job
from claw.model.outputcheck import Check, Then
from claw.model.retry import RateLimit, Retry
from claw.model.run import Run, State
from tests.kit.desk import Desk, job

TRACE = Check(match="Traceback", then=Then.FAIL)
WARNING = Check(match="WARN", then=Then.WARN)
ALERT = Check(match="PANIC", then=Then.ALERT)


def printed(text: str, **values: object) -> Evidence:
    """Return the evidence of an attempt that has printed a text."""
    data = text.encode()
    one = Printed(stream="stdout", size=len(data), head=data, tail=data)
    return Evidence(printed=(one,), **values)  # type: ignore[arg-type]


def end(one: Job, code: int, evidence: Evidence) -> tuple[Desk, Run]:
    """Have a run of a job end with an exit status, and with evidence."""
    desk = Desk(one)
    return desk, end_again(desk, code, evidence)


def end_again(desk: Desk, code: int, evidence: Evidence) -> Run:
    """Have the next attempt begin and end."""
    claims = desk.dispatch()
    found = desk.launch(claims[0]) if claims else desk.begin("j")
    run = desk.run_of(found)
    begin = len(found.data)
    found.exit(run.attempt, code)
    found.add("ended", run=run.id, attempt=run.attempt, why="exit", by="")
    known = {(run.id, run.attempt): evidence}
    data = found.data[begin:]
    desk.do(lambda turn: journal.apply_journal(turn, found.sid, data, begin, known))
    return desk.run(run.id)


def test_a_check_turns_a_success_into_a_failure() -> None:
    _, run = end(job("j", checks=(TRACE,)), 0, printed("x", found=(TRACE,)))
    assert (run.state, run.reason, run.exit_code) == (State.FAILED, "check: Traceback", 0)


def test_a_failure_by_a_check_is_tried_again() -> None:
    one = job("j", checks=(TRACE,), retry=Retry(delays_s=(1,), max_attempts=2))
    _, run = end(one, 0, printed("x", found=(TRACE,)))
    assert (run.state, run.cause) == (State.RETRY_WAIT, "retry")
    assert run.waiting_for == "check: Traceback: attempt 2 of 2 follows"


def test_a_warning_is_a_note_and_an_event_and_fails_nothing() -> None:
    desk, run = end(job("j", checks=(WARNING,)), 0, printed("x", found=(WARNING,)))
    assert (run.state, run.note) == (State.SUCCEEDED, "check: WARN was found (warn)")
    assert "attempt.note" in [event.type for event in desk.events(run=run.id)]


def test_an_alert_stands_for_what_was_found() -> None:
    desk, run = end(job("j", checks=(ALERT,)), 0, printed("x", found=(ALERT,)))
    assert run.state is State.SUCCEEDED
    (alert,) = desk.database.view(lambda tx: tx.standing_alerts("j"))
    assert (alert.kind, alert.run, alert.about) == ("check", run.id, "PANIC")


def test_a_check_that_cannot_be_made_decides_nothing_and_is_told() -> None:
    _, run = end(job("j", checks=(TRACE,)), 0, printed("x", unsearched=("Traceback",)))
    assert run.state is State.SUCCEEDED
    assert run.note == "not searched for, it took too long: Traceback"


def test_a_failure_stays_what_it_is_whatever_is_found() -> None:
    _, run = end(job("j", checks=(TRACE,)), 3, printed("x", found=(TRACE,)))
    assert (run.state, run.reason) == (State.FAILED, "exit_code")


def test_a_run_says_why_its_result_is_not_taken_however_it_ends() -> None:
    found = Evidence(complaint="it is a symbolic link")
    for code in (0, 3):
        desk, run = end(job("j"), code, found)
        assert run.note == "its result file is not taken: it is a symbolic link"
        assert desk.database.view(partial(leavings.why_none, run=run, attempt=None)) == run.note


def test_a_first_line_says_that_there_was_nothing_to_do() -> None:
    for code in (0, 1):
        _, run = end(job("j"), code, printed("IDEMPOTENT_SKIP\nmore\n"))
        assert (run.state, run.note) == (State.SUCCEEDED, "already done")
    _, run = end(job("j"), 1, printed("so: IDEMPOTENT_SKIP\n"))
    assert run.state is State.FAILED


def test_a_rate_limit_has_its_own_ladder() -> None:
    limit = RateLimit(match="429", delays_s=(60,), max_attempts=1)
    one = job("j", retry=Retry(delays_s=(1,), max_attempts=2, rate_limit=limit))
    desk, run = end(one, 1, printed("HTTP 429", is_limited=True))
    assert (run.state, run.cause, run.limited, run.retries) == (
        State.RETRY_WAIT, "rate_limit", 1, 0,
    )  # fmt: skip
    assert (run.due_at - desk.now).total_seconds() == 60
    assert run.waiting_for == "exit 1, as a rate limit has it: try 1 of 1 after one"
    desk.pass_s(60)
    assert end_again(desk, 1, printed("HTTP 429", is_limited=True)).state is State.FAILED


def test_poison_is_the_same_last_lines_and_not_the_same_exit_alone() -> None:
    one = job("j", retry=Retry(delays_s=(1,), max_attempts=9, poison_after=2))
    desk, _ = end(one, 1, printed("at 12:01 no disk"))
    desk.pass_s(1)
    assert end_again(desk, 1, printed("at 12:02 no route")).state is State.RETRY_WAIT
    desk.pass_s(1)
    run = end_again(desk, 1, printed("at 12:03 no route"))
    assert (run.state, run.reason, run.attempt) == (State.FAILED, "poison", 3)
