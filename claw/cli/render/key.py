"""``idem check``, ``claim``, ``release`` and ``prune``: what has become of a key."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.table import clean
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, now: datetime) -> str:
    """Return one sentence."""
    if "pruned" in reply:
        count = reply["pruned"]
        return f"{count} expired key{'s' * (count != 1)} forgotten"
    key = clean(reply["key"])
    if reply["state"] == "free":
        return f"{key}: free"
    if reply.get("released"):
        return f"{key}: free again"
    who = f"run {ids.short(reply['run'])}" if reply["run"] else reply["by"]
    until = f"expires {when.relative(reply['expires_at'], now)}"
    if reply.get("claimed"):
        return f"{key}: claimed, {until}"
    if reply["state"] == "done":
        return f"{key}: done by {who} {when.relative(reply['done_at'], now)}, {until}"
    return f"{key}: claimed by {who} {when.relative(reply['at'], now)}, {until}"
