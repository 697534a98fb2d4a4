"""``runs list``."""

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

NONE = "no runs"

_COLUMNS = (
    Column("RUN"),
    Column("JOB"),
    Column("STATE"),
    Column("EXIT", is_right=True, is_optional=True),
    Column("WHEN"),
    Column("TOOK", is_right=True, is_optional=True),
    Column("TRIES", is_right=True, is_optional=True),
    Column("ORIGIN"),
    Column("REASON", is_optional=True, shrinks=True),
)


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return one row for each run."""
    rows = [_row(run, now) for run in reply["runs"]]
    return lay_out(_COLUMNS, rows, style) if rows else NONE


def _row(run: dict[str, Any], now: datetime) -> list[Cell | str]:
    at = run.get("ended_at") or run.get("started_at") or run.get("queued_at")
    took = run.get("duration")
    tries = run.get("attempt") or 0
    return [
        ids.short(run["id"]),
        name_of(run),
        Cell(run["state"], COLORS.get(run["state"], "")),
        exit_of(run) if run.get("ended_at") else "",
        when.relative(at, now),
        format_duration(took) if took is not None else "",
        str(tries) if tries > 1 else "",
        run.get("origin") or "",
        run.get("reason") or run.get("waiting_for") or "",
    ]


def name_of(run: dict[str, Any]) -> str:
    """Return what a run is of: a job, or one instance of it, as ``web@2``."""
    instance = run.get("instance")
    return str(run["job"]) if instance is None else f"{run['job']}@{instance}"


def exit_of(ended: dict[str, Any]) -> str:
    """Return an exit status, or the signal that there was instead."""
    if ended.get("signal") is not None:
        return f"signal {ended['signal']}"
    return "" if ended.get("exit_code") is None else str(ended["exit_code"])
