"""``secret list``."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.table import Cell, Column, lay_out
from claw.cli.terminal import RED, YELLOW
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "no secrets; to keep one: clawctl secret set NAME"

_COLUMNS = (
    Column("SECRET"),
    Column("VERSION", is_right=True),
    Column("CHANGED"),
    Column("KEPT", is_optional=True),
    Column("USED BY", shrinks=True),
    Column("OLDER VALUE HELD BY", is_optional=True, shrinks=True),
)


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return one row for each secret."""
    rows = [
        [
            one["name"],
            str(one["version"]) if one["version"] else Cell("missing", RED),
            when.relative(one.get("changed_at"), now),
            one.get("kept") or "",
            " ".join(one["used_by"]),
            Cell(" ".join(map(_holder, one["held"])), YELLOW),
        ]
        for one in reply["secrets"]
    ]
    return lay_out(_COLUMNS, rows, style) if rows else NONE


def _holder(one: dict[str, Any]) -> str:
    return f"{one['job']}:{ids.short(one['run'])}(v{one['version']})"
