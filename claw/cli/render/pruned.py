"""``backup prune``."""

from __future__ import annotations

from claw.cli.render import backups

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return the backups that went, and how many are left."""
    count, would = len(reply["removed"]), "would be " if reply["dry_run"] else ""
    found = backups.rows(reply["removed"], style, now)
    last = f"{count} {would}removed, {reply['left']} left in {reply['place']}"
    return f"{found}\n\n{last}" if found else last
