"""One line of the shell, carried out as ``clawctl`` does it, with its exit status."""

from __future__ import annotations

import subprocess

from claw.cli import dispatch, main, parser, terminal
from claw.cli.shell import words
from claw.commands.grammar import arguments_of
from claw.commands.methods import METHODS
from claw.commands.touching import is_kept_from
from claw.errors import ClawError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence

    from claw.commands.command import Command

LEAVING = frozenset({"exit", "logout", "quit"})
_ABOUT_JOBS = frozenset({"jobs", "targets", "open"})


class Left(Exception):  # noqa: N818 - somebody leaves, which is no error
    """The shell is left.

    Attributes:
        status: The exit status that was asked for, or None.
    """

    def __init__(self, status: int | None) -> None:
        super().__init__()
        self.status = status


class Carrier:
    """Carries out lines.

    Args:
        before: The options before the command with which the shell was begun: they hold for
            each line that has none of its own.
        is_kept: Whether the caller is kept to claw: no ``!``, no command that is a way out.
        touch: Told the jobs and runs of which a line is about to change something.

    Attributes:
        status: The exit status of the last line.
    """

    def __init__(
        self,
        before: Sequence[str],
        *,
        is_kept: bool,
        touch: Callable[[list[str]], None] = lambda _targets: None,
    ) -> None:
        self._before = list(before)
        self._is_kept = is_kept
        self._touch = touch
        self.status = 0

    def carry_out(self, text: str) -> int:
        """Carry out a line, and return its exit status; errors are told as always.

        Raises:
            Left: It says to leave.
        """
        if text.strip():
            try:
                self.status = self._carry_out(text)
            except ClawError as error:
                main.tell(error)
                self.status = error.exit_status
        return self.status

    def _carry_out(self, text: str) -> int:
        if text.lstrip().startswith("!"):
            return self._run_program(text.lstrip()[1:].strip())
        try:
            line = words.split(text)
        except ValueError as error:
            raise UsageError(f"{error}") from None
        if line[:1] == ["clawctl"]:
            line.pop(0)
        if not line:
            return self.status
        if line[0] in LEAVING:
            raise Left(_status_in(line))
        self._check(line)
        self._tell_touched(line)
        return main.main([*self._before, *line])

    def _run_program(self, command: str) -> int:
        if self._is_kept:
            raise UsageError("this shell runs no programs", hint="`help` lists what it knows")
        if not command:
            raise UsageError("! needs a command", hint="such as `!df -h`")
        terminal.flush()
        try:
            done = subprocess.run(command, shell=True, check=False)  # noqa: S602 - it is a shell
        except KeyboardInterrupt:
            return main.INTERRUPTED
        return done.returncode if done.returncode >= 0 else 128 - done.returncode

    def _check(self, line: list[str]) -> None:
        """Refuse what cannot be typed here.

        Raises:
            UsageError: It is that.
        """
        if self._is_kept and line[0].startswith("-"):
            raise UsageError("this shell is for one daemon: begin with a command")
        command, rest = _command_in(line)
        if command is None:
            return
        if command.name == "shell":
            raise UsageError("this is the shell", hint="`help` lists what it knows")
        if self._is_kept and not dispatch.asks_for_help(rest):
            args = parser.parse(command, rest)
            if is_kept_from(command, {}):
                what = f"`{command.name}` is not for this shell"
                raise UsageError(what, hint="`help` lists the others")
            if is_kept_from(command, args):
                raise UsageError(f"{command.name}: this shell has no programs and no files")

    def _tell_touched(self, line: list[str]) -> None:
        command, rest = _command_in(line)
        method = METHODS.get(command.method) if command is not None else None
        if command is None or method is None or not method.is_mutating:
            return
        kinds = [one.kind for one in arguments_of(command) if one.kind is not None]
        if any(_ABOUT_JOBS.intersection(kind.completes) for kind in kinds):
            found = rest[: rest.index("--")] if "--" in rest else rest
            self._touch([word for word in found if not word.startswith("-")])


def _command_in(line: list[str]) -> tuple[Command | None, list[str]]:
    """Return the command of a line, behind options for all, and what follows it."""
    try:
        return dispatch.look_up(dispatch.take_globals(line)[1])
    except ClawError:  # it is told when the line is carried out
        return None, []


def _status_in(line: list[str]) -> int | None:
    if len(line) > 2 or (len(line) > 1 and not line[1].isdecimal()):  # noqa: PLR2004
        raise UsageError(f"{line[0]} takes a number, the exit status")
    return int(line[1]) & 255 if len(line) > 1 else None


def restrain(environ: MutableMapping[str, str]) -> None:
    """Leave no way from the commands that are open to others: no editor, and a plain pager."""
    for name in ("EDITOR", "VISUAL"):
        environ[name] = "false"
    for name in ("PAGER", "MANPAGER"):
        environ[name] = "cat"
    environ["LESSSECURE"] = "1"  # less(1)
