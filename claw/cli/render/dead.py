"""``dlq list``."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.runs import exit_of
from claw.cli.render.status import COLORS
from claw.cli.render.table import Cell, Column, lay_out
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "no dead letters"

_COLUMNS = (
    Column("RUN"),
    Column("JOB"),
    Column("SINCE"),
    Column("STATE"),
    Column("EXIT", is_right=True, is_optional=True),
    Column("TRIES", is_right=True),
    Column("WHY"),
    Column("ARGUMENTS", is_optional=True, shrinks=True),
)


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return one row for each dead letter."""
    rows = [
        [
            ids.short(run["id"]),
            run["job"],
            when.relative(run["dead_at"], now),
            Cell(run["state"], COLORS.get(run["state"], "")),
            exit_of(run),
            str(run["attempt"]),
            run["dead_why"] or "",
            " ".join(run.get("args") or ()),
        ]
        for run in reply["runs"]
    ]
    return lay_out(_COLUMNS, rows, style) if rows else NONE
