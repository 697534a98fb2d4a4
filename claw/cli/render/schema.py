"""``config schema``: JSON, whoever reads it."""

from __future__ import annotations

from claw.cli.render import jsontext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return the schema."""
    return jsontext.render(reply)
