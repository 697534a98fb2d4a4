"""``backup create``."""

from __future__ import annotations

from claw.cli.render.status import size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return one line: its id, how large it is, and where."""
    made = reply["backup"]
    return f"{made['id']} ({size(made['size'])}): {reply['place']}/{made['name']}"
