"""``alerts list``."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.table import Cell, Column, lay_out
from claw.cli.terminal import GRAY, RED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "no alerts"

_COLUMNS = (
    Column("ID", is_right=True),
    Column("SINCE"),
    Column("KIND"),
    Column("TIMES", is_right=True, is_optional=True),
    Column("NOTED", is_optional=True),
    Column("OVER", is_optional=True),
    Column("TEXT", shrinks=True),
)


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return one row for each alert; those that nobody has noted stand out."""
    rows = [
        [
            str(alert["id"]),
            when.relative(alert["at"], now),
            Cell(alert["kind"], GRAY if _is_past(alert) else RED),
            str(alert["times"]) if alert.get("times", 1) > 1 else "",
            when.relative(alert.get("acked_at"), now),
            when.relative(alert.get("resolved_at"), now),
            alert["text"],
        ]
        for alert in reply["alerts"]
    ]
    return lay_out(_COLUMNS, rows, style) if rows else NONE


def _is_past(alert: dict[str, Any]) -> bool:
    return bool(alert.get("acked_at") or alert.get("resolved_at"))
