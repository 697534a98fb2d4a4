"""What Tab offers in the shell: what the command line offers, less what the role forbids."""

from __future__ import annotations

import shlex

from claw.cli import naming
from claw.cli.completing import Candidate, candidates
from claw.cli.shell import words
from claw.cli.shell.carrying import LEAVING
from claw.commands.grammar import OPEN_ENDS
from claw.commands.method import ROLES
from claw.commands.methods import METHODS
from claw.commands.table import BY_NAME, members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from claw.commands.command import Command
    from claw.model.home import Home


class Insertion:
    """One way to go on, as it is typed.

    Attributes:
        text: What takes the place of the present word, quoted where it must be.
        begins: Where that word begins in the text.
        shown: How it is listed.
        says: What it means.
    """

    __slots__ = ("begins", "says", "shown", "text")

    def __init__(self, text: str, begins: int, shown: str, says: str) -> None:
        self.text = text
        self.begins = begins
        self.shown = shown
        self.says = says


class Completer:
    """Completes the text before the cursor.

    Args:
        home: Whose names are offered.
        role: Tells the caller's role, '' while it is not known.
    """

    def __init__(self, home: Home, role: Callable[[], str]) -> None:
        self._home = home
        self._role = role

    def insertions(self, text: str) -> list[Insertion]:
        """Return how the text may go on."""
        if text.lstrip().startswith("!"):
            return []
        reading = words.read(text)
        line, last = reading.words, reading.last
        if line[:1] == ["clawctl"]:
            line = line[1:]
        found = candidates(line, last, self._names)
        if not line:
            found += [Candidate(word, "leave") for word in LEAVING if word.startswith(last)]
        return [
            Insertion(_typed(one.text), reading.begins, one.text, one.says)
            for one in found
            if not self._is_forbidden(line, one.text)
        ]

    def _names(self, kind: str, prefix: str) -> list[tuple[str, str]]:
        return naming.names_of([kind], prefix, self._home)

    def _is_forbidden(self, line: list[str], text: str) -> bool:
        """Tell whether a command is nothing for the caller."""
        if not line:
            meant = [BY_NAME[text]] if text in BY_NAME else members(text)
        elif len(line) == 1 and f"{line[0]} {text}" in BY_NAME:
            meant = [BY_NAME[f"{line[0]} {text}"]]
        else:
            return False
        return bool(meant) and not any(self._may(one) for one in meant)

    def _may(self, command: Command) -> bool:
        method, role = METHODS.get(command.method), self._role()
        if command.name == "shell":
            return False
        if method is None or role not in ROLES:
            return True
        return ROLES.index(method.role) <= ROLES.index(role)


def _typed(text: str) -> str:
    typed = shlex.quote(text)
    if typed == text or text.endswith(OPEN_ENDS):
        return text if text.endswith(OPEN_ENDS) else f"{text} "
    return f"{typed} "
