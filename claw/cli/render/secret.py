"""``secret set`` and ``secret delete``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return what has become of a secret, and whom it has reached."""
    name = reply["name"]
    if "version" not in reply:
        return f"{name} is forgotten"
    lines = [f"{name} is kept: version {reply['version']}"]
    if reply.get("restarted"):
        lines.append(f"being restarted with it: {' '.join(reply['restarted'])}")
    if reply.get("started"):
        lines.append(f"being started, which had failed: {' '.join(reply['started'])}")
    if reply.get("reached"):
        lines.append(f"gets it when its process is next started: {' '.join(reply['reached'])}")
    return "\n".join(lines)
