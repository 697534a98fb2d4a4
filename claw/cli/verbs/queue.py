"""``queue ...``, ``pool ...`` and ``runs stale``."""

from __future__ import annotations

from claw.cli import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context


def list_queue(context: Context) -> int:
    """Show what waits, in its order."""
    args = context.args
    reply = context.call("queue.list", job=args["job"], pool=args["pool"], limit=args["limit"])
    context.show(reply)
    return 0


def pause(context: Context) -> int:
    """Hold back the queue, or that of a job or a pool."""
    context.show(context.call("queue.pause", what=context.args["what"]))
    return 0


def resume(context: Context) -> int:
    """Hold it back no more."""
    context.show(context.call("queue.resume", what=context.args["what"]))
    return 0


def clear(context: Context) -> int:
    """Revoke what waits."""
    args = context.args
    canceled: list[str] = []
    dropped = 0
    with terminal.Progress() as progress:
        while True:
            reply = context.call(
                "queue.clear",
                targets=args["targets"] or None,
                all=args["all"] or None,
                why=args["reason"],
            )
            canceled += reply["canceled"]
            dropped += reply.get("dropped", 0)
            if not reply.get("left"):
                break
            progress.show(f"{len(canceled)} revoked, {reply['left']} to come")
    told = {"canceled": canceled, "later": reply.get("later", 0), "dropped": dropped}
    context.show(told)
    if reply.get("later"):
        terminal.note(f"{reply['later']} asked for at a later time: clawctl queue clear --all")
    return 0


def list_pools(context: Context) -> int:
    """Show the pools."""
    context.show(context.call("pool.list"))
    return 0


def set_pool(context: Context) -> int:
    """Give a pool so many slots."""
    args = context.args
    context.show(context.call("pool.set", pool=args["pool"], slots=args["slots"]))
    return 0


def stale(context: Context) -> int:
    """Show the runs that take much longer than usual."""
    context.show(context.call("run.stale", older_s=context.args["older"]))
    return 0
