"""``backup restore``."""

from __future__ import annotations

from claw.cli.render import when

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style


def render(reply: dict[str, Any], _style: Style, now: datetime) -> str:
    """Return what was restored, where the old is, and what to do now."""
    by = f"claw {reply['version']} on {reply['host']}"
    made = f"of {when.relative(reply['at'], now)}, by {by},"
    if reply["dry_run"]:
        return f"the backup {made} is whole and would be restored: {reply['count']} files"
    lines = [f"restored the backup {made[:-1]}: {reply['count']} files"]
    lines += [f"what was there is in {path}" for path in reply["aside"]]
    return "\n".join([*lines, "now: clawctl daemon start"])
