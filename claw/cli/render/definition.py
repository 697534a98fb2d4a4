"""``job show``: each value of a job, and who says it."""

from __future__ import annotations

from claw.cli.render.configuration import as_toml_value
from claw.cli.render.table import Column, lay_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

_COLUMNS = (Column("KEY"), Column("VALUE", shrinks=True), Column("FROM", shrinks=True))


def render(reply: dict[str, Any], style: Style, _now: datetime) -> str:
    """Return the job's name and place, then one row for each value."""
    place = f"defined in {reply['file']}:{reply['line']}" if reply["file"] else "for one run"
    head = f"{reply['name']}: {reply['type']}, {place}"
    if reply.get("origin"):
        head += f", made by {reply['origin']}"
    rows = [
        [one["key"], as_toml_value(one["value"]), _place_of(one)] for one in reply["values"]
    ]
    return f"{head}\n\n{lay_out(_COLUMNS, rows, style)}"


def _place_of(one: dict[str, Any]) -> str:
    if not one["file"]:
        return "clawctl run"
    beside = " [defaults]" if one["by"] == "defaults" else ""
    return f"{one['file']}:{one['line']}{beside}"
