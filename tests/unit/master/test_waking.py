"""Services that failed for want of something, once it is there."""

from claw.master.engine import intents, journal, waking
from claw.model.run import State
from tests.kit.desk import Desk, job, service


def _wake(desk: Desk, *names: str) -> list[str]:
    key = f"wake-{len(desk.runs())}"
    return desk.do(lambda turn: waking.wake(turn, names, by="me", key=key))


def _refused(desk: Desk, name: str = "web") -> None:
    desk.do(lambda turn: intents.start_job(turn, name, by="me", key=name))
    (claim,) = desk.dispatch()
    desk.do(
        lambda turn: journal.launch_refused(
            turn, claim.run.id, claim.attempt, "there is no secret", retryable=False
        )
    )
    assert desk.run(claim.run.id).state is State.FAILED


def test_a_service_that_could_not_be_launched_is_woken_once() -> None:
    desk = Desk(service("web"))
    _refused(desk)

    assert _wake(desk, "web", "channels.chat") == ["web"]
    (claim,) = desk.dispatch()
    desk.launch(claim)
    assert _wake(desk, "web") == []


def test_a_service_that_was_stopped_or_has_never_run_or_is_no_service_sleeps_on() -> None:
    desk = Desk(service("web"), service("new"), job("once"))
    _refused(desk)
    desk.do(lambda turn: intents.stop_job(turn, "web", by="eve"))
    _refused(desk, "once")

    assert _wake(desk, "web", "new", "once") == []
