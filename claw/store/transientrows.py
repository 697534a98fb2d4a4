"""The rows of jobs that are there for one run only; part of `claw.store.records.Tx`."""

import json
from typing import Any

from claw.model.run import Run
from claw.store import rows
from claw.store.statements import Statements

_AFTER_ALL_IDS = "s"
"""Sorts after every run id."""


class TransientRows(Statements):
    """See the module."""

    def put_transient(self, run: str, job: str, definition: object | None) -> None:
        """Note that a run's job is no other's, and what it is; None: as the run before."""
        text = None if definition is None else json.dumps(definition)
        self._do("put_transient", run=run, job=job, definition=text)

    def transient(self, job: str) -> Any:
        """Return what was stored last of such a job; None: there is none of that name."""
        row = self._one("transient", job=job)
        return None if row is None else json.loads(row["definition"])

    def open_transients(self) -> dict[str, Any]:
        """Return what is stored of such jobs that have open runs, by name."""
        found = self._do("open_transients")
        return {row["job"]: json.loads(row["definition"]) for row in found}

    def transient_runs(self, before: str | None, since: str, limit: int) -> tuple[Run, ...]:
        """Return runs of such jobs, newest first.

        Args:
            before: Only runs with lower ids.
            since: Only runs with this id or higher ones.
            limit: So many at most.
        """
        found = self._do(
            "transient_runs", before=before or _AFTER_ALL_IDS, since=since, limit=limit
        )
        return tuple(rows.RUNS.value(row) for row in found)
