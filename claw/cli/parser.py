"""One command's words to its values; the parser is made from the command's entry."""

from __future__ import annotations

import argparse
import textwrap

from claw.commands.nearest import nearest
from claw.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, NoReturn

    from claw.commands.command import Command, Param
    from claw.commands.kinds import Kind

_PAGE_WIDTH = 78
_BEFORE = frozenset({"--home", "--system", "--user"})
JSON_HELP = "print JSON, for programs"


class _MissingError(UsageError):
    """Words that a command needs are not there."""


class Parser(argparse.ArgumentParser):
    """A parser that raises instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        """Refuse a command line.

        Raises:
            UsageError: Always; with the hint to look at the command's help.
        """
        hint = f"see `{self.prog} -h`"
        missing = message.removeprefix("the following arguments are required: ")
        if missing != message:
            name = self.prog.removeprefix("clawctl ")
            raise _MissingError(f"{name} needs {missing}", hint=hint)
        raise UsageError(message.removeprefix("argument "), hint=hint)


def build(command: Command, *, needs_all: bool = True) -> Parser:
    """Return the parser of a command.

    Args:
        command: Its entry.
        needs_all: False: no argument is required.
    """
    parser = Parser(
        prog=f"clawctl {command.name}",
        description=_description(command),
        epilog=_epilog(command),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    for param in command.params:
        is_required = param.is_required and needs_all
        parser.add_argument(*_names(param), **_settings(param, is_required=is_required))
    if all(param.name != "json" for param in command.params):
        parser.add_argument("--json", action="store_true", help=JSON_HELP)
    parser.add_argument("-h", "--help", action="store_true", help="show this page")
    return parser


def parse(command: Command, words: Sequence[str]) -> dict[str, Any]:
    """Return the values of a command line, by parameter name.

    Raises:
        UsageError: The words do not fit the command.
    """
    words, after = list(words), None
    last = next((param.name for param in command.params if param.is_rest), None)
    if last is not None and "--" in words:
        at = words.index("--")
        words, after = words[:at], words[at + 1 :]
    try:
        values, unknown = build(command).parse_known_intermixed_args(words)
    except _MissingError:  # what was meant for it may be what is wrong
        _values, unknown = build(command, needs_all=False).parse_known_intermixed_args(words)
        for word in unknown:
            raise _unknown(command, word) from None
        raise
    if last is not None:
        unknown = [*(getattr(values, last) or ()), *unknown]
        setattr(values, last, after)
    for word in unknown:
        raise _unknown(command, word)
    return vars(values)


def _unknown(command: Command, word: str) -> UsageError:
    hint = f"see `clawctl {command.name} -h`"
    if not word.startswith("-"):
        return UsageError(f"{command.name} does not take {word!r} as well", hint=hint)
    if word.split("=", 1)[0] in _BEFORE:
        return UsageError(f"{word} stands before the command, not after it")
    known = [flag for param in command.params if param.is_option for flag in param.flags]
    meant = nearest(word.split("=", 1)[0], [*known, "--json", "--help"])
    guess = f"did you mean {meant}? " if meant else ""
    return UsageError(f"{command.name} has no option {word}", hint=f"{guess}{hint}")


def _names(param: Param) -> tuple[str, ...]:
    return param.flags if param.is_option else (param.name,)


def _settings(param: Param, *, is_required: bool) -> dict[str, Any]:
    says = param.help.replace("%", "%%")
    if param.kind is None:
        return {"dest": param.name, "action": "store_true", "help": says}
    settings: dict[str, Any] = {
        "type": _reader(param.kind),
        "metavar": param.metavar,
        "help": says,
    }
    if param.is_option:
        settings["dest"] = param.name
        if param.is_many:
            settings |= {"action": "append", "default": []}
    elif param.is_many:
        settings |= {"nargs": "+"} if is_required else {"nargs": "*", "default": []}
    elif not is_required:
        settings["nargs"] = "?"
    return settings


def _reader(kind: Kind) -> Callable[[str], object]:
    def read(text: str) -> object:
        try:
            return kind.parse(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _description(command: Command) -> str:
    first = f"{command.summary[0].upper()}{command.summary[1:]}."
    aliases = f" Also: {', '.join(command.aliases)}." if command.aliases else ""
    paragraphs = [f"{first}{aliases}", *([command.detail] if command.detail else [])]
    text = "\n\n".join(textwrap.fill(one, _PAGE_WIDTH) for one in paragraphs)
    return text.replace("%", "%%")


def _epilog(command: Command) -> str:
    width = max((len(line) for line, _says in command.examples), default=0)
    lines = [f"  {line:{width}}  {says}" for line, says in command.examples]
    return "\n".join(["examples:", *lines]).replace("%", "%%") if lines else ""
