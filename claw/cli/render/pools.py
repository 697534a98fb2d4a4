"""``pool list``."""

from __future__ import annotations

from claw.cli.render.table import Column, lay_out
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "no pools: they are defined as [pools.NAME]"

_COLUMNS = (
    Column("POOL"),
    Column("SLOTS", is_right=True),
    Column("HELD", is_right=True),
    Column("WAITING", is_right=True),
    Column("BY", shrinks=True),
)
_SHOWN = 5


def render(reply: dict[str, Any], style: Style, _now: datetime) -> str:
    """Return one row for each pool."""
    rows = [row(one) for one in reply["pools"]]
    return lay_out(_COLUMNS, rows, style) if rows else NONE


def row(one: dict[str, Any]) -> list[str]:
    """Return the cells of a pool."""
    slots = str(one["slots"])
    if one["slots"] != one["configured"]:
        slots += f" (configured {one['configured']})"
    shown = [f"{ids.short(holder['run'])} of {holder['job']}" for holder in one["holders"]]
    by = ", ".join(shown[:_SHOWN])
    by += f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    if one["paused_by"]:
        by = f"paused by {one['paused_by']}" + (f"; {by}" if by else "")
    return [one["name"], slots, str(one["held"]), str(one["waiting"]), by]
