"""``approve`` and ``reject``."""

from __future__ import annotations

from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return one line for each run."""
    return "\n".join(
        f"run {ids.short(one['run'])} of {one['job']}: {one['state']}" for one in reply["runs"]
    )
