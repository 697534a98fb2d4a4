"""The keys of ``[jobs.X.ready]`` and ``[jobs.X.health]``, and the kinds of their values."""

import ipaddress
import re
from urllib.parse import urlsplit

from claw.config import kinds
from claw.config.command import COMMAND
from claw.config.kinds import Kind, argument, optional, plain, show, unlike
from claw.config.table import Applies, Field
from claw.model import reference
from claw.model.checks import HealthAction, HealthType, ReadyType

_SHORTEST_S = 0.1
_MOST_PORTS = 65535
_DOTS = 3
"""In an IPv4 address."""
_LONGEST_PATTERN = 1000
_INSTANCE = "${instance}"


def _url(value: object) -> str:
    text = argument(value).strip()
    problem = reference.problem(text)
    if problem:
        raise ValueError(problem)
    if reference.leads(text):  # the address itself is kept elsewhere
        return text
    shape = reference.blanked(text)
    try:
        parts = urlsplit(shape.replace(_INSTANCE, "1"))
        is_whole = parts.scheme in {"http", "https"} and bool(parts.hostname)
        _port_is_one = parts.port
        _check_host(parts.hostname or "")
    except ValueError as error:
        raise ValueError(f"{show(text)} is no URL: {error}") from None
    if not is_whole or any(
        letter.isspace() or letter < " " or letter == "\x7f" for letter in shape
    ):
        raise ValueError(
            f'{show(text)} is no URL: write one like "http://127.0.0.1:8000/health"'
        )
    return text


def _check_host(host: str) -> None:
    """See that a host can be looked for at all: whoever looks finds it out too late.

    Raises:
        ValueError: No address, and no name of a host.
    """
    if ":" in host:
        ipaddress.IPv6Address(host.partition("%")[0])
    elif re.fullmatch(r"[0-9.]*[0-9]", host) and host.count(".") == _DOTS:
        ipaddress.IPv4Address(host)
    else:
        try:
            host.encode("idna")
        except UnicodeError:
            raise ValueError("no host has such a name") from None


def _address(value: object) -> str:
    """Return HOST:PORT or a path; a number, or a port alone, is of this host."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = f":{value}"
    text = argument(value).strip().removeprefix("tcp://").removeprefix("unix:")
    if text.startswith("/"):
        return text
    host, colon, port = text.replace(_INSTANCE, "1").rpartition(":")
    is_port = port.isascii() and port.isdecimal() and 0 < int(port) <= _MOST_PORTS
    is_host = re.fullmatch(r"\[[0-9A-Fa-f:.%]+\]|[^\s:\[\]/]*", host) is not None
    if not colon or not is_port or not is_host:
        raise ValueError(
            f'{show(text)} is no address: write one like "127.0.0.1:5432", or the path of a'
            ' Unix socket, like "/run/app.sock"'
        )
    return text if host else f"127.0.0.1{text}"


def _pattern(value: object) -> str:
    text = plain(value)
    if not text or len(text) > _LONGEST_PATTERN:
        raise ValueError(f"1 to {_LONGEST_PATTERN} characters are expected")
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise ValueError(f"{show(text)} is no regular expression: {error}") from None
    return text


def _path(value: object) -> str:
    text = argument(value)
    if not text.strip():
        raise ValueError("empty: write the path of a file")
    return text


def _pause(value: object) -> float:
    seconds = kinds.DURATION.parse(value)
    if seconds < _SHORTEST_S:
        raise ValueError(f"{show(value)} is too short: at least 100ms")
    return seconds


def _age(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise unlike("a duration", value)
    return _pause(value)


URL = Kind(
    "URL",
    _url,
    {"type": "string", "pattern": r"^(https?://|\$\{(secret|env|credential|file):)"},
    refers=True,
)
ADDRESS = Kind("HOST:PORT, port or path", _address, {"type": ["string", "integer"]})
PATTERN = Kind("regular expression", _pattern, {"type": "string", "minLength": 1})
PATH = Kind("path", _path, {"type": "string", "minLength": 1})
PAUSE = Kind("duration", _pause, kinds.DURATION.schema)
AGE = Kind("duration", _age, kinds.DURATION.schema)

_URL_DOC = "With `http`: what to GET. Redirects are not followed, certificates not verified."
_STATUS_DOC = "With `http`: the status of a good answer."
_BODY_DOC = "With `http`: a text that a good answer holds within its first 64 KiB."
_ADDRESS_DOC = (
    'With `tcp`: what to connect to, like `"127.0.0.1:5432"`; a port alone is of this host, a'
    " path is that of a Unix socket."
)
_PATH_DOC = "With `file`: the file; a relative path starts from the job's `cwd`."
_COMMAND_DOC = (
    "With `exec`: a command as `command` of the job is, run as the job's user in its `cwd` and"
    " environment; exit status 0 is good."
)


class ReadyKeys:
    """When the job's process counts as ready: until then the job is `starting`."""

    type = Field(
        kinds.member_of(ReadyType),
        "none",
        "What tells: nothing; the process itself, by sd_notify(3) or by a newline on a"
        " descriptor (s6); its output; a probe from outside; or a time that has passed.",
    )
    timeout = Field(
        kinds.DURATION,
        "30s",
        "A process that is not ready by then is stopped, and that counts as a failure;"
        " 0: never. Not with `none` and `delay`.",
    )
    interval = Field(PAUSE, "1s", "Time between two probes of `tcp http file exec log`.")
    url = Field(optional(URL), None, _URL_DOC)
    expected_status = Field(kinds.integer(100, 599), 200, _STATUS_DOC)
    expected_body = Field(kinds.TEXT, "", _BODY_DOC)
    address = Field(optional(ADDRESS), None, _ADDRESS_DOC)
    path = Field(optional(PATH), None, _PATH_DOC)
    max_age = Field(
        optional(AGE),
        None,
        "With `file`: it has been written within so much time.",
        shown="since the process was started",
    )
    command = Field(optional(COMMAND), None, _COMMAND_DOC)
    pattern = Field(
        optional(PATTERN),
        None,
        "With `log`: a regular expression (Python's), searched in each line that the process"
        " writes.",
    )
    fd = Field(
        kinds.integer(3, 1023),
        3,
        "With `fd`: number of the descriptor on which the process writes a newline.",
    )
    delay = Field(
        optional(kinds.DURATION), None, "With `delay`: the process is ready after so much time."
    )


