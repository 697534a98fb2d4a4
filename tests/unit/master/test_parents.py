"""What a child is told of the runs that its own follows."""

import os

from claw.master.engine import deadletters, descent, handouts
from claw.master.engine.deadletters import Changes
from claw.model.evidence import Evidence, Printed
from claw.model.handout import Handouts, Slice
from claw.model.run import Run
from claw.model.trigger import On, Trigger
from tests.kit.desk import Desk, job


def _printed(data: bytes, size: int | None = None, begin: int = 0) -> Evidence:
    one = Printed(
        stream="stdout",
        size=len(data) if size is None else size,
        head=data,
        tail=data,
        begin=begin,
    )
    return Evidence(printed=(one,))


def _given(desk: Desk, run: Run) -> Handouts:
    return desk.do(lambda turn: handouts.of(turn, turn.job(run.job), run))


def test_a_run_that_nobody_asked_for_is_told_of_no_parent() -> None:
    desk = Desk(job("a"))
    given = _given(desk, desk.ask("a"))
    assert (given.env, given.files) == ({}, [])


def test_a_child_is_told_how_its_parent_ended_and_given_what_it_left() -> None:
    desk = Desk(job("a"), job("b", trigger=Trigger(after=("a",), on=On.FAILURE)))
    evidence = Evidence(printed=_printed(b"hello\n").printed, result='{"x":1}')
    run = desk.end(desk.begin("a"), 3, evidence=evidence)
    (child,) = desk.runs("b")
    given = _given(desk, child)
    assert given.env == {
        "CLAW_PARENT_RUN": run.id,
        "CLAW_PARENT_JOB": "a",
        "CLAW_PARENT_RUNS": run.id,
        "CLAW_PARENT_STATUS": "failed",
        "CLAW_PARENT_EXIT": "3",
    }
    assert [(one.variable, one.content) for one in given.files] == [
        ("CLAW_PARENT_OUTPUT_FILE", b"hello\n"),
        ("CLAW_PARENT_RESULT_FILE", b'{"x":1}'),
    ]


def test_a_parent_that_a_signal_ended_says_so_and_has_printed_nothing() -> None:
    desk = Desk(job("a"), job("b", trigger=Trigger(after=("a",), on=On.FAILURE)))
    desk.end(desk.begin("a"), None, signal=9)
    (child,) = desk.runs("b")
    given = _given(desk, child)
    assert given.env["CLAW_PARENT_EXIT"] == "137"
    assert given.env["CLAW_PARENT_OUTPUT_FILE"] == os.devnull
    assert not given.files


def test_of_long_output_the_end_is_handed_out_from_the_file() -> None:
    desk = Desk(job("a"), job("b", trigger=Trigger(after=("a",))))
    run = desk.end(desk.begin("a"), evidence=_printed(b"x" * 10, 3 << 20, 100))
    (child,) = desk.runs("b")
    (one,) = _given(desk, child).files
    path, begin = f"a/{run.id}.out", 100 + (2 << 20)
    assert one.content == Slice(path, begin, 1 << 20, from_line=True)


def test_a_child_that_joins_several_is_told_of_each() -> None:
    desk = Desk(job("get.a"), job("get-b"), job("c", trigger=Trigger(after=("get.a", "get-b"))))
    first = desk.end(desk.begin("get.a"), evidence=_printed(b"A"))
    last = desk.end(desk.begin("get-b"), evidence=_printed(b"B"))
    (child,) = desk.runs("c")
    given = _given(desk, child)
    assert given.env["CLAW_PARENT_RUN"] == last.id
    assert given.env["CLAW_PARENT_RUNS"] == f"{first.id} {last.id}"
    assert given.env["CLAW_PARENT_GET_A_RUN"] == first.id
    assert given.env["CLAW_PARENT_GET_A_STATUS"] == "succeeded"
    assert given.env["CLAW_PARENT_GET_B_EXIT"] == "0"
    assert {one.variable: one.content for one in given.files} == {
        "CLAW_PARENT_OUTPUT_FILE": b"B",
        "CLAW_PARENT_GET_A_OUTPUT_FILE": b"A",
        "CLAW_PARENT_GET_B_OUTPUT_FILE": b"B",
    }
    assert len({one.name for one in given.files}) == 3


def test_a_run_that_repeats_one_is_told_the_same_and_joins_what_that_would_have() -> None:
    failing = job("b", trigger=Trigger(after=("a",)), dead_letter=True)
    desk = Desk(job("a"), failing, job("c", trigger=Trigger(after=("a", "b"))))
    root = desk.end(desk.begin("a"), evidence=_printed(b"hello"))
    (claim,) = desk.dispatch()
    dead = desk.end(desk.launch(claim), 1)
    again = desk.do(
        lambda turn: deadletters.reinject(turn, dead, by="me", key="k", changes=Changes())
    )
    assert again.lineage == dead.lineage
    assert _given(desk, again).env == _given(desk, dead).env
    (claim,) = desk.dispatch()
    desk.end(desk.launch(claim))
    (joined,) = desk.runs("c")
    assert descent.parents_of(joined) == (root.id, again.id)
