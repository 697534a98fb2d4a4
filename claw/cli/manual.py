"""Help for people who do not know the command yet: all of them, in groups."""

from __future__ import annotations

from claw.cli.terminal import BOLD
from claw.commands.before import BEFORE
from claw.commands.command import GROUPS
from claw.commands.grammar import usage, written
from claw.commands.table import COMMANDS, members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.terminal import Style

USAGE = "usage: clawctl [--home DIR | --system | --user] [--json] COMMAND [ARGUMENT...]"
OPTIONS = tuple((written(one), one.help) for one in BEFORE)
_TARGETS = (
    "A TARGET is a job's name, a pattern such as 'etl-*', tag:TAG, or all; a RUN is named by "
    "six or more\nletters of either end of its id."
)


def overview(style: Style) -> str:
    """Return the page that a bare ``clawctl`` shows."""
    width = max(len(usage(one)) for one in COMMANDS)
    parts = [USAGE]
    for group in GROUPS:
        lines = [
            f"  {usage(one):{width}}  {one.summary}" for one in COMMANDS if one.group == group
        ]
        parts.append("\n".join([style.paint(group, BOLD), *lines]))
    options = [f"  {option:{width}}  {says}" for option, says in OPTIONS]
    parts.append("\n".join([style.paint("Options", BOLD), *options]))
    parts.append(_TARGETS)
    parts.append("`clawctl COMMAND -h` tells more about a command.")
    return "\n\n".join(parts)


def family(word: str) -> str:
    """Return the commands whose first word this is."""
    of_it = members(word)
    width = max(len(usage(one)) for one in of_it)
    return "\n".join(f"  clawctl {usage(one):{width}}  {one.summary}" for one in of_it)
