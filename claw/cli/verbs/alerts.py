"""``alerts list`` and ``alerts ack``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context


def list_alerts(context: Context) -> int:
    """List alerts."""
    context.show(context.call("alert.list", all=context.args["all"]))
    return 0


def ack(context: Context) -> int:
    """Take note of alerts, or of all."""
    context.show(context.call("alert.ack", targets=context.args["targets"] or []))
    return 0
