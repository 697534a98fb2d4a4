"""``sla``: how far jobs keep what is promised of them."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.table import Cell, Column, lay_out
from claw.cli.terminal import GREEN, RED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "nothing is promised of any of them: a job's table sla does that"

_COLUMNS = (
    Column("JOB"),
    Column("RATE", is_right=True),
    Column("PROMISED", is_right=True, is_optional=True),
    Column("RUNS", is_right=True),
    Column("FAILED", is_right=True),
    Column("IN A ROW", is_right=True, is_optional=True),
    Column("BUDGET LEFT", is_right=True, is_optional=True),
    Column("RESETS", is_optional=True),
    Column("BROKEN", is_optional=True, shrinks=True),
)


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return a row for each job; of one job also the verdict on its last runs."""
    jobs = reply["jobs"]
    if not jobs:
        return NONE
    text = lay_out(_COLUMNS, [_row(one, now) for one in jobs], style)
    if len(jobs) > 1 or not jobs[0]["runs"]:
        return text
    runs = [f"{one['run'][-6:]}  {one['verdict']:4}  {one['why']}" for one in jobs[0]["runs"]]
    return "\n".join([text, "", *runs])


def _row(one: dict[str, Any], now: datetime) -> list[Cell | str]:
    budget, rate, wanted = one["budget"], one["rate"], one["wanted"]
    return [
        one["job"],
        Cell("" if rate is None else f"{rate:.4g} %", RED if one["broken"] else GREEN),
        "" if wanted is None else f"{wanted:g} %",
        str(one["passes"] + one["fails"]),
        str(one["fails"]),
        str(one["in_a_row"]) if one["in_a_row"] else "",
        f"{budget['left']} of {budget['failures']}" if budget else "",
        when.relative(budget["resets_at"], now) if budget else "",
        "; ".join(one["broken"]),
    ]
