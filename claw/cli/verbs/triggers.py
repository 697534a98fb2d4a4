"""``job tree``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context


def tree(context: Context) -> int:
    """Show which jobs follow which."""
    context.show(context.call("job.tree", job=context.args["job"]))
    return 0
