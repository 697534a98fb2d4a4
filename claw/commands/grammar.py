"""How a command line is made up, by the table: what completion, documents and scripts share."""

from __future__ import annotations

from claw.commands.command import flag
from claw.commands.table import COMMANDS, members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from claw.commands.command import Command, Param

OPEN_ENDS = ("=", "/", ":", "@")
"""What ends with one of them goes on: a shell puts no space after it."""

_JSON = flag("json", "print JSON, for programs")
_HELP = flag("help", "show its help page", short="h")


def first_words() -> Iterator[tuple[str, str]]:
    """Yield the first words of all commands, with what each says, in the order of help."""
    for command in COMMANDS:
        word, _, second = command.name.partition(" ")
        if not second:
            yield word, command.summary
        elif members(word)[0] is command:
            yield word, ", ".join(one.name.partition(" ")[2] for one in members(word))
    yield "help", "show all commands, or what is to be known of one"


def options_of(command: Command) -> tuple[Param, ...]:
    """Return the options that a command takes, those that all take among them."""
    own = tuple(param for param in command.params if param.is_option)
    more = () if any(param.name == "json" for param in own) else (_JSON,)
    return (*own, *more, _HELP)


def arguments_of(command: Command) -> tuple[Param, ...]:
    """Return the arguments that a command knows by their places."""
    return tuple(one for one in command.params if not one.is_option and not one.is_rest)


def rest_of(command: Command) -> Param | None:
    """Return what stands after ``--``, if anything may."""
    return next((param for param in command.params if param.is_rest), None)


def usage(command: Command) -> str:
    """Return a command with its arguments, options left out."""
    words = [command.name]
    for param in command.params:
        if not param.is_option:
            dots = "..." if param.is_many else ""
            word = f"{param.metavar}{dots}"
            words.append(word if param.is_required else f"[{word}]")
    return " ".join(words)


def written(option: Param) -> str:
    """Return how an option is written: ``-n, --lines N``."""
    return ", ".join(option.flags) + (f" {option.metavar}" if option.metavar else "")
