"""What is shown of approvals: what people are asked, and what they have decided."""

from collections.abc import Iterable

from claw.master.engine import approvals
from claw.master.views.statusview import Json, iso
from claw.model import approval, ids
from claw.model.approval import Asked, Decision
from claw.model.job import Config
from claw.model.run import Run
from claw.store.records import Tx


def listed(tx: Tx, config: Config, found: Iterable[Asked]) -> list[Json]:
    """Return what is shown of several, those left out whose run is gone."""
    runs = ((asked, tx.run(asked.run)) for asked in found)
    return [_whole(tx, config, asked, run) for asked, run in runs if run is not None]


def _whole(tx: Tx, config: Config, asked: Asked, run: Run) -> Json:
    return {
        "run": run.id,
        "job": run.job,
        "state": run.state,
        "origin": run.origin,
        "asked_by": run.asked_by or None,
        "why": _came_of(tx, run),
        "due_at": iso(run.due_at),
        "args": list(run.args),
        "parent": run.lineage.parent,
        "workflow": run.lineage.workflow,
        "step": run.lineage.step,
        **of_asked(config, run, asked),
    }


def of_asked(config: Config, run: Run, asked: Asked) -> Json:
    """Return what is shown of a run's approval beside the run."""
    rule = asked.rule
    if asked.decision is None:
        rule = approvals.rule_of(config, run, asked)
    return {
        "asked_at": asked.asked_at.isoformat(),
        "expires_at": iso(asked.expires_at),
        "on_timeout": asked.rule.on_timeout,
        "by": list(rule.by),
        "self": rule.allows_self,
        "decision": asked.decision,
        "decided_at": iso(asked.decided_at),
        "decided_by": asked.decided_by or None,
        "reason": asked.reason or None,
    }


def of_run(tx: Tx, config: Config, run: Run) -> Json | None:
    """Return what is shown of a run's approval; None: it needs, or needed, none."""
    asked = tx.approval(run.id)
    return None if asked is None else of_asked(config, run, asked)


def _came_of(tx: Tx, run: Run) -> str:
    """Return why the run is there at all, in words."""
    who = f"asked for by {run.asked_by or run.origin}"
    if run.asked_by and run.asked_by != run.origin:
        who = f"{who} ({run.origin})"
    above = None if run.lineage.parent is None else tx.run(run.lineage.parent)
    if above is not None:
        return f"{who}, after run {ids.short(above.id)} of {above.job}, {above.state}"
    return who


def words(tx: Tx, config: Config, run: Run) -> list[str]:
    """Return what is to be said of a run's approval, and what to type."""
    asked = tx.approval(run.id)
    if asked is None:
        return []
    short = ids.short(run.id)
    if asked.decision is None:
        text = approval.waiting_text(asked, approvals.rule_of(config, run, asked))
        return [
            f"run {short} waits for {text}: clawctl approve {short}, or clawctl reject {short}"
        ]
    if asked.decision is Decision.CANCELED:
        return []
    at = f"{asked.decided_at:%Y-%m-%d %H:%M:%S} UTC"
    by = f" by {asked.decided_by}" if asked.decided_by else ""
    why = f": {asked.reason}" if asked.reason else ""
    return [f"it was {asked.decision}{by}, {at}{why}"]
