"""``status``."""

from __future__ import annotations

from claw.cli import watching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.cli.context import Context

NOT_RUNNING = 3
"""Exit status of ``status TARGET`` when one is not running, as LSB has it."""

_LIVING = frozenset({"running", "starting", "unhealthy", "unresponsive"})
_BAD_ENDS = frozenset({"failed", "timed_out", "crashed"})


def status(context: Context) -> int:
    """Show how jobs are doing."""
    args = context.args
    if args["budgets"]:
        context.show_as(context.call("queue.budgets"), "budgets")
        return 0
    asked = {
        "targets": args["targets"] or None,
        "tag": args["tag"],
        "type": args["type"],
        "state": args["state"],
        "text": args["text"],
        "verbose": args["verbose"] or None,
    }
    if args["watch"]:
        watching.watch(context, asked)
    reply = context.call("job.status", **asked)
    context.show(reply)
    if not args["targets"]:
        return 0
    return 0 if all(is_well(job) for job in reply["jobs"]) else NOT_RUNNING


def is_well(job: dict[str, Any]) -> bool:
    """Tell whether a service runs, or the last run of another job did not fail."""
    if job["state"] in _LIVING or (job["state"] == "paused" and job.get("pid")):
        return True
    if job["type"] == "continuous":
        return False
    last = job.get("last")
    return job["state"] not in ("failed", "fatal") and (
        not last or last["state"] not in _BAD_ENDS
    )
