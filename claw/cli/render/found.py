"""``search``: the jobs that have a text."""

from __future__ import annotations

from claw.cli.render.table import Column, lay_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "no job has that in its name, description, command or tags"

_COLUMNS = (
    Column("NAME"),
    Column("DESCRIPTION", is_optional=True, shrinks=True),
    Column("COMMAND", is_optional=True, shrinks=True),
    Column("TAGS", is_optional=True),
    Column("FILE", is_optional=True, shrinks=True),
)


def render(reply: dict[str, Any], style: Style, _now: datetime) -> str:
    """Return one row for each job."""
    rows = [
        [
            job["name"],
            job.get("description") or "",
            job.get("command") or "",
            ", ".join(job.get("tags") or ()),
            job.get("file") or "",
        ]
        for job in reply["jobs"]
    ]
    return lay_out(_COLUMNS, rows, style) if rows else NONE
