"""What commands touch beside the master: what they are not for follows from that.

The table says it of a command, of an option that was given, and of a kind whose value names a
file; `touched` says it of a command line.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from claw.commands.command import Command, Param

HERE = "here"
"""Files and processes of the host where it runs, which it changes; starts programs there."""
LOOKS = "looks"
"""Looks at those, or waits for them."""
NOTHING = "nothing"
"""It needs neither a daemon nor a home, whatever else holds of the command."""
ALONE = "alone"
"""The terminal, or a file that two would overwrite: it is for one host at a time."""
PROGRAMS = "programs"
"""Lets its user at programs, or at methods of the master, by their own names."""
FILES = "files"
"""Reads or writes a file that it is told of."""
STDIN = "stdin"
"""Reads standard input to its end."""
LINES = "lines"
"""With ``--json`` it prints an object a line, and may have no end."""

FROM_STDIN = "-"
"""Stands for standard input where a file may be named."""


def touched(command: Command, args: dict[str, Any]) -> frozenset[str]:
    """Return what a command line touches.

    Args:
        command: It.
        args: Its values, as `claw.cli.parser` reads them.
    """
    found = set(command.touches)
    for param in command.params:
        value = args.get(param.name)
        if value not in (None, False, []):
            found.update(param.touches, _of_value(param, value))
    return frozenset(found - {LOOKS, HERE} if NOTHING in found else found)


def is_kept_from(command: Command, args: dict[str, Any]) -> bool:
    """Tell whether a command line is none for who is kept to claw.

    Only what is asked of the master is open, and what only looks: without a word in the table
    a command without a method is not.
    """
    found = touched(command, args)
    is_known = bool(command.method) or bool(found & {LOOKS, NOTHING})
    return not is_known or bool(found & {HERE, PROGRAMS, FILES})


def _of_value(param: Param, value: object) -> Iterator[str]:
    mark = None if param.kind is None else param.kind.file_mark
    if mark is None:
        return
    for one in value if isinstance(value, list) else [value]:
        if one == FROM_STDIN:
            yield STDIN
        elif str(one).startswith(mark):
            yield FILES
