"""``init``: the files that were written."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return the files, and what to do next."""
    lines = [f"wrote {file}" for file in reply["files"]]
    return "\n".join([*lines, "edit it, then: clawctl daemon start"])
