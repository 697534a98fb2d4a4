"""What the three scripts have in common: values told as words, and who takes which."""

from collections.abc import Iterator

from claw.commands.before import BEFORE
from claw.commands.command import Command, Param
from claw.commands.grammar import options_of
from claw.commands.table import COMMANDS

SCALE = "JOB=N"


def value_of(param: Param) -> str:
    """Return what a value may be: words as they stand, and ``@jobs`` for names of a kind.

    ``@jobs=`` are names with ``=`` after them. Empty: it may be anything.
    """
    kind = param.kind
    if kind is None:
        return ""
    end = "=" if kind.metavar == SCALE else ""
    return " ".join([*kind.choices, *(f"@{name}{end}" for name in kind.completes)])


def takers() -> Iterator[tuple[str, tuple[Param, ...]]]:
    """Yield the options of each command by its name; '' for those before the command."""
    yield "", BEFORE
    for command in COMMANDS:
        yield command.name, options_of(command)


def names_of(command: Command) -> tuple[str, ...]:
    """Return all names of a command."""
    return (command.name, *command.aliases)
