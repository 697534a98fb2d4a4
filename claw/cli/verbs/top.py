"""``top``."""

from __future__ import annotations

import importlib
import os
import sys

from claw.cli import homes
from claw.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context


def top(context: Context) -> int:
    """Show jobs, output and runs on a full screen, until it is left.

    Raises:
        UsageError: There is no terminal to show them on, or none that can.
    """
    streams = (sys.stdin, sys.stdout)
    if not all(stream is not None and stream.isatty() for stream in streams):
        raise UsageError("top needs a terminal", hint="`clawctl status` is for pipes and files")
    if context.is_json:
        raise UsageError("top is for people", hint="`clawctl status --json` is for programs")
    if os.environ.get("TERM", "dumb") in {"", "dumb"}:
        raise UsageError(
            "top needs a terminal that can place its cursor",
            hint="TERM is dumb; `clawctl status` needs none",
        )
    context.knock()
    # Loading prompt-toolkit takes longer than all that can be refused before.
    app = importlib.import_module("claw.cli.top.app")
    status: int = app.Top(context.home, homes.name_of(context.home)).run()
    return status
