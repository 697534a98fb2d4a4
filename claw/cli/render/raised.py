"""``up``: what has been raised, and how it ends."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return one line."""
    count = reply["jobs"]
    jobs = f"{count} job{'s' * (count != 1)}"
    return f"-- up: {jobs} of {reply['file']}, daemon {reply['pid']}; {reply['end']}"
