"""``alerts list`` and ``alerts ack``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context


def list_alerts(context: Context) -> int:
    """List alerts."""
    context.show(context.call("alert.list"))
    return 0


def ack(context: Context) -> int:
    """Take note of an alert, or of all."""
    context.show(context.call("alert.ack", id=context.args["id"]))
    return 0
