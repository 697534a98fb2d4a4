"""``job next``: the slots to come."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context


def next_slots(context: Context) -> int:
    """Show the next times of jobs."""
    count = context.args["count"]
    more = {"count": count} if count else {}
    context.show(context.call("job.next", targets=context.args["targets"], **more))
    return 0
