"""``approve``, ``reject`` and ``approvals list``."""

from __future__ import annotations

import os

from claw.client.client import Client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.cli.context import Context

_LISTED = 100
_AT_ONCE = 500


def approve(context: Context) -> int:
    """Let a run begin."""
    return _decide(context, "approval.approve")


def reject(context: Context) -> int:
    """Cancel a run before it begins."""
    return _decide(context, "approval.reject")


def _decide(context: Context, method: str) -> int:
    args = context.args
    reason = " ".join(args["reason"]) or None
    with Client.of_peer(context.home, os.geteuid()) as client:
        context.show(client.call(method, run=args["run"], reason=reason))
    return 0


def list_approvals(context: Context) -> int:
    """List what waits for somebody to decide."""
    args = context.args
    wanted = args["limit"] or _LISTED
    found: list[dict[str, Any]] = []
    start: str | None = None
    with Client.of_peer(context.home, os.geteuid()) as client:
        while True:
            page = client.call(
                "approval.list",
                job=args["job"],
                all=args["all"] or None,
                limit=min(wanted, _AT_ONCE),
                after=start,
            )
            found += page["approvals"]
            start = page["next"]
            if start is None or len(found) >= wanted:
                break
    context.show({"approvals": found[:wanted]})
    return 0
