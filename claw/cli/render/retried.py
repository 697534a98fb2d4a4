"""``delivery retry``: how many are tried again."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return their number."""
    count = reply["retried"]
    return f"{count} message{'s' * (count != 1)} tried again" if count else "there is none"
