"""``alias list``."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.table import Column, lay_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "no aliases"

_COLUMNS = (
    Column("ALIAS"),
    Column("CHANNEL"),
    Column("TO", is_optional=True, shrinks=True),
    Column("SINCE"),
    Column("BY"),
)


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return one row for each alias."""
    rows = [
        [f"@{one['name']}", one["channel"], one["to"], when.relative(one["at"], now), one["by"]]
        for one in reply["aliases"]
    ]
    return lay_out(_COLUMNS, rows, style) if rows else NONE
