"""One command of ``clawctl``, as data."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.commands.kinds import Kind


class Param:
    """An argument or option of a command; made by `argument`, `option` and `flag`.

    Attributes:
        name: As the implementation reads it; an option is ``--name`` with dashes.
        kind: What its value is, or None for a flag, which has none.
        help: What it says, in a few words.
        short: A letter for an option, or ''.
        is_option: Whether it begins with dashes.
        is_many: Whether several may be given.
        is_required: Whether an argument must be given.
        is_rest: Whether it is all that stands after ``--``.
        metavar: What stands for its value.
        touches: What a command line with it touches (`claw.commands.touching`).
    """

    __slots__ = (
        "help", "is_many", "is_option", "is_required", "is_rest", "kind", "metavar", "name",
        "short", "touches",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913
        self,
        name: str,
        kind: Kind | None,
        says: str,
        *,
        short: str = "",
        is_option: bool,
        is_many: bool = False,
        is_required: bool = False,
        is_rest: bool = False,
        metavar: str = "",
        touches: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.kind = kind
        self.help = says
        self.short = short
        self.is_option = is_option
        self.is_many = is_many
        self.is_required = is_required
        self.is_rest = is_rest
        self.metavar = metavar or (kind.metavar if kind else "")
        self.touches = touches
        if is_rest:
            self.metavar = f"-- {self.metavar}"

    @property
    def flags(self) -> tuple[str, ...]:
        """How an option is written: its letter, if it has one, and its long form."""
        long = "--" + self.name.replace("_", "-")
        return (f"-{self.short}", long) if self.short else (long,)


def argument(
    name: str, kind: Kind, says: str, *, many: bool = False, required: bool = True
) -> Param:
    """Return an argument that is known by its place."""
    return Param(name, kind, says, is_option=False, is_many=many, is_required=required)


def rest(name: str, kind: Kind, says: str, *, touches: tuple[str, ...] = ()) -> Param:
    """Return an argument that takes all words after ``--``."""
    return Param(name, kind, says, is_option=False, is_many=True, is_rest=True, touches=touches)


def option(
    name: str,
    kind: Kind,
    says: str,
    *,
    short: str = "",
    many: bool = False,
    touches: tuple[str, ...] = (),
) -> Param:
    """Return an option with a value; ``many``: it may be given again and again."""
    return Param(name, kind, says, short=short, is_option=True, is_many=many, touches=touches)


def flag(name: str, says: str, *, short: str = "", touches: tuple[str, ...] = ()) -> Param:
    """Return an option without a value."""
    return Param(name, None, says, short=short, is_option=True, touches=touches)


class Command:
    """One command.

    Attributes:
        name: One word, or two (``runs list``).
        group: Where help shows it.
        summary: At most 60 characters, no full stop.
        verb: ``module:function`` beneath ``claw.cli.verbs`` that carries it out.
        reply: The module of ``claw.cli.render`` that shows its answer; '' when it
            streams or says nothing.
        params: Its arguments and options, in order.
        method: The protocol method it calls first; '' when it needs no daemon.
        detail: More words for its help page.
        examples: Command lines, each with what it does.
        aliases: Other names.
        touches: What it touches beside the master (`claw.commands.touching`).
    """

    __slots__ = (
        "aliases", "detail", "examples", "group", "method", "name", "params", "reply",
        "summary", "touches", "verb",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913
        self,
        name: str,
        group: str,
        summary: str,
        *,
        verb: str,
        reply: str = "",
        params: tuple[Param, ...] = (),
        method: str = "",
        detail: str = "",
        examples: tuple[tuple[str, str], ...] = (),
        aliases: tuple[str, ...] = (),
        touches: tuple[str, ...] = (),
    ) -> None:
        self.name = name
        self.group = group
        self.summary = summary
        self.verb = verb
        self.reply = reply
        self.params = params
        self.method = method
        self.detail = detail
        self.examples = examples
        self.aliases = aliases
        self.touches = touches


JOBS = "Jobs"
RUNS = "Runs and output"
CONFIGURATION = "Configuration"
DAEMON = "The daemon"
GROUPS = (JOBS, RUNS, CONFIGURATION, DAEMON)
"""Groups in the order of help."""
