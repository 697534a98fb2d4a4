"""``start``, ``stop``, ``pause``, ...: how each job is now."""

from __future__ import annotations

from claw.cli.render.status import COLORS
from claw.cli.render.table import Cell, Column, lay_out
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "no jobs"

_COLUMNS = (
    Column("JOB"),
    Column("STATE"),
    Column("PID", is_right=True, is_optional=True),
    Column("RUN", is_optional=True),
    Column("WHY", is_optional=True, shrinks=True),
)


def render(reply: dict[str, Any], style: Style, _now: datetime) -> str:
    """Return one row for each job."""
    rows = [_row(result) for result in reply["results"]]
    return lay_out(_COLUMNS, rows, style) if rows else NONE


def _row(result: dict[str, Any]) -> list[Cell | str]:
    run = result.get("run")
    return [
        result.get("name") or result["job"],
        Cell(result["state"], COLORS.get(result["state"], "")),
        str(result.get("pid") or ""),
        ids.short(run) if run else "",
        result.get("error") or result.get("why") or "",
    ]
