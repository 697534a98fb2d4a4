"""``alias add``: what the name stands for now."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return a sentence."""
    to = f", to {reply['to']}" if reply["to"] else ""
    return f"@{reply['name']} stands for channel {reply['channel']}{to}"
