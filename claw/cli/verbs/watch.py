"""``sla``: how far jobs keep what is promised of them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context


def sla(context: Context) -> int:
    """Show the score of jobs."""
    wanted = context.args["targets"]
    context.show(context.call("job.sla", **({"targets": wanted} if wanted else {})))
    return 0
