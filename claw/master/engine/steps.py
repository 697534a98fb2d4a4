"""How the steps of workflows stand, as the store has it."""

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache

from claw.master.engine import matches
from claw.model import stored, workflow
from claw.model.job import Config, Job
from claw.model.root import is_root
from claw.model.run import Run
from claw.model.workflow import Stand, Step, Workflow
from claw.store.records import Tx
from claw.store.workflowrows import StepRow

_JOBS = "jobs"
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


@lru_cache(maxsize=64)
def _own_jobs(text: str) -> Mapping[str, Job]:
    found = {}
    for name, one in (json.loads(text).get(_JOBS) or {}).items():
        with suppress(ValueError):  # of another version, which knew other values
            found[name] = stored.known_again(Job, one)
    return found


def text_of(definition: Workflow, config: Config, name: str, before: str = "{}") -> str:
    """Return the definition of a workflow as it is stored, with the jobs that are its own.

    Args:
        definition: What it begins with.
        config: Has the jobs of steps with commands of their own, as they are now.
        name: Of the workflow.
        before: What an earlier run of it began with: jobs that are gone are taken from there.
    """
    jobs = (config.job(step.job) for step in definition.steps)
    own = dict(json.loads(before).get(_JOBS) or {})
    own |= {one.name: stored.plain(one) for one in jobs if one and one.step_of == name}
    whole = stored.plain(definition)
    found = {**whole, **({_JOBS: own} if own else {})} if isinstance(whole, dict) else whole
    return json.dumps(found, separators=(",", ":"))


def own_job(tx: Tx, run: Run) -> Job | None:
    """Return the job of a step with a command of its own, as its workflow began with it."""
    row = None if run.lineage.parent is None else tx.workflow(run.lineage.parent)
    if row is None or run.lineage.step is None:
        return None
    return _own_jobs(row.definition).get(run.job)


def left_job(tx: Tx, name: str) -> Job | None:
    """Return the job of a step that the files have no more, and a run under way has."""
    whole = name.rpartition(".")[0]
    for run in tx.active_runs(whole) if whole else ():
        row = tx.workflow(run.id)
        found = None if row is None else _own_jobs(row.definition).get(name)
        if found is not None:
            return found
    return None


def goes_on(tx: Tx, run: Run) -> bool:
    """Tell whether a run goes on when its job is gone: what a workflow began with, it keeps."""
    return own_job(tx, run) is not None or (is_root(run) and run.is_active)


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


def bad_ones(tx: Tx, run: Run) -> list[str]:
    """Return the names of the steps of a workflow's run that ended badly."""
    definition = definition_of(tx, run)
    known = stands(tx, run, definition)
    return [
        one.name for one in definition.steps if one.name in known and known[one.name].is_bad
    ]


def _met(tx: Tx, row: StepRow, definition: Workflow) -> frozenset[str]:
    """Return which of the conditions hold that its workflow asks of a step's run."""
    wanted = workflow.conditions_after(definition, row.step)
    run = tx.run(row.id) if wanted else None
    if run is None or run.is_open:
        return frozenset()
    return frozenset(one.text for one in wanted if matches.holds(tx, run, one))
