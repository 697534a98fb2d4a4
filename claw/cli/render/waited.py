"""``wait``: how the run ended, or what the job has come to."""

from __future__ import annotations

from claw.cli.render.status import COLORS, ending
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], style: Style, _now: datetime) -> str:
    """Return one line."""
    text = style.paint(ending(reply), COLORS.get(reply["state"], ""))
    if "id" in reply:
        return f"run {ids.short(reply['id'])} of {reply['job']}: {text}"
    return f"{reply['job']}: {text}"
