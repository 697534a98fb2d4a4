"""Many runs in one request, duplicates, and what failed once more."""

import pytest

from claw.errors import ConflictError, SaturatedError
from claw.master.engine import batches, intake, intents
from claw.master.engine.intake import Ask, Particular
from claw.master.engine.intents import Revocation
from claw.model.dedup import Dedup
from claw.model.effect import StopRun
from claw.model.job import Daemon
from claw.model.run import Origin, Run, State
from tests.kit.desk import Desk, job, service


def _ask_each(desk: Desk, name: str, *lines: str, key: str = "q") -> tuple[str, int]:
    common = Ask(job=name, origin=Origin.MANUAL, key=key, by="eve", args=("-v",))
    runs = [Particular((line,)) for line in lines]
    return desk.do(lambda turn: intake.submit_batch(turn, common, runs))


def _of(desk: Desk, batch: str) -> list[Run]:
    found = desk.database.view(lambda tx: tx.runs_of_batch(batch, limit=1000))
    return list(reversed(found))


def _progress(desk: Desk, batch: str) -> dict[str, object]:
    return desk.database.view(lambda tx: batches.progress(tx, batch, desk.now))


def test_a_batch_is_a_run_for_each_line_in_their_order() -> None:
    desk = Desk(job("a"))
    batch, queued = _ask_each(desk, "a", "x", "y", "z")
    runs = _of(desk, batch)
    assert queued == 3
    assert [run.args for run in runs] == [("-v", "x"), ("-v", "y"), ("-v", "z")]
    assert {run.batch for run in runs} == {batch}
    for run in runs:
        (claim,) = desk.dispatch()
        assert claim.run.id == run.id
        desk.end(desk.launch(claim))


def test_a_batch_that_does_not_fit_leaves_nothing() -> None:
    desk = Desk(job("a"), daemon=Daemon(max_queue=2))
    with pytest.raises(SaturatedError, match="are beyond"):
        _ask_each(desk, "a", "x", "y", "z")
    assert desk.runs() == ()
    with pytest.raises(ConflictError):
        Desk(service("s")).do(
            lambda turn: intake.submit_batch(
                turn, Ask(job="s", origin=Origin.MANUAL, key="k"), [Particular()]
            )
        )


def test_how_far_a_batch_is() -> None:
    desk = Desk(job("a", max_instances=2))
    batch, _ = _ask_each(desk, "a", "x", "y", "z", "u")
    assert _progress(desk, batch)["left_s"] is None
    desk.pass_s(10)
    first, second = desk.dispatch()
    desk.end(desk.launch(first))
    desk.end(desk.launch(second), 1)
    desk.dispatch()
    found = _progress(desk, batch)
    assert (found["total"], found["done"], found["running"]) == (4, 2, 2)
    assert (found["failed"], found["job"]) == (1, "a")
    assert found["left_s"] == pytest.approx(10, abs=1)


def test_what_failed_of_a_batch_is_run_again_as_a_batch_that_names_it() -> None:
    desk = Desk(job("a", dedup=Dedup(600)))
    batch, _ = _ask_each(desk, "a", "x", "y", "z")
    for code in (1, 0, 2):
        (claim,) = desk.dispatch()
        desk.end(desk.launch(claim), code)
    old = desk.database.view(lambda tx: batches.failed_of(tx, batch))
    assert [run.args[-1] for run in old] == ["x", "z"]
    again = desk.do(lambda turn: batches.retry(turn, old, key="k", by="eve"))
    new = _of(desk, str(again["batch"]))
    assert [(run.args, run.replay_of, run.state) for run in new] == [
        (run.args, run.id, State.QUEUED) for run in old
    ]
    with pytest.raises(ConflictError, match="is queued"):
        desk.do(lambda turn: batches.retry(turn, new[:1], key="l", by="eve"))
    with pytest.raises(ConflictError, match="nothing of that has failed"):
        desk.do(lambda turn: batches.retry(turn, [], key="m", by="eve"))


def test_a_duplicate_within_the_window_is_a_skipped_row_that_names_the_first() -> None:
    desk = Desk(job("a", dedup=Dedup(60, "${1}"), max_instances=9))
    first = desk.ask("a", args=("x", "1"))
    second = desk.ask("a", args=("x", "2"))
    assert second.state is State.SKIPPED
    assert first.id in (second.reason or "")
    assert desk.run(second.id) == second
    assert desk.ask("a", args=("y",)).state is State.QUEUED
    assert desk.ask("a", args=("x",), forced=True).state is State.QUEUED
    desk.pass_s(70)  # counted from the first: what was skipped keeps nobody out
    assert desk.ask("a", args=("x",)).state is State.QUEUED


def test_what_was_canceled_makes_no_duplicates_and_a_batch_counts_its_own() -> None:
    desk = Desk(job("a", dedup=Dedup(60)))
    first = desk.ask("a")
    desk.do(lambda turn: turn.end(turn.run(first.id), why="cancel", by="eve"))
    assert desk.ask("a").state is State.QUEUED
    assert _ask_each(desk, "a", "x", "y", "x")[1] == 2


def test_canceling_at_once_gives_no_grace_and_keeps_the_reason() -> None:
    desk = Desk(job("a"))
    running = desk.run_of(desk.begin("a"))
    waiting = desk.ask("a")
    how = Revocation(by="eve", why="disk full", at_once=True)
    desk.stops()
    desk.do(lambda turn: intents.cancel_runs(turn, [running.id, waiting.id], how))
    assert desk.run(waiting.id).reason == "cancel: disk full"
    assert desk.stops() == [
        StopRun(running.id, running.sid or "", "cancel: disk full", "eve", 0.0)
    ]
