"""``metrics``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context


def metrics(context: Context) -> int:
    """Show the figures of the master."""
    context.show(context.call("daemon.metrics"))
    return 0
