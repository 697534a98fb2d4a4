"""``secret set``, ``get``, ``list`` and ``delete``. A value is never an argument."""

from __future__ import annotations

import getpass
import sys

from claw.cli import terminal
from claw.errors import UsageError
from claw.kernel import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context

MOST_BYTES = 64 << 10


def set_(context: Context) -> int:
    """Keep a value that is typed, or comes on standard input."""
    limits.leave_no_core()
    name = context.args["name"]
    value = _typed(name) if (sys.stdin and sys.stdin.isatty()) else _piped()
    restart = context.args["restart"]
    context.show(context.call("secret.set", name=name, value=value, restart=restart))
    return 0


def get(context: Context) -> int:
    """Print a value."""
    limits.leave_no_core()
    reply = context.call("secret.get", name=context.args["name"])
    if context.is_json:
        context.show(reply)
    else:
        terminal.say(reply["value"])
    return 0


def list_(context: Context) -> int:
    """List what is known of secrets."""
    context.show(context.call("secret.list"))
    return 0


def delete(context: Context) -> int:
    """Forget a value."""
    args = context.args
    context.show(context.call("secret.delete", name=args["name"], force=args["force"]))
    return 0


def _typed(name: str) -> str:
    """Return what is typed twice, unseen."""
    try:
        value = getpass.getpass(f"{name}: ")
        again = getpass.getpass("the same again: ")
    except EOFError:
        raise UsageError("nothing was typed: nothing has changed") from None
    if value != again:
        raise UsageError("the two are not the same: nothing has changed")
    return _checked(value)


def _piped() -> str:
    data = sys.stdin.buffer.read(MOST_BYTES + 2) if sys.stdin else b""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise UsageError("the value is no text in UTF-8: keep it in base64") from None
    return _checked(text.removesuffix("\n").removesuffix("\r"))


def _checked(value: str) -> str:
    if not value:
        raise UsageError("there is no value: nothing has changed")
    if len(value.encode()) > MOST_BYTES:
        raise UsageError(f"the value is longer than {MOST_BYTES >> 10} KiB")
    if "\0" in value:
        raise UsageError("the value has a NUL byte, which no program can be given")
    return value
