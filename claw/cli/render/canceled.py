"""``cancel``, ``queue clear``: the runs that were ended or revoked."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "nothing was running or waiting"


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return their ids, one a line, and how many more would have been made."""
    lines = list(reply["canceled"])
    if dropped := reply.get("dropped", 0):
        lines.append(f"and {dropped} of a batch that were still to be made")
    return "\n".join(lines) or NONE
