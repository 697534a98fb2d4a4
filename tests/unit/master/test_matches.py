"""What is known of the conditions on a run: stored with the end of its last attempt."""

from claw.master.engine import matches
from claw.model import condition
from claw.model.evidence import Evidence
from claw.model.retry import Retry
from claw.model.run import Run, State
from tests.kit.desk import Desk, job


def _holds(desk: Desk, run: Run, text: str | None) -> bool:
    wanted = None if text is None else condition.parse(text)
    return desk.database.view(lambda tx: matches.holds(tx, run, wanted))


def test_what_the_evidence_met_holds_and_nothing_else_does() -> None:
    desk = Desk(job("a"))
    found = desk.begin("a")
    run = desk.end(found, evidence=Evidence(met=("contains:x",)))
    assert _holds(desk, run, "contains:x")
    assert not _holds(desk, run, "contains:y")
    assert _holds(desk, run, None)


def test_the_exit_status_needs_no_evidence() -> None:
    desk = Desk(job("a"))
    run = desk.end(desk.begin("a"), 3)
    assert _holds(desk, run, "exit:3")
    assert not _holds(desk, run, "exit:4")


def test_a_result_is_looked_into_as_it_is_stored() -> None:
    desk = Desk(job("a"))
    run = desk.end(desk.begin("a"), evidence=Evidence(result='{"a":1}'))
    assert _holds(desk, run, "json:a=1")
    assert not _holds(desk, run, "json:a=2")


def test_only_the_last_attempt_counts() -> None:
    desk = Desk(job("a", retry=Retry(delays_s=(0,), max_attempts=2)))
    first = desk.begin("a")
    run = desk.end(first, 1, evidence=Evidence(met=("contains:first",)))
    assert run.state is State.RETRY_WAIT
    (claim,) = desk.dispatch()
    run = desk.end(desk.launch(claim), evidence=Evidence(met=("contains:second",)))
    assert run.state is State.SUCCEEDED
    assert not _holds(desk, run, "contains:first")
    assert _holds(desk, run, "contains:second")
