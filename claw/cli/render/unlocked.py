"""``lock release``: whose it was."""

from __future__ import annotations

from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return one sentence."""
    where = f" on {reply['host']}" if reply.get("host") else ""
    return f"{reply['name']}: taken from run {ids.short(reply.get('run') or '')}{where}"
