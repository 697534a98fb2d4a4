"""``status --watch``: what jobs do, shown again whenever something has happened."""

from __future__ import annotations

import sys
import time

from claw.cli import terminal
from claw.client.client import await_master
from claw.errors import UnreachableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

    from claw.cli.context import Context
    from claw.client.stream import Stream

_OFTEN_S = 0.5
"""A burst of events is shown once."""
_SECOND_S = 1.0
"""How long ago something was is told anew so often, where a person looks."""
_FOR_EVER_S = float("inf")
_PATIENCE_S = 3600.0
_CLEAR = "\x1b[H\x1b[2J"


def watch(context: Context, asked: dict[str, Any]) -> NoReturn:
    """Show the answer to ``job.status`` until ^C; a daemon that goes is waited for.

    Raises:
        ClawError: No master answers at first, or it refuses.
    """
    is_seen = False
    while True:
        try:
            with context.client.stream("event.subscribe") as stream:
                while True:
                    _show(context, asked)
                    is_seen = True
                    _await(stream)
        except UnreachableError as error:
            if not is_seen:
                raise
            terminal.warn(f"{error.message}; it is waited for")
            await_master(context.home.control_socket, _FOR_EVER_S).close()


def _show(context: Context, asked: dict[str, Any]) -> None:
    reply = context.call("job.status", **asked)
    if context.is_json:
        context.show_line(reply)
        return
    if terminal.style_of(sys.stdout).is_terminal:
        terminal.write(_CLEAR)
    context.show(reply)
    terminal.flush()


def _await(stream: Stream) -> None:
    """Wait until something happens, or what is shown has aged."""
    is_seen = terminal.style_of(sys.stdout).is_terminal
    told = stream.next(_SECOND_S if is_seen else _PATIENCE_S)
    time.sleep(_OFTEN_S if told is not None else 0.0)
    while told is not None:
        told = stream.next(0.0)
