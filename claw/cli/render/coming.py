"""``job next``: the slots to come, and what will become of each."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.table import Cell, Column, lay_out
from claw.cli.terminal import GRAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "no time to come"

_COLUMNS = (
    Column("JOB"),
    Column("SLOT"),
    Column("BEGINS"),
    Column("", is_optional=True),
    Column("WHY", is_optional=True, shrinks=True),
)


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return one row for each slot; one that will not run says so."""
    rows: list[list[Cell | str]] = []
    for job in reply["jobs"]:
        rows += [_row(job["job"], fire, now) for fire in job["fires"]]
        if not job["fires"]:
            rows.append([job["job"], Cell(_why_none(job), GRAY), "", "", ""])
    return lay_out(_COLUMNS, rows, style) if rows else NONE


def _row(name: str, fire: dict[str, Any], now: datetime) -> list[Cell | str]:
    begins = fire["begins_at"]
    return [
        name,
        when.local(fire["slot_at"]),
        when.local(begins) if begins else Cell("skipped", GRAY),
        Cell(when.relative(begins, now), GRAY),
        fire.get("why") or "",
    ]


def _why_none(job: dict[str, Any]) -> str:
    if any(text.lower() == "@reboot" for text in job.get("schedule") or ()):
        return "when the host boots"
    return NONE
