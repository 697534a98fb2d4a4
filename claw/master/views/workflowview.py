"""What ``workflow show`` and ``workflow list`` show: rows in, JSON out."""

from claw.master.engine import definitions, steps
from claw.master.views.runview import duration_of
from claw.master.views.statusview import Json, iso
from claw.model.job import Config, Job
from claw.model.root import is_root
from claw.model.run import FINAL, Run, State
from claw.model.workflow import Step, Workflow
from claw.store.records import Tx
from claw.store.workflowrows import StepRow


def show(tx: Tx, root: Run) -> Json:
    """Return all about a workflow, as its last run has it."""
    whole = root.lineage.workflow or root.id
    roots = tx.workflow_roots(whole)
    last = roots[-1] if roots else root
    definition = steps.definition_of(tx, last)
    rows = steps.present_rows(tx, last)
    return {
        **_head(last),
        "runs": [run.id for run in roots],
        **_of_definition(definition),
        "steps": [_step(tx, step, rows.get(step.name), last) for step in definition.steps],
    }


def printing(tx: Tx, config: Config, name: str, run_id: str | None) -> list[Json] | None:
    """Return the runs whose output is that of a workflow, by step; None: it is none.

    Args:
        tx: The transaction.
        config: The configuration.
        name: Of its job.
        run_id: A run of its own; None: the newest one.
    """
    if run_id is None:
        job = definitions.recall(tx, config, name)
        if job is None or job.workflow is None:
            return None
        root = next(iter(tx.runs_page(job=name, limit=1)), None)
        if root is None:
            return []
    else:
        root = tx.run(run_id)
    if root is None or not is_root(root):
        return None
    rows = steps.present_rows(tx, root)
    known = [step.name for step in steps.definition_of(tx, root).steps if step.name in rows]
    begun = [name for name in known if rows[name].state is not State.SKIPPED]
    return [{"step": name, "run": rows[name].id} for name in begun]


def show_definition(job: Job) -> Json:
    """Return the same of a workflow that has never run."""
    definition = job.workflow or Workflow(steps=())
    nothing = dict.fromkeys(("id", "run", "state", "reason", "asked_by", "queued_at"))
    return {
        **nothing,
        "job": job.name,
        **dict.fromkeys(("started_at", "ended_at", "duration")),
        "runs": [],
        **_of_definition(definition),
        "steps": [_unbegun(step) for step in definition.steps],
    }


def listed(tx: Tx, root: Run) -> Json:
    """Return how far one run of a workflow is."""
    definition = steps.definition_of(tx, root)
    found = steps.stands(tx, root, definition)
    return {
        **_head(root),
        "steps": len(definition.steps),
        "done": sum(one.has_ended for one in found.values()),
        "running": sum(one.state is State.RUNNING for one in found.values()),
        "bad": sum(one.has_ended and one.is_bad for one in found.values()),
    }


def _head(run: Run) -> Json:
    return {
        "id": run.lineage.workflow or run.id,
        "job": run.job,
        "run": run.id,
        "state": run.state,
        "reason": run.reason or run.waiting_for,
        "asked_by": run.asked_by or None,
        "queued_at": iso(run.queued_at),
        "started_at": iso(run.started_at),
        "ended_at": iso(run.ended_at),
        "duration": duration_of(run),
    }


def _of_definition(definition: Workflow) -> Json:
    return {
        "params": dict(definition.params),
        "max_parallel": definition.max_parallel,
        "on_failure": definition.on_failure,
    }


def _unbegun(step: Step) -> Json:
    return {
        "name": step.name,
        "job": step.job,
        "needs": list(step.needs),
        "on": step.on,
        "when": None if step.when is None else step.when.text,
        "state": None,
        "left_out": False,
        "run": None,
        "attempt": 0,
        **dict.fromkeys(("exit_code", "signal", "reason", "started_at", "ended_at")),
        "duration": None,
        "kept": False,
    }


def _step(tx: Tx, step: Step, row: StepRow | None, root: Run) -> Json:
    run = None if row is None else tx.run(row.id)
    if row is None or run is None:
        return _unbegun(step)
    return {
        **_unbegun(step),
        "state": run.state,
        "left_out": run.state in FINAL and row.cause == steps.LEFT_OUT,
        "run": run.id,
        "attempt": run.attempt,
        "exit_code": run.exit_code,
        "signal": run.signal,
        "reason": run.reason or run.waiting_for,
        "started_at": iso(run.started_at),
        "ended_at": iso(run.ended_at),
        "duration": duration_of(run),
        "kept": row.parent != root.id,
    }
