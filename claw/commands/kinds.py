"""Kinds of arguments: how each is written, read, shown in a schema, and completed.

A kind is where reuse lives: a new one touches this file alone.
"""

from __future__ import annotations

import re
import signal

from claw.commands import shapes, times
from claw.commands.method import MAX_LINES
from claw.commands.nearest import did_you_mean
from claw.kernel import clock
from claw.model import units
from claw.wire import strict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


class Kind:
    """One kind of argument.

    Attributes:
        metavar: What stands for it in a usage line.
        parse: Text to value; raises ValueError with a text that says what is wanted.
        schema: JSON Schema of the text.
        completes: What a shell offers beside `choices`: kinds of names that the master
            knows (`claw.commands.calls_names.NAMED`) or clawctl does
            (`claw.cli.naming.OWN`), or what the shell itself does (`OF_SHELLS`).
        choices: The words it may be, when they are few.
        file_mark: What a text that names a file begins with; None: no text does.
    """

    __slots__ = ("choices", "completes", "file_mark", "metavar", "parse", "schema")

    def __init__(
        self,
        metavar: str,
        parse: Callable[[str], object] = str,
        *,
        completes: str = "",
        schema: dict[str, object] | None = None,
        choices: tuple[str, ...] = (),
        file_mark: str | None = None,
    ) -> None:
        self.metavar = metavar
        self.parse = parse
        self.completes = tuple(completes.split())
        self.choices = choices
        is_path = not _PATHS.isdisjoint(self.completes)
        self.file_mark = "" if is_path else file_mark
        self.schema = schema or {"type": "string"}


OF_SHELLS = ("files", "folders", "users", "groups", "programs")
"""Kinds of names that every shell can complete by itself."""
_PATHS = frozenset({"files", "folders"})


def _choice(metavar: str, *words: str) -> Kind:
    def parse(text: str) -> str:
        if text in words:
            return text
        nearest = did_you_mean(text, words)
        raise ValueError(f"{text!r} is none of {', '.join(words)}: {nearest}".rstrip(": "))

    return Kind(metavar, parse, choices=words, schema={"enum": list(words)})


def _parse_lines(text: str) -> int:
    count = _whole(0)(text)
    if count > MAX_LINES:
        raise ValueError(f"{count} is too many: {MAX_LINES} at most; --since shows all")
    return count


