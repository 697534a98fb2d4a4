"""``plan`` and ``reload``: what changes."""

from __future__ import annotations

from claw.cli.render import acted
from claw.cli.terminal import GREEN, RED, YELLOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NOTHING = "nothing has changed"


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return one line for each job that is added, changed, restarted or removed.

    Or, for jobs that have read their own settings again, one row for each.
    """
    if "results" in reply:
        return acted.render(reply, style, now)
    lines = [style.paint(f"+ {job}", GREEN) for job in reply["add"]]
    lines += [f"~ {one['job']}: {', '.join(one['fields'])}" for one in reply["live"]]
    lines += [
        style.paint(f"! {one['job']}: restart: {one['why']}", YELLOW)
        for one in reply["restart"]
    ]
    lines += [style.paint(f"- {job}", RED) for job in reply["remove"]]
    if reply.get("daemon"):
        lines.append(f"~ the daemon: {', '.join(reply['daemon'])}")
    return "\n".join(lines) or NOTHING
