"""``events``: one event on one line."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.status import COLORS
from claw.cli.render.table import clean
from claw.cli.terminal import GRAY
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(event: dict[str, Any], style: Style, _now: datetime) -> str:
    """Return time, type, job, run, the move, and why."""
    kind = str(event["type"])
    state = kind.rpartition(".")[2]
    run = event.get("run")
    parts = [
        style.paint(when.local(event["at"]), GRAY),
        style.paint(f"{kind:18}", COLORS.get(state, "")),
        f"{event.get('job') or '-':16}",
        ids.short(run) if run else "-" * ids.SHORT_LENGTH,
        _move(event),
        clean(event.get("why") or ""),
        clean(f"(by {event['by']})") if event.get("by") else "",
    ]
    return "  ".join(part for part in parts if part)


def _move(event: dict[str, Any]) -> str:
    if event.get("from") and event.get("to"):
        return f"{event['from']} → {event['to']}"
    return ""
