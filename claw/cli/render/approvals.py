"""``approvals list``."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.table import Cell, Column, lay_out
from claw.cli.terminal import GREEN, RED, YELLOW
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "nothing waits for approval"

_COLUMNS = (
    Column("RUN"),
    Column("JOB"),
    Column("SINCE"),
    Column("UNTIL", is_optional=True),
    Column("THEN", is_optional=True),
    Column("BY", is_optional=True),
    Column("DECISION", is_optional=True),
    Column("WHY", shrinks=True),
    Column("ARGUMENTS", is_optional=True, shrinks=True),
)
_COLORS = {"approved": GREEN, "rejected": RED, "expired": YELLOW}


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return one row for each run."""
    rows = [_row(one, now) for one in reply["approvals"]]
    return lay_out(_COLUMNS, rows, style) if rows else NONE


def _row(one: dict[str, Any], now: datetime) -> list[str | Cell]:
    decision = one.get("decision")
    is_open = decision is None
    by = ", ".join(one.get("by") or ()) or "any operator"
    return [
        ids.short(one["run"]),
        one["job"],
        when.relative(one["asked_at"], now),
        when.relative(one.get("expires_at"), now) if is_open else "",
        one["on_timeout"] if is_open and one.get("expires_at") else "",
        by if is_open else one.get("decided_by") or "",
        Cell(decision or "", _COLORS.get(decision or "", "")),
        one["why"] if is_open else one.get("reason") or "",
        " ".join(one.get("args") or ()),
    ]
