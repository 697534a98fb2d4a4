"""``shell``."""

from __future__ import annotations

import importlib
import os
import sys

from claw.cli import homes, terminal
from claw.cli.shell import words
from claw.cli.shell.carrying import Carrier, Left, restrain
from claw.cli.top.settings import path_of
from claw.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO

    from claw.cli.context import Context


def shell(context: Context) -> int:
    """Carry out what is typed, or what comes from a pipe, line by line.

    Raises:
        UsageError: It is asked for JSON: each line has that for itself.
    """
    if context.is_json:
        raise UsageError("a shell answers line by line", hint="write --json in a line")
    is_kept = context.args["restricted"]
    if is_kept:
        restrain(os.environ)
    before = context.before
    command = context.args["command"]
    if command is not None:
        return _carry_out([command], before, is_kept=is_kept)
    if sys.stdin is None or not sys.stdin.isatty():
        return _carry_out(_lines(sys.stdin), before, is_kept=is_kept)
    context.knock()
    history = path_of(os.environ).with_name("history")
    module = importlib.import_module("claw.cli.shell.prompt")  # it loads prompt-toolkit
    prompt = module.Prompt(
        context.home, homes.name_of(context.home), history, before, is_kept=is_kept
    )
    status: int = prompt.run()
    return status


def _carry_out(lines: Iterator[str] | list[str], before: list[str], *, is_kept: bool) -> int:
    """Carry out lines that nobody types, on after those that fail, as sh(1) does."""
    carrier = Carrier(before, is_kept=is_kept)
    try:
        for line in lines:
            carrier.carry_out(line)
            terminal.flush()
    except Left as left:
        return carrier.status if left.status is None else left.status
    return carrier.status


def _lines(stream: TextIO | None) -> Iterator[str]:
    """Yield lines, each with those that belong to it."""
    text = ""
    for line in stream or ():
        text += line
        if not words.is_open(text.removesuffix("\n")):
            yield text.removesuffix("\n")
            text = ""
    if text:
        yield text.removesuffix("\n")
