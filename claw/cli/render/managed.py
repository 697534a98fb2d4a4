"""``job add``, ``job set``, ...: what was done; with ``--dry-run`` what would be written."""

from __future__ import annotations

from claw.cli.render import plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return the jobs that are added, changed, restarted or removed."""
    done = plan.render(reply["plan"], style, now)
    return f"{reply['toml'].rstrip()}\n\n{done}".lstrip() if reply["dry_run"] else done
