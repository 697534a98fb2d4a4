"""``lock list``."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.table import Cell, Column, lay_out
from claw.cli.terminal import GRAY, GREEN, RED, YELLOW
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "no job has a lock"

_COLUMNS = (
    Column("LOCK"),
    Column("STATE"),
    Column("HOST", is_optional=True),
    Column("RUN", is_optional=True),
    Column("JOB", is_optional=True),
    Column("FENCE", is_right=True),
    Column("SINCE", is_optional=True),
    Column("UNTIL", is_optional=True),
    Column("JOBS", shrinks=True),
    Column("NOTE", is_optional=True, shrinks=True),
)
_COLORS = {"held": GREEN, "elsewhere": YELLOW, "unknown": RED, "free": GRAY}


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return one row for each lock."""
    rows = [
        [
            one["name"],
            Cell(one["state"], _COLORS.get(one["state"], "")),
            one.get("host") or "",
            ids.short(one.get("run") or ""),
            one.get("job") or "",
            "" if one.get("fence") is None else str(one["fence"]),
            when.relative(one.get("since"), now),
            when.relative(one.get("until"), now),
            " ".join(one.get("jobs", ())),
            one.get("note") or "",
        ]
        for one in reply["locks"]
    ]
    return lay_out(_COLUMNS, rows, style) if rows else NONE
