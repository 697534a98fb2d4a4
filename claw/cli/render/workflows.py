"""``workflow list``."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.status import COLORS
from claw.cli.render.table import Cell, Column, lay_out
from claw.model import ids
from claw.model.units import format_duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "no workflows have run"

_COLUMNS = (
    Column("WORKFLOW"),
    Column("NAME"),
    Column("STATE"),
    Column("STEPS", is_right=True),
    Column("WHEN"),
    Column("TOOK", is_right=True, is_optional=True),
    Column("BY", is_optional=True),
    Column("REASON", is_optional=True, shrinks=True),
)


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return one row for each run of a workflow."""
    rows = [_row(one, now) for one in reply["workflows"]]
    return lay_out(_COLUMNS, rows, style) if rows else NONE


def _row(one: dict[str, Any], now: datetime) -> list[Cell | str]:
    at = one["ended_at"] or one["started_at"] or one["queued_at"]
    took = one["duration"]
    return [
        ids.short(one["id"]),
        one["job"],
        Cell(one["state"], COLORS.get(one["state"], "")),
        f"{one['done']}/{one['steps']}" if one["steps"] else "",
        when.relative(at, now),
        format_duration(round(took, 1)) if took is not None else "",
        one["asked_by"] or "",
        one["reason"] or "",
    ]
