"""``emit``: what was started, or which tokens there are."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.table import Column, lay_out
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

_COLUMNS = (Column("ID"), Column("EVENTS", shrinks=True), Column("BY"), Column("EXPIRES"))


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return a sentence for each run, a token, or a row for each token."""
    if "tokens" in reply:
        return _tokens(reply["tokens"], style, now)
    if "token" in reply:
        return str(reply["token"])
    if reply.get("revoked"):
        return f"token {reply['id']} is of no use any more"
    if "runs" not in reply:
        return f"{reply['name']}: told"
    if not reply["runs"]:
        return f"{reply['name']}: no job names it"
    return "\n".join(_run(reply["name"], run) for run in reply["runs"])


def _run(name: str, run: dict[str, Any]) -> str:
    why = f": {run['reason']}" if run.get("reason") else ""
    return f"{name}: {run['job']} {run['state']}{why} (run {ids.short(run['run'])})"


def _tokens(tokens: list[dict[str, Any]], style: Style, now: datetime) -> str:
    rows = [
        [
            one["id"],
            " ".join(one["patterns"]),
            one["by"],
            when.relative(one["expires_at"], now),
        ]
        for one in tokens
    ]
    return lay_out(_COLUMNS, rows, style) if rows else "there are no tokens for events"