def _whole(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError(f"{text!r} is no whole number") from None
        if value < least:
            raise ValueError(f"{value} is too small: {least} or more")
        return value

    return parse


def parse_signal(text: str) -> str:
    """Return a signal's name without SIG, from ``HUP``, ``sighup`` or ``1``.

    Raises:
        ValueError: No such signal; names the nearest.
    """
    name = text.upper().removeprefix("SIG")
    if name.isdigit() and int(name) in signal.valid_signals():
        return signal.Signals(int(name)).name.removeprefix("SIG")
    if f"SIG{name}" in signal.Signals.__members__:
        return name
    nearest = did_you_mean(name, SIGNAL_NAMES)
    raise ValueError(f"{text!r} is no signal: {nearest or 'write TERM, HUP, USR1, ...'}")


def _parse_pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ValueError(f"{text!r} is no setting: write NAME=VALUE")
    return name, value


def _parse_scale(text: str) -> tuple[str, int]:
    name, equals, count = text.partition("=")
    if not equals or not name or not count.isdecimal():
        raise ValueError(f"{text!r} is no number of instances: write JOB=N")
    if int(count) < 1:
        raise ValueError(f"{text!r}: at least one; to have none: clawctl stop {name}")
    return name, int(count)


def _parse_json(text: str) -> object:
    try:
        return strict.parse(text)
    except ValueError as error:
        raise ValueError(f"that is no JSON: {error}") from None


def _parse_regex(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None


def _parse_past(text: str) -> datetime:
    return times.parse_past(text, clock.now())


def _past_text(text: str) -> str:
    _parse_past(text)
    return text


def _parse_future(text: str) -> datetime:
    return times.parse_future(text, clock.now())


SIGNAL_NAMES = tuple(one.name.removeprefix("SIG") for one in signal.Signals)

TEXT = Kind("TEXT")
TEXT_OR_FILE = Kind("TEXT", file_mark="@")
KEY = Kind("KEY")
JOB = Kind("JOB", completes="jobs")
TARGET = Kind("TARGET", completes="targets")
TARGET_OR_RUN = Kind("TARGET|RUN", completes="targets runs")
RUN = Kind("RUN", completes="runs")
BATCH = Kind("BATCH", completes="batches")
POOL = Kind("POOL", completes="pools")
JOB_OR_POOL = Kind("JOB|POOL", completes="jobs pools")
RUN_OR_BATCH = Kind("RUN|BATCH", completes="runs batches")
TARGET_RUN_OR_BATCH = Kind("TARGET|RUN|BATCH", completes="targets open batches")
DEAD = Kind("RUN", completes="dead")
PENDING = Kind("RUN|BATCH", completes="pending")
PRIORITY = _choice("LEVEL", *shapes.PRIORITIES)
ALERT_OR_JOB = Kind("ID|JOB", completes="alerts jobs")
SIGNAL = Kind("SIG", parse_signal, completes="signals")
DURATION = Kind("DURATION", units.parse_duration)
REGEX = Kind("RE", _parse_regex)
PAST = Kind("TIME", _parse_past)
PAST_TEXT = Kind("TIME", _past_text)  # as it stands: its zone is known later
FUTURE = Kind("TIME", _parse_future)
LINES = Kind("N", _parse_lines, schema={"type": "integer", "minimum": 0})
DELIVERY_STATE = _choice("STATE", *shapes.DELIVERY_STATES)
NUMBER = Kind("ID", _whole(1), completes="deliveries", schema={"type": "integer", "minimum": 1})
COUNT = Kind("N", _whole(1), schema={"type": "integer", "minimum": 1})
CURSOR = Kind("CURSOR", _whole(0), schema={"type": "integer", "minimum": 0})
DESCRIPTOR = Kind("N", _whole(0), schema={"type": "integer", "minimum": 0})
FILE = Kind("FILE", completes="files")
SETTING = Kind("NAME=VALUE", _parse_pair)
HOST = Kind("HOST")
FOLDER = Kind("DIR", completes="folders")
PLACE = Kind("PLACE", completes="folders")
BACKUP = Kind("BACKUP", completes="backups files")
TAG = Kind("TAG", completes="tags")
USER = Kind("USER", completes="users")
GROUP = Kind("GROUP", completes="groups")
CHANNEL = Kind("CHANNEL", completes="channels")
ALIAS = Kind("NAME", completes="aliases")
LOCK = Kind("LOCK", completes="locks")
IDEM_KEY = Kind("KEY", completes="keys")
TOKEN_ID = Kind("ID", completes="tokens")
EVENT = Kind("EVENT", completes="events")
CHANGE = Kind("KEY=VALUE", completes="settings")
SETTING_NAME = Kind("KEY", completes="fields")
WORD = Kind("CMD", completes="programs")
NAME = Kind("NAME")
SECRET = Kind("NAME", completes="secrets")
SCALE = Kind("JOB=N", _parse_scale, completes="jobs")
JSON = Kind("JSON", _parse_json)
CRON = Kind("EXPR")
ZONE = Kind("ZONE", completes="zones")
METHOD = Kind("METHOD", completes="methods")
EVENT_TYPE = Kind("TYPE", completes="types")
JOB_TYPE = _choice("TYPE", *shapes.JOB_TYPES)
JOB_STATE = _choice("STATE", *shapes.JOB_STATES)
RUN_STATE = _choice("STATE", *shapes.RUN_STATES)
INIT_SYSTEM = _choice("NAME", "systemd", "openrc", "runit", "s6", "launchd", "sysvinit")
WORKFLOW = Kind("NAME|ID", completes="workflows")
IMPORTED = _choice(
    "KIND", "crontab", "supervisord", "procfile", "systemd", "pm2", "compose",
    "process-compose", "procclaw", "openclaw", "launchd",
)  # fmt: skip
SHELL = _choice("SHELL", "bash", "zsh", "fish")
PAGE = Kind("PAGE", completes="pages")
ON = _choice("WHEN", "success", "failure", "complete")
ON_FAILURE = _choice("WHAT", "stop", "continue")
MILESTONE = _choice("STATE", "ready", "running", "stopped", "ended")
