"""What was asked of people, and what they decided; part of `claw.store.records.Tx`."""

import json
import sqlite3
from datetime import datetime

from claw.model.approval import Approval, Asked, Decision, OnTimeout
from claw.store import rows
from claw.store.layout import Value  # noqa: TC001
from claw.store.statements import Statements

_AFTER_ALL_IDS = "s"
"""Sorts after every run id."""


class ApprovalRows(Statements):
    """See the module."""

    def insert_approval(self, asked: Asked) -> None:
        """Store that a run waits for approval."""
        self._do(
            "insert_approval",
            run=asked.run,
            job=asked.job,
            asked_at=rows.micros(asked.asked_at),
            expires_at=None if asked.expires_at is None else rows.micros(asked.expires_at),
            named=json.dumps(asked.rule.by),
            allows_self=asked.rule.allows_self,
            timeout_us=int(asked.rule.timeout_s * 1_000_000),
            on_timeout=asked.rule.on_timeout,
        )

    def decide_approval(self, asked: Asked) -> None:
        """Store what has become of a question."""
        self._do(
            "decide_approval",
            run=asked.run,
            decision=asked.decision,
            decided_at=None if asked.decided_at is None else rows.micros(asked.decided_at),
            by=asked.decided_by,
            reason=asked.reason,
        )

    def approval(self, run: str) -> Asked | None:
        """Return what was asked for a run; None: it needs, or needed, no approval."""
        row = self._one("approval", run=run)
        return None if row is None else _asked_of(row)

    def count_pending(self, job: str) -> int:
        """Return how many runs of a job wait for approval."""
        return self._number("count_pending", job=job) or 0

    def pending_counts(self) -> dict[str, int]:
        """Return how many runs wait for approval, by job."""
        return {row["job"]: row["count"] for row in self._do("pending_counts")}

    def pending_approvals(
        self, *, job: str | None = None, after: str = "", limit: int = 100
    ) -> tuple[Asked, ...]:
        """Return what is to be decided, of one job or all, oldest run first, after a run."""
        bounds: dict[str, Value] = {"after": after, "limit": limit}
        if job is None:
            found = self._do("pending_approvals", **bounds)
        else:
            found = self._do("pending_approvals_of", job=job, **bounds)
        return tuple(_asked_of(row) for row in found)

    def all_approvals(
        self, *, job: str | None = None, before: str | None = None, limit: int = 100
    ) -> tuple[Asked, ...]:
        """Return all that was asked, newest run first, before a run."""
        bounds: dict[str, Value] = {"before": before or _AFTER_ALL_IDS, "limit": limit}
        if job is None:
            found = self._do("all_approvals", **bounds)
        else:
            found = self._do("all_approvals_of", job=job, **bounds)
        return tuple(_asked_of(row) for row in found)

    def due_approvals(self, now: datetime, limit: int) -> tuple[Asked, ...]:
        """Return what nobody has decided in time, the earliest first."""
        found = self._do("due_approvals", now=rows.micros(now), limit=limit)
        return tuple(_asked_of(row) for row in found)

    def next_expiry(self) -> datetime | None:
        """Return when the next question's time is over."""
        [(at,)] = self._ask("next_expiry")
        return rows.instant_or_none(at)


def _asked_of(row: sqlite3.Row) -> Asked:
    return Asked(
        run=row["run"],
        job=row["job"],
        asked_at=rows.instant(row["asked_at"]),
        expires_at=rows.instant_or_none(row["expires_at"]),
        rule=Approval(
            by=tuple(json.loads(row["named"])),
            allows_self=bool(row["allows_self"]),
            timeout_s=row["timeout_us"] / 1_000_000,
            on_timeout=OnTimeout(row["on_timeout"]),
        ),
        decision=None if row["decision"] is None else Decision(row["decision"]),
        decided_at=rows.instant_or_none(row["decided_at"]),
        decided_by=row["by"],
        reason=row["reason"],
    )
