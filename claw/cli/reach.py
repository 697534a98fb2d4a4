"""What of the command line reaches other hosts' masters, and what several at once."""

from __future__ import annotations

import os
import sys

from claw.cli import homes
from claw.commands.touching import ALONE, HERE, LOOKS, STDIN
from claw.errors import UnsupportedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from claw.commands.command import Command


def check(command: Command, touches: frozenset[str], hosts: Sequence[str]) -> None:
    """Refuse what cannot be done for other hosts' masters, or not for several.

    Args:
        command: What is to be done.
        touches: What that touches (`claw.commands.touching.touched`).
        hosts: Addresses of the masters; none: it is this host's.

    Raises:
        UnsupportedError: It is that.
        UsageError: Somebody would have to type what is for all of them, in sight.
    """
    if not hosts:
        return
    host, what = homes.label_of(hosts[0]), command.name
    if touches & {HERE, LOOKS}:
        what += " -- CMD" * (command.name == "run")
        hint = f"ssh ssh://{host} clawctl {what}"
        if os.environ.get(homes.HOST):
            hint += f", or unset {homes.HOST}"
        raise UnsupportedError(f"`clawctl {what}` works only where the daemon is", hint=hint)
    if len(hosts) > 1 and ALONE in touches:
        raise UnsupportedError(f"this `clawctl {what}` is for one host", hint=f"-H {host}")
    if len(hosts) > 1 and STDIN in command.touches and sys.stdin and sys.stdin.isatty():
        hint = f"clawctl -H HOST -H HOST {what} ... < FILE"
        raise UsageError("for several hosts it comes on standard input", hint=hint)
