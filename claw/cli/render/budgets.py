"""``status --budgets``: what is bounded, and how much of it is used."""

from __future__ import annotations

from claw.cli.render import pools
from claw.cli.render.table import Column, lay_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

_COLUMNS = (
    Column("JOB"),
    Column("ACTIVE", is_right=True),
    Column("QUEUED", is_right=True),
    Column("TO APPROVE", is_right=True, is_optional=True),
)


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return the daemon's budgets, those of jobs and pools, and the hot spots."""
    most, parallel = reply["max_queue"], reply["max_parallel"]
    lines = [
        f"open runs: {reply['open']} of {most} (daemon.max_queue)",
        f"active runs: {reply['running']} of {parallel} (daemon.max_parallel)",
    ]
    if reply.get("to_come"):
        lines.insert(1, f"to come: {reply['to_come']} runs of large batches")
    parts = ["\n".join(lines)]
    rows = [
        [
            job["job"],
            f"{job['active']} of {job['max_instances']}",
            f"{job['queued']} of {job['max_queued']}"
            if job["max_queued"]
            else str(job["queued"]),
            f"{job['pending_approvals']} of {job['max_pending_approvals']}"
            if job.get("pending_approvals")
            else "",
        ]
        for job in reply["jobs"]
    ]
    if rows:
        parts.append(lay_out(_COLUMNS, rows, style))
    if reply["pools"]:
        parts.append(pools.render(reply, style, now))
    parts += [f"nearly used up: {text}" for text in reply["hot"]]
    return "\n\n".join([*parts, *reply["paused"]])


def _of(count: int, most: int | None) -> str:
    return str(count) if most is None else f"{count} of {most}"
