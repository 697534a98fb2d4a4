"""What is told of a job costs the same however many of its runs wait."""

from claw.master.engine import intake
from claw.master.engine.intake import Ask
from claw.master.engine.turn import Turn
from claw.master.views import jobrows
from claw.model.job import Daemon
from claw.model.run import Origin
from tests.kit.desk import Desk, job


def test_of_a_long_queue_the_first_runs_are_read_and_the_others_counted() -> None:
    desk = Desk(job("w", max_instances=2), job("idle"), daemon=Daemon(max_queue=1000))

    def ask(turn: Turn) -> None:
        for number in range(300):
            intake.submit(turn, Ask(job="w", origin=Origin.MANUAL, key=str(number)))

    desk.do(ask)
    active = {claim.run.id for claim in desk.dispatch()}
    for names in (["w"], None):
        rows = desk.database.view(lambda tx, names=names: jobrows.look(tx, names))  # type: ignore[misc]
        shown = rows.open_runs["w"]
        assert active < {run.id for run in shown}
        assert len(shown) <= 10
        assert rows.count_queued("w", None) == 298
