"""What ``status`` and ``why`` say of workflows and of their steps, in words."""

from collections.abc import Iterable, Mapping, Sequence

from claw.master.engine import steps
from claw.model import ids
from claw.model.job import Job
from claw.model.root import is_root
from claw.model.run import Run, State
from claw.store.records import Tx

_BUSY = {State.CLAIMED, State.RUNNING}
_SHOWN = 5


def how_far(tx: Tx, root: Run) -> str:
    """Return how far a workflow is, and what it is about now."""
    definition = steps.definition_of(tx, root)
    found = steps.stands(tx, root, definition)
    done = sum(one.has_ended for one in found.values())
    text = f"{done} of {len(definition.steps)} steps done"
    busy = [name for name, one in found.items() if one.state in _BUSY]
    waiting = [
        name for name, one in found.items() if not one.has_ended and one.state not in _BUSY
    ]
    for word, names in (("now", busy), ("waiting", waiting)):
        text += f", {word} {_some(names)}" if names else ""
    return text


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def of_active(tx: Tx, runs: Iterable[Run]) -> Mapping[str, str]:
    """Return of those among some runs that are workflows under way how far they are."""
    return {run.id: how_far(tx, run) for run in runs if run.is_active and is_root(run)}


def explain_root(tx: Tx, root: Run) -> list[str]:
    """Return how the steps of a workflow stand that say why it is as it is."""
    short = ids.short(root.lineage.workflow or root.id)
    lines = [f"workflow {short}: {how_far(tx, root)}: clawctl workflow show {short}"]
    definition = steps.definition_of(tx, root)
    rows = steps.present_rows(tx, root)
    for name, one in steps.stands(tx, root, definition).items():
        run = tx.run(rows[name].id)
        if run is None or (one.has_ended and not one.is_bad):
            continue
        why = run.reason or run.waiting_for
        told = f": {why}" if why else ""
        lines.append(f"step {name} (run {ids.short(run.id)}) is {run.state}{told}")
    return lines


def explain(tx: Tx, run: Run) -> list[str]:
    """Return what is to be said of a run because it is a workflow's, or a step's."""
    if not is_root(run):
        return explain_step(tx, run)
    return explain_root(tx, run) if run.claimed_at is not None else []


def explain_to_come(tx: Tx, job: Job) -> list[str]:
    """Return what a step with a command of its own waits for that has yet to begin."""
    name = job.name.removeprefix(f"{job.step_of}.")
    lines = []
    for root in tx.active_runs(job.step_of) if job.step_of else ():
        definition = steps.definition_of(tx, root)
        step, found = definition.step(name), steps.stands(tx, root, definition)
        if step is None or name in found:
            continue
        left = [one for one in step.needs if one not in found or not found[one].has_ended]
        after = f"after {_some(left)}" if left else "when fewer steps run: max_parallel"
        short = ids.short(root.lineage.workflow or root.id)
        whole = f"workflow {job.step_of} ({short}), which is under way"
        lines.append(f"it is to come in {whole}, {after}: clawctl workflow show {short}")
    return lines


def explain_step(tx: Tx, run: Run) -> list[str]:
    """Return which step of which workflow a run is; nothing of one that is none."""
    if run.lineage.step is None or run.lineage.workflow is None:
        return []
    root = None if run.lineage.parent is None else tx.run(run.lineage.parent)
    name = "a workflow" if root is None else f"workflow {root.job}"
    short = ids.short(run.lineage.workflow)
    return [f"it is step {run.lineage.step} of {name}: clawctl workflow show {short}"]
