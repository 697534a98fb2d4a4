"""``alerts ack``: how many were noted."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return their number."""
    count = reply["acked"]
    return f"{count} alert{'s' * (count != 1)} noted" if count else "no alert was open"
