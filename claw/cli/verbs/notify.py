"""``delivery ...`` and ``alias ...``."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context


def list_deliveries(context: Context) -> int:
    """List messages."""
    args = context.args
    asked = {name: args[name] for name in ("state", "channel", "limit")}
    context.show(context.call("delivery.list", **asked))
    return 0


def retry(context: Context) -> int:
    """Have messages tried again."""
    args = context.args
    asked = {"ids": args["ids"] or None, "all": args["all"] or None, "channel": args["channel"]}
    context.show(context.call("delivery.retry", **asked))
    return 0


def test(context: Context) -> int:
    """Send a message to see whether a channel works."""
    args = context.args
    context.show(context.call("delivery.test", channel=args["channel"], to=args["to"]))
    return 0


def list_aliases(context: Context) -> int:
    """List aliases."""
    context.show(context.call("alias.list"))
    return 0


def add_alias(context: Context) -> int:
    """Have a name stand for a channel and an address."""
    args = context.args
    asked = {name: args[name] for name in ("name", "channel", "to")}
    context.show(context.call("alias.add", **asked))
    return 0


def remove_alias(context: Context) -> int:
    """Have a name stand for nothing any more."""
    context.call("alias.remove", name=context.args["name"])
    return 0
