"""``queue list``."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.table import Column, lay_out
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "nothing waits"

_COLUMNS = (
    Column("PLACE", is_right=True),
    Column("RUN"),
    Column("JOB"),
    Column("PRIORITY"),
    Column("DUE"),
    Column("WHY", shrinks=True),
)
_LEVELS = ("critical", "high", "normal", "low")


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return one row for each run, and what is held back."""
    rows = [
        [
            str(one["place"]),
            ids.short(one["run"]),
            one["job"],
            _priority(one),
            when.relative(one["due_at"], now),
            one["why"],
        ]
        for one in reply["runs"]
    ]
    parts = [lay_out(_COLUMNS, rows, style) if rows else NONE]
    left = reply["total"] - len(rows)
    parts += [f"and {left} more"] if left > 0 else []
    return "\n".join([*parts, *reply["paused"]])


def _priority(one: dict[str, Any]) -> str:
    """Return the priority, and what it has risen to while the run waited."""
    level = _LEVELS[one["level"]]
    return str(level) if level == one["priority"] else f"{one['priority']}, by now {level}"
