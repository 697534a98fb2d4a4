"""``backup list``."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.status import size
from claw.cli.render.table import Column, lay_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

_COLUMNS = (
    Column("BACKUP"),
    Column("MADE"),
    Column("SIZE", is_right=True),
    Column("VERSION", is_optional=True),
)


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return one row for each backup, and where they are."""
    found = rows(reply["backups"], style, now)
    if not found:
        return f"no backups in {reply['place']}; to make one: clawctl backup create"
    return f"{found}\n\nin {reply['place']}"


def rows(backups: list[dict[str, Any]], style: Style, now: datetime) -> str:
    """Return one row for each of some backups; '' for none."""
    cells = [
        [one["id"], when.relative(one["at"], now), size(one["size"]), one["version"]]
        for one in backups
    ]
    return lay_out(_COLUMNS, cells, style) if cells else ""
