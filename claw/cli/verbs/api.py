"""``api``: any method, and its answer as it is."""

from __future__ import annotations

from claw.cli import terminal
from claw.cli.render import jsontext
from claw.client.connection import PATIENCE_S
from claw.commands.methods import METHODS
from claw.errors import UsageError
from claw.wire.control import Notification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context


def api(context: Context) -> int:
    """Call a method; of a stream, show each notification as one line, until ^C."""
    name, params = context.args["method"], context.args["params"] or {}
    if not isinstance(params, dict):
        raise UsageError(
            "the parameters have to be a JSON object", hint='such as \'{"targets": ["web"]}\''
        )
    known = METHODS.get(name)
    if known is None or not known.sends:
        patience_s = None if name == "run.wait" else PATIENCE_S
        result = context.client.call(name, patience_s=patience_s, **params)
        terminal.say(jsontext.render(result))
        return 0
    with context.client.stream(name, **params) as stream:
        terminal.say(jsontext.render_line(stream.reply))
        terminal.flush()
        for told in stream:
            if not isinstance(told, Notification):
                continue
            terminal.say(jsontext.render_line({"method": told.method, "params": told.params}))
            terminal.flush()
            if told.method in ("end", "lagged"):
                break
    return 0
