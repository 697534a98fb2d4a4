"""``run``: the whole id of the run, or of the batch, alone, for scripts."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return the run's id."""
    return str(reply["batch"] if "batch" in reply else reply["run"])
