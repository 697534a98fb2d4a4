"""``config paths``: where everything lies."""

from __future__ import annotations

from claw.cli.terminal import GRAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], style: Style, _now: datetime) -> str:
    """Return one place a line."""
    lines = []
    for name, value in reply.items():
        title = style.paint(f"{name.replace('_', ' '):14}", GRAY)
        values = value if isinstance(value, list) else [value]
        lines += [f"{title} {one}" for one in values]
    return "\n".join(lines)
