"""``delivery test``: which message it is."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return its number."""
    return f"message {reply['id']}: clawctl delivery list --channel {reply['channel']}"
