"""``lock list`` and ``lock release``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context


def list_locks(context: Context) -> int:
    """List the locks, with who has them."""
    context.show(context.call("lock.list"))
    return 0


def release(context: Context) -> int:
    """Take a lock away from whoever has it."""
    context.show(context.call("lock.release", name=context.args["name"]))
    return 0
