"""How the steps of workflows stand, as the store has it."""

import json
from functools import lru_cache

from claw.master.engine import matches
from claw.model import stored, workflow
from claw.model.run import Run
from claw.model.workflow import Stand, Step, Workflow
from claw.store.records import Tx
from claw.store.workflowrows import StepRow

LEFT_OUT = "left_out"
"""The cause of a step's row that its workflow has skipped."""


def definition_of(tx: Tx, run: Run) -> Workflow:
    """Return the definition that a workflow's run has begun with."""
    row = tx.workflow(run.id)
    return Workflow(steps=()) if row is None else _definition(row.definition)


def step_of(tx: Tx, run: Run) -> Step | None:
    """Return the step of a workflow that a run is, as its workflow began with it."""
    if run.lineage.step is None or run.lineage.parent is None:
        return None
    row = tx.workflow(run.lineage.parent)
    return None if row is None else _definition(row.definition).step(run.lineage.step)


@lru_cache(maxsize=64)
def _definition(text: str) -> Workflow:
    return stored.known_again(Workflow, json.loads(text))


def text_of(definition: Workflow) -> str:
    """Return a definition as it is stored."""
    return json.dumps(stored.plain(definition), separators=(",", ":"))


def rows_of(tx: Tx, run: Run) -> tuple[StepRow, ...]:
    """Return the rows of the steps that a workflow's run itself has begun or left out."""
    whole = run.lineage.workflow or run.id
    return tuple(row for row in tx.step_rows(whole) if row.parent == run.id)


def present_rows(tx: Tx, run: Run) -> dict[str, StepRow]:
    """Return the row that tells of each step, by name; those of earlier runs that count."""
    whole, row = run.lineage.workflow or run.id, tx.workflow(run.id)
    kept = set() if row is None else set(row.kept)
    found: dict[str, StepRow] = {}
    for one in tx.step_rows(whole):  # the oldest first
        if one.parent == run.id or (one.step in kept and one.id < run.id):
            found[one.step] = one
    return found


def stands(tx: Tx, run: Run, definition: Workflow) -> dict[str, Stand]:
    """Return how the steps of a workflow's run stand, those that have a row."""
    return {
        name: Stand(one.state, one.cause == LEFT_OUT, _met(tx, one, definition))
        for name, one in present_rows(tx, run).items()
    }


def _met(tx: Tx, row: StepRow, definition: Workflow) -> frozenset[str]:
    """Return which of the conditions hold that its workflow asks of a step's run."""
    wanted = workflow.conditions_after(definition, row.step)
    run = tx.run(row.id) if wanted else None
    if run is None or run.is_open:
        return frozenset()
    return frozenset(one.text for one in wanted if matches.holds(tx, run, one))
