"""``import``: the jobs as a file of TOML."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return the text of the file."""
    text: str = reply["toml"]
    return text.rstrip()
