"""What a journal tells of a child's readiness, health and words, as the store has it."""

import pytest

from claw.model.checks import Health, HealthAction
from claw.model.effect import Recheck
from claw.model.run import Phase
from claw.store.records import Tx
from tests.kit.desk import Desk, Journal, service


def launched(desk: Desk, ready: str = "notify") -> Journal:
    """Have a service's supervisor and child begin."""
    run = desk.ask("web")
    [claim] = desk.dispatch()
    found = Journal(desk, claim.sid)
    found.launch(claim)
    found.add("started", run=run.id, attempt=1, pid=801, start=5, ready=ready)
    desk.read(found)
    return found


def test_a_child_is_starting_until_it_is_ready_and_its_checks_are_told() -> None:
    desk = Desk(service("web"))
    found = launched(desk)
    assert desk.run_of(found).phase is Phase.STARTING
    desk.effects.clear()

    found.add("ready", run="", attempt=1, by="notify")
    desk.read(found)

    run = desk.run_of(found)
    assert run.phase is Phase.UP
    assert desk.effects == [Recheck("web", run.id)]
    assert [each.why for each in desk.events(run.id) if each.type == "attempt.ready"] == [
        "notify"
    ]


@pytest.mark.parametrize("action", list(HealthAction))
def test_health_is_an_event_for_each_change_and_an_alert_where_that_is_wanted(
    action: HealthAction,
) -> None:
    desk = Desk(service("web", health=Health(action=action)))
    found = launched(desk)
    found.add("ready", run="", attempt=1, by="notify")
    found.add("health", run="", attempt=1, state="healthy", why="")
    found.add("health", run="", attempt=1, state="unhealthy", why="status 500")
    found.add("health", run="", attempt=1, state="as never before", why="")
    desk.read(found)
    desk.read(found, 0)

    run = desk.run_of(found)
    assert (run.health, run.health_why) == ("unhealthy", "status 500")
    told = [(each.type, each.why) for each in desk.events(run.id) if "health" in each.type]
    assert told == [("job.healthy", None), ("job.unhealthy", "status 500")]
    alerts = desk.database.view(Tx.alerts)
    assert len(alerts) == (action is HealthAction.ALERT)


def test_what_is_told_of_an_earlier_child_says_nothing_of_the_present_one() -> None:
    desk = Desk(service("web"))
    found = launched(desk)
    found.add("status", run="", attempt=1, text="serving")
    found.add("health", run="", attempt=1, state="unhealthy", why="x")
    desk.read(found)
    before = desk.run_of(found)
    assert (before.status_text, before.health) == ("serving", "unhealthy")

    found.exit(1, 3)
    found.add("restarting", run="", attempt=2, until=desk.now.timestamp(), restarts=1)
    found.add("started", run="", attempt=2, pid=901, start=9, ready="notify")
    found.add("status", run="", attempt=1, text="late")
    found.add("health", run="", attempt=1, state="unhealthy", why="late")
    found.add("main", run="", attempt=1, pid=7, start=7)
    desk.read(found)

    after = desk.run_of(found)
    assert (after.status_text, after.health, after.health_why, after.pid) == (
        None, None, None, 901,
    )  # fmt: skip


def test_another_process_may_become_the_child() -> None:
    desk = Desk(service("web"))
    found = launched(desk)
    desk.effects.clear()

    found.add("main", run="", attempt=1, pid=802, start=6)
    desk.read(found)

    run = desk.run_of(found)
    assert desk.effects == [Recheck("web", run.id)]
    attempt = desk.database.view(lambda tx: tx.attempt(run.id, 1))
    assert attempt is not None
    assert (run.pid, attempt.pid, attempt.start_ticks) == (802, 802, 6)
