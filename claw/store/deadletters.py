"""Runs that have failed for good; part of `claw.store.records.Tx`."""

from datetime import datetime

from claw.model.run import Run
from claw.store import rows
from claw.store.layout import Value  # noqa: TC001
from claw.store.statements import Statements

_AFTER_ALL_IDS = "s"
"""Sorts after every run id."""


class DeadLetterRows(Statements):
    """See the module."""

    def dead_letters(
        self, *, job: str | None = None, before: str | None = None, limit: int = 50
    ) -> tuple[Run, ...]:
        """Return dead letters, newest first, before a run id."""
        bounds: dict[str, Value] = {"before": before or _AFTER_ALL_IDS, "limit": limit}
        if job is None:
            return self._runs("dead_letters", **bounds)
        return self._runs("dead_letters_of", job=job, **bounds)

    def dead_counts(self) -> dict[str, int]:
        """Return how many dead letters there are, by job."""
        return {row["job"]: row["count"] for row in self._do("dead_counts")}

    def dead_letters_before(self, at: datetime, limit: int) -> tuple[Run, ...]:
        """Return the runs that became dead letters before a time, the oldest first."""
        return self._runs("dead_letters_before", at=rows.micros(at), limit=limit)
