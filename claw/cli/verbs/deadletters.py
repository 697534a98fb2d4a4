"""``dlq list | show | reinject | purge``."""

from __future__ import annotations

from claw.errors import ConflictError
from claw.model import ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.cli.context import Context

_LISTED = 50


def list_dead(context: Context) -> int:
    """List dead letters."""
    wanted = context.args["limit"] or _LISTED
    runs: list[dict[str, Any]] = []
    before: str | None = None
    while len(runs) < wanted:
        limit = min(wanted - len(runs), 500)
        page = context.call("dlq.list", job=context.args["job"], limit=limit, before=before)
        runs += page["runs"]
        before = page["next"]
        if before is None:
            break
    context.show({"runs": runs})
    return 0


def show_dead(context: Context) -> int:
    """Show one dead letter."""
    run = context.call("run.show", run=context.args["run"])
    if not run["dead_at"] and not run["reinjected_as"]:
        raise ConflictError(
            f"run {ids.short(run['id'])} is no dead letter",
            hint=f"clawctl runs show {ids.short(run['id'])}",
        )
    context.show(run)
    return 0


def reinject(context: Context) -> int:
    """Have dead letters done again."""
    args = context.args
    more = {"env": dict(args["env"]) or None, "args": args["arg"] or None}
    context.show({"reinjected": _all_of(context, "dlq.reinject", "reinjected", **more)})
    return 0


def purge(context: Context) -> int:
    """Forget that runs are dead letters."""
    age_s = context.args["older_than"]
    context.show({"purged": _all_of(context, "dlq.purge", "purged", older_than_s=age_s)})
    return 0


def _all_of(context: Context, method: str, key: str, **more: Any) -> list[Any]:
    """Ask until nothing is left of what is meant; return what was done."""
    args, done = context.args, []
    while True:
        reply = context.call(
            method,
            runs=args["runs"] or None,
            job=args["job"],
            all=args["all"] or None,
            **more,
        )
        done += reply[key]
        if not reply["left"]:
            return done
