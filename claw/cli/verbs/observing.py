"""``doctor``, ``metrics``."""

from __future__ import annotations

import json

from claw import __version__
from claw.cli import masters
from claw.errors import RequestError, UnreachableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.cli.context import Context

FAILED = 1
_LOOK_S = 120.0


def metrics(context: Context) -> int:
    """Show the figures of the master."""
    context.show(context.call("daemon.metrics"))
    return 0


def seen(context: Context) -> int:
    """Say that what is wrong with the audit log was seen to."""
    context.show(context.call("audit.seen", marks=context.args["marks"]))
    return 0


def doctor(context: Context) -> int:
    """Have the master look for what is wrong, or look without one."""
    try:
        reply = context.call("doctor.check", patience_s=_LOOK_S)
        _compare(context, reply)
    except UnreachableError as error:
        if context.home.remote:  # what is here tells nothing of that host
            raise
        reply = _look_without(context, error)
    if context.args["problems"]:
        telling = {"warn", "fail"}
        reply["findings"] = [one for one in reply["findings"] if one["level"] in telling]
    context.show(reply)
    return 0 if reply["ok"] else FAILED


def _compare(context: Context, reply: dict[str, Any]) -> None:
    """Add what the client alone can know: that the daemon is of another version."""
    version = context.call("daemon.status")["version"]
    if version != __version__:
        text = f"the daemon is claw {version}, this clawctl {__version__}"
        _add(reply, "client", "warn", text, "clawctl daemon restart")


def _look_without(context: Context, error: UnreachableError) -> dict[str, Any]:
    """Look at what can be seen without a daemon, in a process of its own."""
    said, complaint = masters.ask_program(context.home, "--doctor", _LOOK_S)
    try:
        reply: dict[str, Any] = json.loads(said)
    except ValueError:
        raise RequestError(
            f"the home cannot be looked at: {complaint}", hint="clawctl config paths"
        ) from None
    if masters.is_running(context.home):
        reply["findings"] = [one for one in reply["findings"] if one["check"] != "daemon"]
        _add(reply, "daemon", "fail", f"it runs, but: {error.message}", error.hint or "")
    return reply


def _add(reply: dict[str, Any], check: str, level: str, text: str, fix: str) -> None:
    found = {"check": check, "level": level, "text": text, "fix": fix or None}
    reply["findings"].insert(0, found)
    reply["ok"] = reply["ok"] and level != "fail"
