"""``runs list`` and ``runs show``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.cli.context import Context

_DEFAULT = 50
_PAGE = 500


def list_runs(context: Context) -> int:
    """List runs, newest first."""
    args = context.args
    wanted = args["limit"] or _DEFAULT
    found: list[dict[str, Any]] = []
    before = None
    while len(found) < wanted:
        page = context.call(
            "run.list",
            job=args["job"],
            state=args["state"],
            transient=args["transient"] or None,
            since=args["since"].isoformat() if args["since"] is not None else None,
            batch=args["batch"],
            parent=args["parent"],
            limit=min(_PAGE, wanted - len(found)),
            before=before,
        )
        found += page["runs"]
        before = page["next"]
        if before is None:
            break
    context.show({"runs": found})
    return 0


def show_run(context: Context) -> int:
    """Show one run."""
    context.show(context.call("run.show", run=context.args["run"]))
    return 0
