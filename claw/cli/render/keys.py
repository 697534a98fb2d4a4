"""``idem status``."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.table import Cell, Column, lay_out
from claw.cli.terminal import GRAY, GREEN
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "no key was claimed"

_COLUMNS = (
    Column("KEY", shrinks=True),
    Column("STATE"),
    Column("RUN", is_optional=True),
    Column("BY"),
    Column("SINCE"),
    Column("EXPIRES"),
)
_COLORS = {"done": GREEN, "expired": GRAY, "free": GRAY}


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return one row for each key."""
    rows = [
        [
            one["key"],
            Cell(one["state"], _COLORS.get(one["state"], "")),
            ids.short(one.get("run") or ""),
            one.get("by", ""),
            when.relative(one.get("at"), now),
            when.relative(one.get("expires_at"), now),
        ]
        for one in reply["keys"]
    ]
    return lay_out(_COLUMNS, rows, style) if rows else NONE
