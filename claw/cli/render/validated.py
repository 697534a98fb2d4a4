"""``config validate``: that there is nothing to say."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return how much was checked."""
    files = len(reply["files"])
    jobs = reply["jobs"]
    return f"{jobs} job{'s' * (jobs != 1)} in {files} file{'s' * (files != 1)}, no mistakes"
