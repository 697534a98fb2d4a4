"""``service install | uninstall | status``."""

from __future__ import annotations

from claw.cli.terminal import GRAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

_COMMANDS = {
    "install": "now type",
    "uninstall": "what runs still runs; to end it, too, and to have init forget it",
    "status": "it is started by",
}


def render(reply: dict[str, Any], style: Style, _now: datetime) -> str:
    """Return what has become of the files, and what to type."""
    lines = [f"{reply['init']}, {reply['scope']}:"]
    for file in reply["files"]:
        lines.append(f"  {file['path']} {file['what']}")
        lines += [
            style.paint(f"    {line}", GRAY) for line in file.get("text", "").splitlines()
        ]
    if not reply["files"]:
        lines.append("  there was nothing to remove")
    if reply["commands"]:
        lines.append(f"{_COMMANDS[reply['what']]}:")
        lines += [f"  {command}" for command in reply["commands"]]
    return "\n".join(lines)
