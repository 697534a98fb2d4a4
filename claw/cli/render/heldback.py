"""``queue pause`` and ``queue resume``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return one line."""
    what = "the queue" if reply["what"] == "all" else f"the queue of {reply['what']}"
    return what if reply["changed"] else f"{what}: nothing to change"
