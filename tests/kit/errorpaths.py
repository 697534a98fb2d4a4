"""Command lines made from the command table, good ones and bad ones of each kind."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from claw.cli import main
from claw.commands import kinds
from claw.commands.command import Command, Param

NO_SUCH = "no-such-thing"
NAMED = frozenset(
    {
        "jobs", "targets", "runs", "batches", "pools", "open", "dead", "pending", "alerts",
        "deliveries", "channels", "aliases", "locks", "tokens", "secrets", "workflows",
    }
)  # fmt: skip
"""What the daemon has by name: asking for another one is a wrong target."""
OTHERWISE = frozenset(
    {
        ("alias add", "name"), ("secret set", "name"),  # they make it
        ("events", "job"),  # it may come
        ("up", "targets"),  # of a file, not of this daemon
    }
)  # fmt: skip
"""Parameters that may name what is not there."""
OF_COMMANDS = ("after", "pool")
"""Options of ``run`` that are for a command of one's own."""
GIVEN = {"secret set": "a value", "job validate": '[jobs.two]\ncommand = "true"\n'}
"""What commands read from standard input."""
BAD = ("no such value!", "-1", "[", "x" * 2000, "")
"""Of each kind that does not take everything, at least one of these is no value."""
GOOD = {
    "SIG": "TERM", "JOB=N": "one=1", "N": "1", "EVENT": "a.b", "KEY=VALUE": "timeout=3s",
    "EXPR": "@daily", "KIND": "crontab", "SHELL": "bash", "METHOD": "daemon.status",
    "NAME|ID": "flow", "WHEN": "success", "ID": "1",
    "ID|JOB": "one", "LEVEL": "low", "CHANNEL": "chat",
}  # fmt: skip
INSTEAD = {
    "run": ["one"],
    "job add": ["two", "--", "true"],
    "job set": ["one", "timeout=3s"],
    "emit": ["a.b"],
    "alerts ack": ["one"],
    "dlq reinject": ["--all"],
    "dlq purge": ["--all"],
    "queue clear": ["--all"],
    "delivery retry": ["--all"],
    "chord": ["one", "--", "one"],
    "shell": ["-c", "status"],
    "job validate": ["-"],
    "import": ["crontab", "/dev/null"],
    "service install": ["--dry-run"],
    "service uninstall": ["--dry-run"],
}
"""Words of commands of which the least that the table asks for is not enough, or too much."""


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command line has said, and its exit status."""

    words: tuple[str, ...]
    status: int
    out: str
    err: str

    def assert_refused(self, *statuses: int) -> None:
        """It ended so, with one line that says what is wrong, and nothing besides."""
        assert self.status in statuses, self
        assert self.out == "", self
        [line] = self.err.splitlines()
        assert line.startswith("clawctl: "), self
        assert "mistake in claw" not in line, self


def typed(folder: str, words: Sequence[str], given: str = "") -> Ended:
    """Carry out a command line of a home in this process, with that on standard input."""
    out, err = _Output(), _Output()
    before = dict(os.environ)
    os.environ["CLAW_HOME"] = folder
    os.environ.pop("CLAW_TOKEN", None)
    try:
        with _input(given), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = main.main(list(words))
    finally:
        os.environ.clear()
        os.environ.update(before)
    return Ended(tuple(words), status, out.text, err.text)


class _Output(io.TextIOWrapper):
    """A standard output in memory, with the bytes beneath it that some commands write."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    @property
    def text(self) -> str:
        """What was written."""
        self.flush()
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode()


@contextlib.contextmanager
def _input(text: str) -> Iterator[None]:
    """Have standard input hold a text, also for those who read descriptor 0."""
    kept, before, given = os.dup(0), sys.stdin, os.memfd_create("given")
    os.write(given, text.encode())
    os.lseek(given, 0, os.SEEK_SET)
    os.dup2(given, 0)
    try:
        with open(0, closefd=False) as sys.stdin:
            yield
    finally:
        sys.stdin = before
        os.dup2(kept, 0)
        os.close(kept)
        os.close(given)


def least(command: Command, names: Mapping[str, str] | None = None) -> list[str]:
    """Return a command line of a command with what it needs and no more."""
    known = {**GOOD, **(names or {})}
    words = command.name.split()
    if command.name in INSTEAD:
        return [*words, *INSTEAD[command.name]]
    for param in command.params:
        if param.is_required and not param.is_option:
            words.append(known.get(param.metavar, "one"))
    return words


def with_value(command: Command, param: Param, value: str) -> list[str]:
    """Return the least command line with another value for one parameter."""
    words = command.name.split()
    if param.is_option:
        of_command = command.name == "run" and param.name in OF_COMMANDS
        line = ["run", "--", "true"] if of_command else least(command)
        at = line.index("--") if "--" in line else len(line)
        return [*line[:at], f"{param.flags[-1]}={value}", *line[at:]]
    for other in command.params:
        if other is param:
            mark = ["--"] if param.is_rest else []
            return [*words, *mark, value, *_needed_after(command, param)]
        if not other.is_option and other.is_required:
            words.append(GOOD.get(other.metavar, "one"))
    raise AssertionError(f"{command.name} has no {param.name}")


def _needed_after(command: Command, param: Param) -> list[str]:
    if command.name in ("job set", "chord") and not param.is_rest:
        return INSTEAD[command.name][1:]
    later = command.params[command.params.index(param) + 1 :]
    needed = [one for one in later if one.is_required and not one.is_option]
    return [GOOD.get(one.metavar, "one") for one in needed]


def bad_value(param: Param) -> str | None:
    """Return what a parameter does not take; None where it takes everything."""
    assert param.kind is not None
    if param.kind.parse is str:
        return None
    for text in BAD:
        try:
            param.kind.parse(text)
        except ValueError:
            return text
    raise AssertionError(f"{param.kind.metavar} takes all of {BAD}")


def no_such(param: Param) -> str:
    """Return a name, or a number, that nothing has."""
    assert param.kind is not None
    try:
        param.kind.parse(NO_SUCH)
    except ValueError:
        return "999999"
    return NO_SUCH


def is_named(command: Command, param: Param) -> bool:
    """Whether a parameter names something that the daemon has, and nothing else besides."""
    if param.kind is None or not param.kind.completes:
        return False
    if (command.name, param.name) in OTHERWISE:
        return False
    return set(param.kind.completes) <= NAMED and param.kind is not kinds.SCALE
