"""``idem ...``: the idempotency ledger; within a run, on behalf of that run."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.cli.context import Context

TAKEN = 1
"""Exit status when somebody else has the key."""


def status(context: Context) -> int:
    """List the keys that were claimed, or show one."""
    wanted = context.args["key"]
    keys: list[dict[str, Any]] = []
    if wanted is not None:
        keys.append(context.ask("idem.check", key=context.args["key"]))
    else:
        after: str | None = None
        while True:
            page = context.call("idem.list", after=after)
            keys += page["keys"]
            after = page["next"]
            if after is None:
                break
    context.show({"keys": keys})
    return 0


def check(context: Context) -> int:
    """Tell whether a key is free."""
    reply = context.ask("idem.check", key=context.args["key"])
    context.show(reply)
    return 0 if reply["state"] == "free" else TAKEN


def claim(context: Context) -> int:
    """Claim a key, if nobody has it."""
    args = context.args
    reply = context.ask("idem.claim", key=context.args["key"], ttl_s=args["ttl"])
    context.show(reply)
    return 0 if reply["claimed"] else TAKEN


def release(context: Context) -> int:
    """Forget a key, so that it can be claimed again."""
    reply = context.ask("idem.release", key=context.args["key"])
    context.show({**reply, "released": True})
    return 0


def prune(context: Context) -> int:
    """Forget the keys that have expired."""
    context.show(context.call("idem.prune"))
    return 0
