"""The rows of workflows; part of `claw.store.records.Tx`."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from claw.model.run import Run, State
from claw.store import rows
from claw.store.statements import Statements

_AFTER_ALL_IDS = "s"
"""Sorts after every run id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowRow:
    """What is kept of one run of a workflow."""

    definition: str  # JSON
    kept: tuple[str, ...] = field(default=())  # steps that count as an earlier run left them


@dataclass(frozen=True, slots=True)
class StepRow:
    """What a workflow has to know of the run of a step."""

    id: str
    step: str
    state: State
    cause: str
    parent: str | None


class WorkflowRows(Statements):
    """See the module."""

    def put_workflow(self, run: str, definition: str, kept: Collection[str] = ()) -> None:
        """Store what a workflow's run has begun with."""
        self._do("put_workflow", run=run, definition=definition, kept=json.dumps(list(kept)))

    def set_deadline(self, run: str, at: datetime | None) -> None:
        """Note when a workflow's run has run out of time; None: it has as much as it likes."""
        self._do("set_workflow_deadline", run=run, at=rows.micros_or_none(at))

    def workflow(self, run: str) -> WorkflowRow | None:
        """Return what is kept of a workflow's run; None: it has not begun."""
        row = self._one("workflow", run=run)
        if row is None:
            return None
        return WorkflowRow(definition=row["definition"], kept=tuple(json.loads(row["kept"])))

    def step_rows(self, workflow: str) -> tuple[StepRow, ...]:
        """Return the runs of all steps of a workflow, of each step the oldest first."""
        found = self._do("step_rows", workflow=workflow)
        return tuple(
            StepRow(row["id"], row["step"], State(row["state"]), row["cause"], row["parent"])
            for row in found
        )

    def workflow_roots(self, workflow: str) -> tuple[Run, ...]:
        """Return the workflow's own runs, oldest first: the first one has its id."""
        return self._runs("workflow_roots", workflow=workflow)

    def workflow_page(self, before: str | None, limit: int) -> tuple[Run, ...]:
        """Return the own runs of all workflows, newest first."""
        return self._runs("workflow_page", before=before or _AFTER_ALL_IDS, limit=limit)

    def expired_workflows(self, now: datetime) -> tuple[str, ...]:
        """Return the runs of workflows that have run out of time."""
        found = self._do("expired_workflows", now=rows.micros(now))
        return tuple(row["run"] for row in found)

    def next_deadline(self) -> datetime | None:
        """Return when the next workflow runs out of time."""
        [(at,)] = self._ask("next_workflow_deadline")
        return rows.instant_or_none(at)

    def has_served_runs(self) -> bool:
        """Tell whether a run is active that has a supervisor; that of a workflow has none."""
        return self._one("served_run") is not None
