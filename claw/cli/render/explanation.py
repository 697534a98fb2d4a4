"""``why``: the causes, one a line."""

from __future__ import annotations

from claw.cli.render.table import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return the lines."""
    return "\n".join(map(clean, reply["lines"]))
