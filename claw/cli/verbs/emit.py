"""``emit``: tells of an event; within a run on its behalf, or by a token made for that."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from claw.client.client import Client
from claw.errors import UsageError
from claw.wire import strict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.cli.context import Context


def emit(context: Context) -> int:
    """Tell of an event, or see to the tokens for events."""
    args = context.args
    if args["tokens"]:
        context.show(context.call("bridge.list"))
    elif args["revoke_token"] is not None:
        reply = context.call("bridge.remove", id=args["revoke_token"])
        context.show({**reply, "revoked": True})
    elif args["new_token"]:
        if not args["event"]:
            raise UsageError("for which events? clawctl emit --new-token 'orders.*'")
        ttl_s = args["ttl"]
        if ttl_s is not None and ttl_s < 1:
            raise UsageError("--ttl: a token is good for a second at least: --ttl 90d")
        context.show(context.call("bridge.add", patterns=args["event"], ttl_s=ttl_s))
    else:
        context.show(_emit(context))
    return 0


def _emit(context: Context) -> Any:
    args = context.args
    if len(args["event"] or ()) != 1:
        raise UsageError("one event at a time: clawctl emit orders.new --data JSON")
    params: dict[str, Any] = {"event": args["event"][0], "request_id": args["request_id"]}
    if args["data"] is not None:
        params["data"] = _data(args["data"])
    token = args["token"]
    if token is None:
        return context.ask("event.emit", **params)
    if token.startswith("@"):
        token = _read(token[1:]).strip()
    path = os.environ.get("CLAW_SOCKET") or context.home.job_socket
    with Client.of_run(context.home, {"CLAW_SOCKET": path, "CLAW_TOKEN": token}) as client:
        return client.call("event.emit", **params)


def _data(text: str) -> object:
    if text == "-":
        text = sys.stdin.read()
    elif text.startswith("@"):
        text = _read(text[1:])
    try:
        return strict.parse(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"the data is no JSON: {error}",
            hint="a text is written in double quotes: --data '\"text\"'",
        ) from None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
