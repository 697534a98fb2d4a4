"""``delivery list``."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.table import Cell, Column, lay_out
from claw.cli.terminal import GRAY, GREEN, RED, YELLOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "no messages"

_COLUMNS = (
    Column("ID", is_right=True),
    Column("TOLD"),
    Column("CHANNEL"),
    Column("TO", is_optional=True),
    Column("STATE"),
    Column("TRIES", is_right=True),
    Column("NEXT", is_optional=True),
    Column("SUBJECT", shrinks=True),
    Column("PROBLEM", is_optional=True, shrinks=True),
)
_COLORS = {"sent": GREEN, "pending": YELLOW, "failed": RED, "dropped": GRAY}


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return one row for each message, and a line for each channel that has trouble."""
    rows = [
        [
            str(one["id"]),
            when.relative(one["at"], now),
            one["channel"],
            one["to"],
            Cell(one["state"], _COLORS.get(one["state"], "")),
            str(one["attempts"]),
            when.relative(one["next_at"], now) if one["attempts"] else "",
            one["subject"],
            one["problem"] or "",
        ]
        for one in reply["deliveries"]
    ]
    lines = [lay_out(_COLUMNS, rows, style) if rows else NONE]
    for one in reply.get("channels", ()):
        said = [
            f"{one[name]} {words}"
            for name, words in (
                ("pending", "wait"),
                ("failed", "were given up"),
                ("ever_dropped", "were dropped"),
            )
            if one.get(name)
        ]
        if said:
            lines.append(f"{one['channel'] or '(no channel)'}: {', '.join(said)}")
    return "\n".join(lines)
