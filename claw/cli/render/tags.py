"""``tags list``: each tag with its jobs."""

from __future__ import annotations

from claw.cli.render.table import Column, lay_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "no job has a tag"
_COLUMNS = (Column("TAG"), Column("JOBS", shrinks=True))


def render(reply: dict[str, Any], style: Style, _now: datetime) -> str:
    """Return one row for each tag."""
    rows = [[one["tag"], ", ".join(one["jobs"])] for one in reply["tags"]]
    return lay_out(_COLUMNS, rows, style) if rows else NONE
