"""``runs result`` and ``runs output``."""

from __future__ import annotations

from claw.cli import terminal
from claw.cli.render import jsontext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from claw.cli.context import Context

_STREAMS = ("stdout", "stderr")


def result(context: Context) -> int:
    """Print a result, which is JSON for programs as it is for people."""
    args = context.args
    reply = context.call("run.result", run=args["run"], attempt=args["attempt"])
    terminal.say(jsontext.render(reply if context.is_json else reply["result"]))
    return 0


def purge(context: Context) -> int:
    """Forget all runs of a job."""
    args = context.args
    force = True if args["force"] else None
    context.show(context.call("job.purge", job=args["job"], force=force))
    return 0


def output(context: Context) -> int:
    """Print output as it comes; with --json all of it at once."""
    asked = [stream for stream in _STREAMS if context.args[stream]] or list(_STREAMS)
    if context.is_json:
        terminal.say(jsontext.render({"parts": [_whole(context, one) for one in asked]}))
        return 0
    sources = set()
    for stream in asked:
        for piece in _pieces(context, stream):
            sources.add(piece["source"])
            terminal.write(piece["text"])
    if sources == {"none"}:
        terminal.note("it has printed nothing, or nothing of that is kept")
    return 0


def _pieces(context: Context, stream: str) -> Iterator[dict[str, Any]]:
    place = None
    while True:
        piece: dict[str, Any] = context.call(
            "run.output",
            run=context.args["run"],
            attempt=context.args["attempt"],
            stream=stream,
            **{"from": place},
        )
        yield piece
        place = piece["next"]
        if place is None:
            return


def _whole(context: Context, stream: str) -> dict[str, Any]:
    pieces = list(_pieces(context, stream))
    shown = {name: value for name, value in pieces[0].items() if name != "next"}
    return {**shown, "text": "".join(piece["text"] for piece in pieces)}
