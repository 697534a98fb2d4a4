"""``daemon start | stop | restart | status``."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.terminal import GRAY, GREEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

_PLAIN = (
    "version", "home", "jobs", "running", "queued", "supervisors", "fork_server_pid",
    "backup",
)  # fmt: skip


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return what has become of the daemon, and how it is doing."""
    if not reply["up"]:
        return _absent(reply)
    first = f"the daemon {reply['what']}: pid {reply['pid']}"
    lines = [style.paint(first, GREEN)]
    lines += [_fact(name, str(reply[name]), style) for name in _PLAIN if name in reply]
    if reply.get("started_at"):
        lines.append(_fact("started", when.both(reply["started_at"], now), style))
    return "\n".join(lines)


def _fact(name: str, value: str, style: Style) -> str:
    return f"{style.paint(name.replace('_', ' ') + ':', GRAY)} {value}"


def _absent(reply: dict[str, Any]) -> str:
    text = f"the daemon {reply['what']}"
    left = reply.get("supervisors", 0)
    if left:
        text += (
            f"; {left} job{'s go' if left > 1 else ' goes'} on without it: "
            "`clawctl daemon start` takes over"
        )
    return text
