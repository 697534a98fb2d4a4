"""What a child is told of earlier runs of its job."""

import json
from typing import Any

from claw.master.engine import earlier, handouts
from claw.master.engine.earlier import RESULT_BYTES
from claw.master.engine.turn import Turn
from claw.model.context import Context
from claw.model.keeping import Budget, Kept
from claw.model.run import Run
from tests.kit.desk import Desk, job


def leave(desk: Desk, run: Run, *, said: bytes = b"", result: object = None) -> None:
    """Have a run leave what it has printed, and a result."""

    def inside(turn: Turn) -> None:
        if said:
            kept = Kept(
                run=run.id, attempt=run.attempt, stream="stdout", size=len(said), begin=0,
                data=said, excerpt=None, summary=None,
            )  # fmt: skip
            turn.tx.put_output(kept)
        if result is not None:
            turn.tx.put_result(run.id, run.attempt, json.dumps(result))

    desk.do(inside)


def context_of(desk: Desk, run: Run) -> list[dict[str, Any]] | None:
    """Return what the child of a run would read."""
    found = desk.do(lambda turn: handouts.of(turn, turn.job(run.job), run))
    for one in found.files:
        if one.variable == "CLAW_CONTEXT_FILE":
            assert isinstance(one.content, bytes)
            told: list[dict[str, Any]] = json.loads(one.content)
            return told
    return None


def test_a_job_that_wants_none_is_given_none() -> None:
    desk = Desk(job("a"))
    desk.end(desk.begin("a"))

    assert context_of(desk, desk.ask("a")) is None


def test_the_newest_runs_come_first_with_what_they_left() -> None:
    desk = Desk(job("a", context=Context.RECENT, context_limit=2))
    old, bad, good = (desk.end(desk.begin("a"), code) for code in (0, 7, 0))
    leave(desk, bad, said=b"no luck\n")
    leave(desk, good, said=b"done\n", result={"rows": 3})

    told = context_of(desk, desk.ask("a"))

    assert told is not None
    assert [one["run"] for one in told] == [good.id, bad.id]
    assert old.id not in str(told)
    first, second = told
    assert (first["state"], first["exit"], first["summary"]) == ("succeeded", 0, "done\n")
    assert (first["result"], first["score"]) == ({"rows": 3}, None)
    assert (second["state"], second["exit"], second["summary"]) == ("failed", 7, "no luck\n")
    assert first["ended_at"] == good.ended_at.isoformat() if good.ended_at else None


def test_only_runs_count_that_ended_by_themselves() -> None:
    desk = Desk(job("a", context=Context.RECENT), job("b"))
    canceled = desk.ask("a")
    desk.do(lambda turn: turn.end(canceled, why="", by="x"))
    desk.end(desk.begin("b"))
    killed = desk.end(desk.begin("a"), None, signal=9)

    told = context_of(desk, desk.ask("a"))

    assert told is not None
    assert [(one["run"], one["exit"]) for one in told] == [(killed.id, 137)]


def test_a_run_that_is_like_what_is_asked_for_is_told_beside_the_recent_ones() -> None:
    desk = Desk(job("a", context=Context.HYBRID, context_limit=2))
    alike = desk.end(desk.begin("a", args=("invoice", "acme")))
    others = [desk.end(desk.begin("a", args=(f"other{no}",))) for no in range(5)]

    told = context_of(desk, desk.ask("a", env=(("CUSTOMER", "ACME"),)))
    plain = context_of(desk, desk.ask("a"))

    assert told is not None
    assert [one["run"] for one in told] == [others[-1].id, alike.id]
    assert told[1]["score"] > told[0]["score"] == 0
    assert plain is not None
    assert [one["run"] for one in plain] == [others[-1].id, others[-2].id]


def test_what_is_told_is_within_the_budgets() -> None:
    desk = Desk(job("a", context=Context.RECENT, output=Budget(excerpt=64, summary=64)))
    run = desk.end(desk.begin("a"))
    leave(desk, run, said="ü".encode() * 100, result="x" * RESULT_BYTES)

    [told] = context_of(desk, desk.ask("a")) or []

    assert len(told["summary"].encode()) <= 64
    assert told["summary"].startswith("üü")
    assert told["result"] is None


def test_only_the_beginnings_of_long_texts_are_compared() -> None:
    desk = Desk(job("a", context=Context.HYBRID, context_limit=1))
    far = "x" * 600 + " needle"
    run = desk.ask("a", args=("y", far), env=(("A", far),))
    told = {"args": [far], "summary": far, "result": far}

    wanted = desk.database.view(lambda tx: earlier._wanted(tx, run))

    for text in (wanted, earlier._text(told)):
        assert "needle" not in text
        assert len(text) < 2100
