"""``cron next``: the next times, in their zone."""

from __future__ import annotations

from datetime import datetime

from claw.cli.render import when
from claw.cli.terminal import GRAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.cli.terminal import Style

NEVER = "it never fires by itself"


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return one time a line, with its weekday and how far it is off."""
    lines = [
        f"{datetime.fromisoformat(iso):%a %Y-%m-%d %H:%M:%S %z}  "
        f"{style.paint(when.relative(iso, now), GRAY)}"
        for iso in reply["fires"]
    ]
    return "\n".join(lines) or NEVER
