"""What a run came of, what begins a job that follows others, and why nothing did lately."""

from collections.abc import Iterator

from claw.master.engine import descent, matches
from claw.master.views import statusview
from claw.model import ids
from claw.model.evidence import unsearched
from claw.model.job import Job
from claw.model.run import Run
from claw.model.trigger import Trigger
from claw.store.records import Tx

_LOOKED_AT = 20
"""So many of a job's last runs are looked at for one that has ended."""


def of_run(tx: Tx, run: Run) -> list[str]:
    """Return what a run came of, and what has come of it."""
    lines = []
    followed = [tx.run(parent) for parent in descent.parents_of(run)]
    lines += [
        f"it follows {_named(parent)}: {statusview.end_text(parent)}"
        for parent in followed
        if parent is not None
    ]
    lines += [
        f"run {ids.short(child.id)} of {child.job} follows it: {_present(child)}"
        for child in tx.children_of(run.id)
        if run.id in descent.parents_of(child)
    ]
    return lines


def of_job(tx: Tx, job: Job) -> list[str]:
    """Return what begins a job that follows others, and what became of their last ends."""
    rule = job.trigger
    if rule is None:
        return []
    lines = [f"it follows {rule.words}"]
    for parent in rule.after:
        ended = (run for run in tx.runs_page(job=parent, limit=_LOOKED_AT) if not run.is_open)
        lines.append(_last(tx, job.name, rule, parent, next(ended, None)))
    return lines


def _last(tx: Tx, name: str, rule: Trigger, parent: str, run: Run | None) -> str:
    if run is None:
        return f"no run of {parent} has ended yet"
    told = f"{_named(run)}: {statusview.end_text(run)}"
    come = next(_begun(tx, name, run), None)
    if come is not None:
        return f"{told}; run {ids.short(come.id)} follows it: {_present(come)}"
    if not rule.is_for(run):
        return f"{told}; that is no {rule.on}"
    if not matches.holds(tx, run, rule.when):
        return f"{told}; {_why_not(run, rule)}"
    if rule.is_joined:
        return f"{told}; that counts, and the others are waited for"
    return f"{told}; it had ended before there was this trigger"


def _why_not(run: Run, rule: Trigger) -> str:
    """Return why a condition does not hold on a run."""
    asked = "" if rule.when is None else rule.when.text
    slow = "" if rule.when is None else unsearched(rule.when.value)
    return slow if slow in (run.note or "").split("; ") else f"{asked} does not hold on it"


def _begun(tx: Tx, name: str, run: Run) -> Iterator[Run]:
    """Yield the runs of a job that have followed a run, alone or with others."""
    yield from (child for child in tx.children_of(run.id) if child.job == name)
    for child in tx.runs_page(job=name, limit=_LOOKED_AT):
        if run.id in descent.parents_of(child):
            yield child


def _named(run: Run) -> str:
    return f"run {ids.short(run.id)} of {run.job}"


def _present(run: Run) -> str:
    return str(run.state) if run.is_open else statusview.end_text(run)
