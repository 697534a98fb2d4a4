"""Workflows in the engine: steps follow each other, each is one row, and how it all ends."""

from collections.abc import Callable

from claw.model.job import Job
from claw.model.run import Origin, Run, State
from claw.model.workflow import Step, Workflow, chain
from tests.kit.desk import Desk, job


def flow(name: str, definition: Workflow, **values: object) -> Job:
    """Return a workflow's job."""
    return Job(name=name, argv=(), workflow=definition, **values)  # type: ignore[arg-type]


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
