"""From the words of a command line to the function that carries it out."""

from __future__ import annotations

import importlib
import os
import sys

from claw import __version__
from claw.cli import homes, manual, naming, parser, reach, terminal
from claw.commands.before import BEFORE
from claw.commands.nearest import did_you_mean, nearest
from claw.commands.table import BY_NAME, ELSEWHERE, FAMILIES
from claw.commands.touching import LINES, NOTHING, STDIN, touched
from claw.errors import UsageError
from claw.model import home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.commands.command import Command
    from claw.model.home import Home

_OPTIONS = tuple(word for one in BEFORE for word in one.flags)
_VALUES = {word: one for one in BEFORE if one.kind is not None for word in one.flags}
_FLAGS = tuple(word for one in BEFORE if one.kind is None for word in one.flags)


class Globals:
    """What stands before the command.

    Attributes:
        folder: The value of ``--home``, or None.
        hosts: Those of ``-H``, or of the environment: the masters that are meant.
        flags: The others that were given.
    """

    __slots__ = ("flags", "folder", "hosts")

    def __init__(self) -> None:
        self.folder: str | None = None
        self.hosts: list[str] = []
        self.flags: set[str] = set()

    def add(self, name: str, value: str) -> None:
        """Take in an option that has a value."""
        if name == "--home":
            self.folder = value
        elif name == "--token-file":
            os.environ[home.TOKEN_FILE] = value
        elif not homes.hosts_in(value):
            raise UsageError("-H needs a host", hint="write ssh://USER@HOST or ssh://HOST")
        else:
            self.hosts += homes.hosts_in(value)

    def of_home(self) -> list[str]:
        """Return the options that name a home, as they are given on."""
        named = [] if self.folder is None else [f"--home={self.folder}"]
        return [*named, *sorted(self.flags & {"--system", "--user"})]

    @property
    def names_home(self) -> bool:
        """Whether an option or the environment names the home."""
        options = self.folder is not None or bool(self.flags & {"--system", "--user"})
        return options or bool(self.hosts) or bool(os.environ.get("CLAW_HOME"))

    def home(self) -> Home:
        """Return the home that is meant.

        Raises:
            UsageError: Two are.
        """
        if (self.folder is not None) + ("--system" in self.flags) + (
            "--user" in self.flags
        ) > 1:
            raise UsageError("--home, --system and --user exclude each other")
        if self.hosts:
            address = homes.address_of(self.hosts[0])
            return home.of_host(homes.with_options(address, self.of_home()))
        if self.folder is not None:
            return home.at_folder(os.path.abspath(self.folder))  # noqa: PTH100
        if "--system" in self.flags:
            return home.of_system()
        if "--user" in self.flags:
            return home.of_user(os.environ)
        return homes.choose(os.environ, os.geteuid(), homes.here())


def dispatch(words: list[str]) -> int:
    """Carry out a command line and return its exit status.

    Raises:
        ClawError: It cannot be understood, or carried out.
    """
    given, rest = take_globals(words)
    if "--version" in given.flags:
        terminal.say(f"clawctl {__version__}")
        return 0
    wants_help = bool(given.flags & {"-h", "--help"})
    if not rest or rest == ["help"]:
        terminal.say(manual.overview(terminal.style_of(sys.stdout)))
        return 0
    if rest[0] == "help":
        wants_help, rest = True, rest[1:]
    if rest[0] == naming.COMMAND:
        is_of_many = len(given.hosts) > 1
        return naming.complete(rest[1:], given.home(), is_of_many=is_of_many)
    if rest[0] in FAMILIES and (len(rest) == 1 or rest[1] in ("-h", "--help")):
        return _show_family(rest[0], is_asked=wants_help or len(rest) > 1)
    command, rest = look_up(rest)
    if wants_help or asks_for_help(rest):
        terminal.say(parser.build(command).format_help().rstrip())
        return 0
    return _carry_out(command, rest, given)


def take_globals(words: list[str]) -> tuple[Globals, list[str]]:
    """Return the options before the command, and the words from the command on.

    Raises:
        UsageError: An option is not known, or lacks its value.
    """
    given, rest = Globals(), list(words)
    while rest and rest[0].startswith("-"):
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if name in _VALUES:
            if not equals and not rest:
                raise UsageError(f"{name} needs {_VALUES[name].metavar}")
            given.add(_VALUES[name].flags[-1], value if equals else rest.pop(0))
        elif word in _FLAGS:
            given.flags.add(word)
        else:
            hint = did_you_mean(name, _OPTIONS) or "see `clawctl -h`"
            raise UsageError(f"there is no option {word} before the command", hint=hint)
    given.hosts = given.hosts or homes.hosts_in(os.environ.get(homes.HOST, ""))
    return given, rest


def look_up(words: list[str]) -> tuple[Command, list[str]]:
    """Return the command that the first word or two name, and the words after it.

    Raises:
        UsageError: There is none; names the nearest, or what claw calls it.
    """
    for count in (2, 1):
        name = " ".join(words[:count])
        if name in BY_NAME:
            return BY_NAME[name], words[count:]
    if words[0] in FAMILIES:
        known = [name for name in BY_NAME if name.startswith(f"{words[0]} ")]
        hint = did_you_mean(" ".join(words[:2]), known) or f"see `clawctl {words[0]}`"
        raise UsageError(f"there is no command {' '.join(words[:2])!r}", hint=hint)
    raise UsageError(f"there is no command {words[0]!r}", hint=_instead_of(words[0]))


def _instead_of(word: str) -> str:
    """Return what to type instead of a word that is no command."""
    meant = word if word in ELSEWHERE else nearest(word, [*BY_NAME, *ELSEWHERE])
    if meant in ELSEWHERE:
        return f"here it is `clawctl {ELSEWHERE[meant]}`"
    return f"did you mean {meant!r}?" if meant else "`clawctl` lists them all"


def asks_for_help(words: list[str]) -> bool:
    """Tell whether the help page of a command is wanted, by the words after it."""
    before = words[: words.index("--")] if "--" in words else words
    return "-h" in before or "--help" in before


def _show_family(word: str, *, is_asked: bool) -> int:
    terminal.say(manual.family(word))
    return 0 if is_asked else UsageError.exit_status


def _carry_out(command: Command, words: list[str], given: Globals) -> int:
    args = parser.parse(command, words)
    is_json = args["json"] is True or "--json" in given.flags
    touches = touched(command, args)
    reach.check(command, touches, given.hosts)
    if len(given.hosts) > 1 and NOTHING not in touches:
        flags = [*given.of_home(), *sorted(given.flags & {"--json"})]
        worst: int = importlib.import_module("claw.cli.fanout").run(
            given.hosts, [*flags, *command.name.split(), *words],
            is_json=is_json, has_lines=LINES in touches, reads_input=STDIN in touches,
        )  # fmt: skip
        return worst
    module, _, function = command.verb.partition(":")
    verb = getattr(importlib.import_module(f"claw.cli.verbs.{module}"), function)
    place = given.home()
    is_child = homes.is_of_run(os.environ, place, is_named=given.names_home)
    begin = importlib.import_module("claw.cli.context").Context  # which help has no use for
    context = begin(command, args, place, is_json=is_json, is_child=is_child)
    context.before = [*(f"--host={one}" for one in given.hosts), *given.of_home()]
    with context:
        result: int = verb(context)
    return result
