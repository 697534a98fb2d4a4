"""The score of a promise, as runs end and time passes."""

from claw.master.engine import duties, sla
from claw.model.job import Job, JobType
from claw.model.sla import Budget, Score, Sla
from claw.store.records import Tx
from tests.kit.desk import Desk, job
from tests.unit.master.test_conditions import fail, told

DAY = 86400.0


def promised(**values: object) -> Job:
    """Return a job of which something is promised."""
    return job("etl", sla=Sla(**values))  # type: ignore[arg-type]


def score(desk: Desk) -> Score:
    """Return the score of the only job."""
    (only,) = desk.config.jobs
    return desk.database.view(lambda tx: sla.score(tx, only, desk.now))


def abouts(desk: Desk) -> set[str]:
    """Return what of the promise is told to be broken."""
    return {one.about for one in desk.database.view(Tx.all_standing_alerts)}


def look(desk: Desk) -> None:
    """Look at what time alone has changed, as the lookout does."""
    found = desk.database.view(lambda tx: duties.look(tx, desk.config, ["etl"], desk.now))
    desk.do(lambda turn: duties.judge(turn, [one.job for one in found if one.is_news]))


def test_runs_are_counted_as_they_end_and_forgotten_with_the_period() -> None:
    desk = Desk(promised(success_rate=60.0, period_s=DAY))
    fail(desk, "etl", 1)
    desk.end(desk.begin("etl"))
    assert (score(desk).passes, score(desk).fails, score(desk).rate) == (1, 1, 50.0)
    assert abouts(desk) == {"rate"}

    desk.end(desk.begin("etl"))
    assert told(desk) == []
    desk.pass_s(DAY + 900)
    assert score(desk).rate is None


def test_a_canceled_run_counts_for_nothing() -> None:
    desk = Desk(promised(success_rate=99.0))
    desk.end(desk.begin("etl"), None, signal=15, why="cancel")
    assert score(desk).rate is None


def test_failures_in_a_row_end_with_a_success() -> None:
    desk = Desk(promised(max_consecutive_failures=2))
    fail(desk, "etl", 2)
    assert abouts(desk) == set()
    fail(desk, "etl", 1)
    assert abouts(desk) == {"streak"}
    desk.end(desk.begin("etl"))
    assert abouts(desk) == set()


def test_a_budget_warns_is_spent_and_begins_anew() -> None:
    desk = Desk(promised(error_budget=Budget(period="day", failures=3)))
    fail(desk, "etl", 2)
    assert abouts(desk) == {"budget low"}
    fail(desk, "etl", 1)
    assert abouts(desk) == {"budget"}
    desk.pass_s(DAY)
    look(desk)
    assert abouts(desk) == set()
    assert score(desk).spent == 0


def test_another_schedule_begins_the_score_anew() -> None:
    def etl(schedule: str) -> Job:
        wanted = Sla(success_rate=90.0)
        return job("etl", JobType.SCHEDULED, schedule=(schedule,), sla=wanted)

    desk = Desk(etl("0 3 * * *"))
    fail(desk, "etl", 2)
    assert abouts(desk) == {"rate"}
    desk.set_config(etl("0 4 * * *"))
    assert score(desk).fails == 0
    desk.end(desk.begin("etl"))
    assert (score(desk).passes, score(desk).fails) == (1, 0)
    assert abouts(desk) == set()


def test_a_job_that_is_gone_takes_its_score_with_it() -> None:
    desk = Desk(promised(success_rate=90.0))
    fail(desk, "etl", 1)
    desk.set_config()
    desk.set_config(promised(success_rate=90.0))
    assert score(desk).fails == 0