class HealthKeys:
    """Whether a job that is ready is well; a job without this table is not asked.

    A changed `command` or `watchdog` restarts a running service, the other keys do not.
    """

    type = Field(
        kinds.member_of(HealthType),
        "process",
        "What is looked at: the process itself, which must not stand still (SIGSTOP), an"
        " answer over HTTP, a port, the age of a file, or the exit status of a command.",
        applies=Applies.LIVE,
    )
    url = Field(optional(URL), None, _URL_DOC, applies=Applies.LIVE)
    expected_status = Field(kinds.integer(100, 599), 200, _STATUS_DOC, applies=Applies.LIVE)
    expected_body = Field(kinds.TEXT, "", _BODY_DOC, applies=Applies.LIVE)
    address = Field(optional(ADDRESS), None, _ADDRESS_DOC, applies=Applies.LIVE)
    path = Field(optional(PATH), None, _PATH_DOC, applies=Applies.LIVE)
    max_age = Field(
        AGE,
        "120s",
        "With `file`: it has been written within so much time.",
        applies=Applies.LIVE,
    )
    command = Field(optional(COMMAND), None, _COMMAND_DOC)
    interval = Field(PAUSE, "30s", "Time between two checks.", applies=Applies.LIVE)
    timeout = Field(PAUSE, "10s", "A check that takes longer has failed.", applies=Applies.LIVE)
    start_period = Field(
        kinds.DURATION,
        "20s",
        "Time from readiness to the first check.",
        applies=Applies.LIVE,
    )
    failures = Field(
        kinds.integer(1, 1000),
        3,
        "So many checks in a row must fail before the job is `unhealthy`.",
        applies=Applies.LIVE,
    )
    action = Field(
        kinds.member_of(HealthAction),
        "restart",
        "What is done then: the process is stopped, which counts as a failure, or an alert is"
        " raised.",
        applies=Applies.LIVE,
    )
    watchdog = Field(
        kinds.DURATION,
        "0",
        "With any type: the process says `WATCHDOG=1` by sd_notify(3) at least so often, or is"
        " stopped (SIGABRT first), which counts as a failure; 0: it need not.",
    )


COMMON = frozenset({"type", "interval", "timeout"})
_PROBES = {
    "http": ("url", "expected_status", "expected_body"),
    "tcp": ("address",),
    "file": ("path", "max_age"),
    "exec": ("command",),
}
READY_KEYS_OF: dict[str, frozenset[str]] = {
    "none": frozenset({"type"}),
    "delay": frozenset({"type", "delay"}),
    "notify": frozenset({"type", "timeout"}),
    "fd": frozenset({"type", "timeout", "fd"}),
    "log": COMMON | {"pattern"},
    **{kind: COMMON | set(keys) for kind, keys in _PROBES.items()},
}
"""The keys that each type of readiness takes."""

_HEALTH_COMMON = COMMON | {"start_period", "failures", "action", "watchdog"}
HEALTH_KEYS_OF: dict[str, frozenset[str]] = {
    "process": _HEALTH_COMMON,
    **{kind: _HEALTH_COMMON | set(keys) for kind, keys in _PROBES.items()},
}
"""The keys that each type of health check takes."""

NEEDED = {
    "http": ("url", '"http://127.0.0.1:8000/health"'),
    "tcp": ("address", '"127.0.0.1:5432"'),
    "file": ("path", '"/run/app.pid"'),
    "exec": ("command", '"./check.sh"'),
    "log": ("pattern", '"^listening on"'),
    "delay": ("delay", '"5s"'),
}
"""The key that a type cannot do without, with an example."""
