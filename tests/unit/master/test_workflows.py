"""Workflows in the engine: steps follow each other, each is one row, and how it all ends."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from claw.errors import ConflictError, NotFoundError, UsageError
from claw.master.engine import happenings, intents, services, transients, workflows
from claw.master.engine.happenings import Told
from claw.master.engine.intake import Ask
from claw.model.approval import Approval
from claw.model.condition import parse
from claw.model.effect import DispatchAt
from claw.model.happening import Source
from claw.model.job import Daemon, Job
from claw.model.retry import Delivery, Retry
from claw.model.run import Origin, Run, State
from claw.model.workflow import On, OnBadEnd, Step, Workflow, chain, chord, group
from tests.kit.desk import BOOT, Desk, job
from tests.kit.flows import flow


def steps(*made: Step, **values: object) -> Workflow:
    return Workflow(steps=made, **values)  # type: ignore[arg-type]


def rows(desk: Desk, root: Run) -> dict[str, Run]:
    """Return the newest row of each step."""
    found = {}
    for run in reversed(desk.runs()):
        if run.lineage.workflow == root.lineage.workflow and run.lineage.step is not None:
            found[run.lineage.step] = run
    return found


def states(desk: Desk, root: Run) -> dict[str, str]:
    return {name: str(run.state) for name, run in rows(desk, root).items()}


def work_off(desk: Desk, code_of: Callable[[Run], int] = lambda _run: 0) -> list[str]:
    """Let all that may run end, one at a time; return the steps in their order."""
    order = []
    while claims := desk.dispatch():
        journals = [(claim.run, desk.launch(claim)) for claim in claims]
        for run, found in journals:
            order.append(run.lineage.step or run.job)
            desk.end(found, code_of(run))
    return order


def test_a_chain_runs_its_jobs_one_after_the_other_and_then_has_succeeded() -> None:
    desk = Desk(job("a"), job("b"), job("c"), flow("all", chain(["a", "b", "c"])))
    root = desk.ask("all")

    assert work_off(desk) == ["a", "b", "c"]

    assert desk.run(root.id).state is State.SUCCEEDED
    for name, run in rows(desk, root).items():
        assert run.origin is Origin.WORKFLOW
        assert run.lineage.parent == root.id
        assert run.lineage.workflow == root.id
        assert run.lineage.depth == 1
        assert run.job == name
    assert desk.moves(root.id) == [
        (None, "queued"), ("queued", "claimed"), ("claimed", "running"),
        ("running", "succeeded"),
    ]  # fmt: skip


def test_a_workflow_begins_and_its_first_step_is_claimed_in_one_pass() -> None:
    desk = Desk(job("a"), flow("all", chain(["a"])))
    desk.ask("all")

    (claim,) = desk.dispatch()

    assert (claim.run.job, claim.run.lineage.step) == ("a", "a")


def test_the_next_step_is_there_in_the_transaction_of_the_end_before() -> None:
    desk = Desk(job("a"), job("b"), flow("all", chain(["a", "b"])))
    root = desk.ask("all")
    (claim,) = desk.dispatch()

    desk.end(desk.launch(claim))

    assert states(desk, root) == {"a": "succeeded", "b": "queued"}


def test_a_workflow_takes_no_place_of_those_that_run_at_once() -> None:
    desk = Desk(
        job("a"), flow("all", group(["a"])), flow("more", group(["a"])),
        daemon=Daemon(max_parallel=1),
    )  # fmt: skip
    for name in ("all", "more"):
        desk.ask(name)

    assert work_off(desk) == ["a", "a"]

    assert {run.state for run in desk.runs()} == {State.SUCCEEDED}


def test_what_a_step_says_holds_for_its_runs_alone() -> None:
    again = Step(name="s", job="a", retry=Retry(delays_s=(0.0,), max_attempts=2), timeout_s=7.0)
    desk = Desk(job("a", max_instances=2), flow("all", steps(again)))
    desk.ask("all")
    (claim,) = desk.dispatch()
    assert claim.job.timeout_s == 7.0
    assert desk.end(desk.launch(claim), 1).state is State.RETRY_WAIT
    alone = desk.begin("a")
    assert desk.end(alone, 1).state is State.FAILED


def test_a_step_is_told_of_those_that_it_needs() -> None:
    definition = steps(
        Step(name="a", job="a"),
        Step(name="b-2", job="a", needs=("a",), on=On.COMPLETE, env=(("MODE", "x"),)),
        params=(("REGION", "eu"), ("MODE", "y")),
    )
    desk = Desk(job("a"), flow("all", definition, params=("REGION", "MODE")))
    root = desk.ask("all", env=(("REGION", "us"),))
    (claim,) = desk.dispatch()
    assert dict(claim.run.env) == {"REGION": "us", "MODE": "y"}
    desk.end(desk.launch(claim), 3)
    (claim,) = desk.dispatch()
    assert dict(claim.run.env) == {"REGION": "us", "MODE": "x"}
    assert claim.own["CLAW_WORKFLOW"] == root.id
    assert claim.own["CLAW_STEP"] == "b-2"
    assert claim.own["CLAW_STEP_A_STATUS"] == "failed"
    assert claim.own["CLAW_STEP_A_EXIT"] == "3"
    assert claim.own["CLAW_STEP_A_OUTPUT_FILE"] == os.devnull
    with pytest.raises(UsageError, match="no parameter 'ELSE'"):
        desk.ask("all", env=(("ELSE", "1"),))


def test_a_workflow_that_is_ended_ends_its_steps_and_begins_no_more() -> None:
    desk = Desk(job("a"), job("b"), job("c"), flow("all", group(["a", "b"])))
    definition = steps(
        Step(name="a", job="a"),
        Step(name="held", job="b"),
        Step(name="late", job="c", needs=("a",), on=On.COMPLETE),
    )
    desk = Desk(job("a"), job("b"), job("c"), flow("all", definition))
    desk.do(lambda turn: intents.pause_job(turn, "b", by="x"))
    root = desk.ask("all")
    (claim,) = desk.dispatch()
    found = desk.launch(claim)
    assert rows(desk, root)["held"].state is State.SKIPPED  # of a paused job nothing begins

    desk.do(lambda turn: intents.cancel_run(turn, root.id, by="me", why="enough"))
    assert [stop.run for stop in desk.stops()] == [claim.run.id]
    assert desk.run(root.id).is_active
    desk.end(found, None, signal=15, why="cancel")
    assert states(desk, root) == {"a": "canceled", "held": "skipped", "late": "skipped"}
    ended = desk.run(root.id)
    assert (ended.state, ended.reason, ended.stop_by) == (
        State.CANCELED, "cancel: enough", "me",
    )  # fmt: skip


def test_a_stop_of_the_workflow_ends_it_and_a_restart_begins_another() -> None:
    desk = Desk(job("a"), flow("all", group(["a"])))
    root = desk.ask("all")
    (claim,) = desk.dispatch()
    found = desk.launch(claim)
    desk.do(lambda turn: intents.restart_job(turn, "all", by="me", key="k"))
    desk.end(found, None, signal=15, why="cancel")
    assert desk.run(root.id).reason == "restarted"
    (claim,) = desk.dispatch()
    assert claim.run.lineage.workflow != root.id
    found = desk.launch(claim)
    desk.do(lambda turn: intents.stop_job(turn, "all", by="me"))
    desk.end(found, None, signal=15, why="cancel")
    assert [run.state for run in desk.runs("all")] == [State.CANCELED, State.CANCELED]


def test_a_workflow_that_takes_too_long_is_ended() -> None:
    desk = Desk(job("a"), flow("all", group(["a"]), timeout_s=60.0))
    root = desk.ask("all")
    (claim,) = desk.dispatch()
    found = desk.launch(claim)
    assert DispatchAt(desk.now + timedelta(seconds=60)) in desk.effects
    desk.pass_s(60)
    desk.dispatch()
    assert [stop.run for stop in desk.stops()] == [claim.run.id]
    desk.end(found, None, signal=15, why="cancel")
    ended = desk.run(root.id)
    assert (ended.state, ended.reason) == (State.TIMED_OUT, "timeout")
    assert desk.database.view(lambda tx: tx.next_deadline()) is None


def test_a_workflow_goes_on_over_a_shutdown_that_its_steps_survive() -> None:
    kept = job("a", delivery_guarantee=Delivery.AT_LEAST_ONCE)
    desk = Desk(kept, job("b"), flow("all", chain(["a", "b"])))
    root = desk.ask("all")
    (claim,) = desk.dispatch()
    found = desk.launch(claim)
    desk.do(lambda turn: intents.shut_down(turn, by="daemon"))
    assert [stop.run for stop in desk.stops()] == [claim.run.id]
    desk.end(found, None, signal=15, why="shutdown")
    assert not desk.database.view(lambda tx: tx.has_served_runs())
    assert desk.run(root.id).state is State.RUNNING

    desk.do(lambda turn: services.begin(turn, BOOT))
    assert work_off(desk) == ["a", "b"]
    assert desk.run(root.id).state is State.SUCCEEDED


def test_a_reload_changes_later_runs_only_and_a_job_that_is_gone_is_no_success() -> None:
    desk = Desk(job("a"), job("b"), flow("all", chain(["a", "b"])))
    root = desk.ask("all")
    (claim,) = desk.dispatch()
    found = desk.launch(claim)
    desk.set_config(job("a"), flow("all", chain(["a"])))
    desk.end(found)
    assert states(desk, root) == {"a": "succeeded", "b": "skipped"}
    assert "no job 'b'" in str(rows(desk, root)["b"].reason)
    assert desk.run(root.id).reason == "step b has ended skipped"
    again = desk.ask("all")
    assert work_off(desk) == ["a"]
    assert desk.run(again.id).state is State.SUCCEEDED


def test_a_step_waits_for_its_approval_and_is_none_without_it() -> None:
    gate = Step(name="deploy", job="a", approval=Approval())
    desk = Desk(job("a"), flow("all", steps(gate)))
    root = desk.ask("all")
    assert desk.dispatch() == ()
    asked = rows(desk, root)["deploy"]
    assert asked.state is State.AWAITING_APPROVAL
    desk.do(lambda turn: intents.cancel_run(turn, asked.id, by="me"))
    assert desk.run(root.id).reason == "step deploy has ended canceled"


def test_a_step_may_free_its_job_of_approval() -> None:
    free = Step(name="free", job="a", is_unasked=True)
    desk = Desk(
        job("a", approval=Approval()), flow("all", steps(free, Step(name="b", job="a")))
    )
    root = desk.ask("all")
    desk.dispatch()
    assert rows(desk, root)["free"].state is not State.AWAITING_APPROVAL
    assert rows(desk, root)["b"].state is State.AWAITING_APPROVAL


def test_each_step_is_given_the_event_that_its_workflow_answers_to() -> None:
    whole = chain(["a", "b"])
    desk = Desk(job("a"), job("b"), flow("all", whole, events=("deploy",)))
    told = Told(name="deploy", data='"now"', by="me", source=Source.EMIT)
    desk.do(lambda turn: happenings.emit(turn, told))
    root = desk.runs("all")[0]
    for code in (0, 1):
        (claim,) = desk.dispatch()
        assert claim.own["CLAW_EVENT"] == "deploy"
        desk.end(desk.launch(claim), code)
    desk.do(lambda turn: workflows.retry(turn, root.id, None, key="k", by="me"))
    (claim,) = desk.dispatch()
    assert claim.own["CLAW_EVENT"] == "deploy"


def test_what_fails_is_run_again_from_there_on() -> None:
    desk = Desk(job("a"), job("b"), job("c"), flow("all", chain(["a", "b", "c"])))
    root = desk.ask("all")
    assert work_off(desk, lambda run: int(run.job == "b")) == ["a", "b"]

    def retry(since: str | None = None, key: str = "k") -> Run:
        return desk.do(lambda turn: workflows.retry(turn, root.id, since, key=key, by="me"))

    again = retry()
    assert again.replay_of == root.id
    assert again.lineage.workflow == root.id
    assert retry().id == again.id
    with pytest.raises(ConflictError, match="is queued"):
        retry(key="other")
    assert work_off(desk) == ["b", "c"]
    assert desk.run(again.id).state is State.SUCCEEDED
    assert desk.run(root.id).state is State.FAILED
    with pytest.raises(ConflictError, match="no step of it ended badly"):
        retry(key="third")
    with pytest.raises(NotFoundError, match="no step 'x'"):
        retry("x", key="fourth")
    assert retry("c", key="fifth").replay_of == again.id
    assert work_off(desk) == ["c"]


def test_what_is_forgotten_is_not_run_again_unasked() -> None:
    desk = Desk(job("a"), job("b"), flow("all", chain(["a", "b"])))
    root = desk.ask("all")
    work_off(desk, lambda run: int(run.job == "b"))
    first = rows(desk, root)["a"]
    desk.do(lambda turn: turn.tx.delete_runs([first.id]))

    def retry(since: str | None) -> Run:
        return desk.do(lambda turn: workflows.retry(turn, root.id, since, key="k", by="me"))

    for since in ("b", None):
        with pytest.raises(ConflictError, match="the run of step a is forgotten"):
            retry(since)
    retry("a")
    assert work_off(desk) == ["a", "b"]


def test_a_chord_of_the_shell_is_found_by_its_name_and_gone_from_the_jobs_when_it_is_over() -> (
    None
):
    desk = Desk(job("a"), job("b"))
    ask = Ask(job="", origin=Origin.MANUAL, key="k", by="me", env=(("X", "1"),))
    root = desk.do(
        lambda turn: transients.submit_workflow(turn, chord(["a"], "b"), ask, "", "chord")
    )
    assert root.job.startswith("chord-")
    assert work_off(desk, lambda run: int(run.job == "a")) == ["a", "b"]
    assert dict(rows(desk, root)["b"].env) == {"X": "1"}
    assert desk.run(root.id).state is State.FAILED
    assert root.job not in [one.name for one in desk.config.known]


def test_a_condition_on_a_need_decides_whether_a_step_begins() -> None:
    definition = steps(
        Step(name="a", job="a"),
        Step(name="b", job="a", needs=("a",), on=On.COMPLETE, when=parse("exit:3")),
        on_failure=OnBadEnd.CONTINUE,
    )
    for code, order in ((3, ["a", "b"]), (4, ["a"])):
        desk = Desk(job("a"), flow("all", definition))
        desk.ask("all")
        codes = iter([code, 0])
        assert work_off(desk, lambda _run, codes=codes: next(codes)) == order  # type: ignore[misc]


def _with_own_command(*, command: str, timeout_s: float = 0.0) -> tuple[Job, Job]:
    """Return a workflow of job `a` and a step with a command of its own after it."""
    own = replace(job("all.b"), argv=(command,), step_of="all", timeout_s=timeout_s)
    then = Step(name="b", job="all.b", needs=("a",))
    return flow("all", steps(Step(name="a", job="a"), then)), own


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_workflow_under_way_keeps_the_commands_of_its_steps(*, is_gone: bool) -> None:
    desk = Desk(job("a"), *_with_own_command(command="old", timeout_s=5.0))
    root = desk.ask("all")
    (claim,) = desk.dispatch()
    found = desk.launch(claim)
    desk.set_config(job("a"), *(() if is_gone else _with_own_command(command="new")))
    assert desk.run(root.id).state is State.RUNNING
    desk.end(found)
    (claim,) = desk.dispatch()
    assert (claim.job.argv, claim.job.timeout_s) == (("old",), 5.0)
    found = desk.launch(claim)
    desk.set_config(job("a"))
    assert desk.stops() == []
    desk.end(found)
    assert states(desk, root) == {"a": "succeeded", "b": "succeeded"}
    assert desk.run(root.id).state is State.SUCCEEDED


def test_a_workflow_that_has_not_begun_goes_with_the_files() -> None:
    desk = Desk(job("a"), *_with_own_command(command="old"))
    root = desk.ask("all")
    desk.set_config(job("a"))
    assert desk.run(root.id).state is State.CANCELED


def test_what_is_run_again_has_the_commands_of_now() -> None:
    desk = Desk(job("a"), *_with_own_command(command="old"))
    root = desk.ask("all")
    work_off(desk, lambda run: int(run.lineage.step == "b"))
    desk.set_config(job("a"), *_with_own_command(command="new"))
    desk.do(lambda turn: workflows.retry(turn, root.id, None, key="k", by="me"))
    (claim,) = desk.dispatch()
    assert claim.job.argv == ("new",)
