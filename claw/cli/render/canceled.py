"""``cancel``: the runs that were ended or revoked."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "nothing was running or waiting"


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return their ids, one a line."""
    return "\n".join(reply["canceled"]) or NONE
