"""``runs retry``: the new runs, and before them their batch if they are one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return the id of the batch, or else of the run."""
    return str(reply["batch"] or reply["runs"][0])
