"""``job list``: the jobs, and where they are defined."""

from __future__ import annotations

from claw.cli.render.table import Column, lay_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "no jobs"
_COLUMNS = (
    Column("JOB"),
    Column("TYPE"),
    Column("ENABLED", is_optional=True),
    Column("SCHEDULE", is_optional=True, shrinks=True),
    Column("COMMAND", shrinks=True),
    Column("TAGS", is_optional=True),
    Column("MADE BY", is_optional=True),
    Column("FILE", shrinks=True, keeps_end=True),
)


def render(reply: dict[str, Any], style: Style, _now: datetime) -> str:
    """Return one row for each job."""
    rows = [
        [
            job["name"],
            job["type"],
            "" if job["enabled"] else "no",
            ", ".join(job["schedule"]) or job["run_at"] or "",
            job["command"],
            ", ".join(job["tags"]),
            job["origin"] or "",
            f"{job['file']}:{job['line']}",
        ]
        for job in reply["jobs"]
    ]
    return lay_out(_COLUMNS, rows, style) if rows else NONE
