"""``dlq purge``."""

from __future__ import annotations

from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "no dead letters"


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return one line for each run that is no dead letter any more."""
    return "\n".join(f"{ids.short(run)} purged" for run in reply["purged"]) or NONE
