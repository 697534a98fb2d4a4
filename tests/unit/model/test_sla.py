"""What is promised: what a run is to it, and when a budget begins anew."""

from datetime import UTC, datetime, timedelta

import pytest

from claw.model.run import State
from claw.model.sla import Budget, Score, Sla, Verdict, breaches, judge
from tests.kit.desk import T0, a_run


@pytest.mark.parametrize(
    ("state", "began_s", "took_s", "verdict"),
    [
        (State.SUCCEEDED, 0, 10, Verdict.PASS),
        (State.SUCCEEDED, 5, 10, Verdict.PASS),
        (State.SUCCEEDED, 6, 10, Verdict.FAIL),
        (State.SUCCEEDED, 0, 61, Verdict.FAIL),
        (State.FAILED, 0, 1, Verdict.FAIL),
        (State.TIMED_OUT, 0, 1, Verdict.FAIL),
        (State.CRASHED, 0, 1, Verdict.FAIL),
        (State.MISSED, None, 0, Verdict.FAIL),
        (State.CANCELED, 0, 1, Verdict.NONE),
        (State.SKIPPED, None, 0, Verdict.NONE),
    ],
)
def test_a_run_passes_fails_or_says_nothing(
    state: State, began_s: int | None, took_s: int, verdict: Verdict
) -> None:
    began = None if began_s is None else T0 + timedelta(seconds=began_s)
    ended = (began or T0) + timedelta(seconds=took_s)
    run = a_run(state=state, started_at=began, ended_at=ended)
    assert judge(Sla(tolerance_s=5.0, max_duration_s=60.0), run)[0] is verdict


@pytest.mark.parametrize(
    ("period", "zone", "begin", "end"),
    [
        ("day", "UTC", "2026-03-04T00:00Z", "2026-03-05T00:00Z"),
        ("week", "UTC", "2026-03-02T00:00Z", "2026-03-09T00:00Z"),
        ("month", "UTC", "2026-03-01T00:00Z", "2026-04-01T00:00Z"),
        ("day", "Asia/Kolkata", "2026-03-03T18:30Z", "2026-03-04T18:30Z"),
        ("month", "Europe/Berlin", "2026-02-28T23:00Z", "2026-03-31T22:00Z"),
    ],
)
def test_a_budget_begins_anew_at_midnight_in_the_zone_of_the_job(
    period: str, zone: str, begin: str, end: str
) -> None:
    now = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
    found = Budget(period=period, failures=1).span(now, zone)
    assert found == (datetime.fromisoformat(begin), datetime.fromisoformat(end))


@pytest.mark.parametrize(
    ("failures", "spent", "told"),
    [
        (3, 0, []),
        (3, 1, []),
        (3, 2, ["budget low"]),
        (3, 3, ["budget"]),
        (3, 9, ["budget"]),
        (1, 0, []),
        (1, 1, ["budget"]),
        (100, 89, []),
        (100, 90, ["budget low"]),
    ],
)
def test_a_budget_is_told_before_it_is_spent_and_when_it_is(
    failures: int, spent: int, told: list[str]
) -> None:
    sla = Sla(error_budget=Budget(period="week", failures=failures))
    assert [about for about, _ in breaches(sla, Score(since=T0, spent=spent))] == told


def test_a_rate_is_held_against_what_is_promised() -> None:
    sla = Sla(success_rate=95.0)
    assert Score(since=T0).rate is None
    assert list(breaches(sla, Score(since=T0))) == []
    assert list(breaches(sla, Score(since=T0, passes=95, fails=5))) == []
    ((about, text),) = breaches(sla, Score(since=T0, passes=94, fails=6))
    assert (about, text) == (
        "rate",
        "94 % of 100 runs within 7d passed, 95 % are promised",
    )
