"""Facts: what one line of a supervisor's journal says, as a value.

A line that is torn, of another shape, or of an event unknown to this version yields no
fact and changes nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from claw.model.checks import HEALTHY, UNHEALTHY
from claw.model.values import quick

OUT_OF_MEMORY = "resources: the kernel killed it at its limit of memory"
LEFT_RUNNING = "left running by its kill_mode"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """The supervisor lives: the first line of every journal."""

    at: datetime
    run: str
    attempt: int
    job: str
    cause: str
    origin: str
    origin_key: str
    slot: datetime | None
    kind: str  # "service" | "once"
    boot: str
    pid: int
    start: int
    version: str
    instance: int | None = None


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A child is about to execute the command."""

    at: datetime
    attempt: int
    pid: int | None  # None: nobody can tell any more
    start: int | None
    ready: str = "none"  # how it will be known to be ready


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The child serves: it said so, was found to, or has lived for a moment."""

    at: datetime
    attempt: int
    by: str  # the kind of readiness


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A check has found the service well, or not any more."""

    at: datetime
    attempt: int
    state: str  # healthy | unhealthy
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The child says how it is (sd_notify(3), STATUS)."""

    at: datetime
    attempt: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Main:
    """Another process of the tree is the child from now on (sd_notify(3), MAINPID)."""

    at: datetime
    attempt: int
    pid: int
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpawnFailed:
    """A child could not be made to execute the command."""

    at: datetime
    attempt: int
    stage: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something about a child that people should know."""

    at: datetime
    attempt: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopping:
    """Somebody, or a time limit, asked for the child's end."""

    at: datetime
    attempt: int
    why: str
    by: str
    text: str = ""  # more about it, for people


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Exited:
    """A child has ended; ``code`` and ``signal`` both None: its status is unknown."""

    at: datetime
    attempt: int
    code: int | None
    signal: int | None
    timed_out: bool
    cpu_time_s: float | None
    max_memory_bytes: int | None
    dropped_bytes: int
    out_of_memory: bool = False  # the kernel killed it, or a part of it, at its limit
    survivors: tuple[str, ...] = ()  # "pid command" of what would not die
    left: tuple[str, ...] = ()  # and of what kill_mode leaves running

    @property
    def aftermath(self) -> list[str]:
        """What is worth saying beside how it ended, for people."""
        found = {
            OUT_OF_MEMORY: self.out_of_memory,
            f"{LEFT_RUNNING}: {', '.join(self.left)}": self.left,
            f"it left behind {', '.join(self.survivors)}": self.survivors,
        }
        return [text for text, is_so in found.items() if is_so]


@dataclass(frozen=True, slots=True, kw_only=True)
class Restarting:
    """The next child of a service starts after a wait."""

    at: datetime
    attempt: int  # the coming one
    until: datetime
    restarts: int


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The supervisor is done with its run: the last line of a whole journal."""

    at: datetime
    attempt: int
    why: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """A launch that waited for its time is not to begin any more, and nothing has."""

    at: datetime
    attempt: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """A replacement supervisor goes on with the same journal."""

    at: datetime
    pid: int
    start: int


Fact = (
    Launched
    | Started
    | Ready
    | Note
    | Health
    | Status
    | Main
    | SpawnFailed
    | Stopping
    | Exited
    | Restarting
    | Ended
    | Withdrawn
    | TakenOver
)
Line = Mapping[str, object]
_TOO_BIG = 1 << 63
_NUMBERS = frozenset({int, float})
"""The types of numbers that JSON has; bool is another."""


def parse(line: Line) -> Fact | None:
    """Return what a journal line says, or None when it says nothing that is known."""
    maker = _MAKERS.get(str(line.get("ev")))
    if maker is None:
        return None
    try:
        return maker(line)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None  # OSError: a time that is no time at all, from fromtimestamp


def _time(line: Line, key: str = "at") -> datetime:
    value = line[key]
    if type(value) not in _NUMBERS:
        raise TypeError(key)
    return datetime.fromtimestamp(value, UTC)  # type: ignore[arg-type]


def _int(line: Line, key: str) -> int:
    value = line[key]
    if type(value) is int and -_TOO_BIG < value < _TOO_BIG:
        return value
    raise ValueError(key)


def _optional_int(line: Line, key: str) -> int | None:
    return _int(line, key) if line.get(key) is not None else None


def _text(line: Line, key: str) -> str:
    value = line.get(key)
    if not isinstance(value, str):
        return ""
    # A path that is no UTF-8 arrives with lone surrogates, which no database takes.
    return value if value.isascii() else value.encode("utf-8", "replace").decode()


def _texts(line: Line, key: str) -> tuple[str, ...]:
    values = line.get(key)
    return tuple(map(str, values)) if isinstance(values, list) else ()


def _name(line: Line, key: str) -> str:
    value = _text(line, key)
    if not value:
        raise ValueError(key)
    return value


def _slot(line: Line) -> datetime | None:
    text = _text(line, "slot")
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _launched(line: Line) -> Launched:
    return Launched(
        at=_time(line),
        run=_name(line, "run"),
        attempt=_int(line, "attempt"),
        job=_name(line, "job"),
        cause=_text(line, "cause") or "start",
        origin=_text(line, "origin"),
        origin_key=_text(line, "origin_key"),
        slot=_slot(line),
        kind=_text(line, "kind") or "once",
        boot=_text(line, "boot"),
        pid=_int(line, "pid"),
        start=_int(line, "start"),
        version=_text(line, "version"),
        instance=_optional_int(line, "instance"),
    )


def _started(line: Line) -> Started:
    return Started(
        at=_time(line),
        attempt=_int(line, "attempt"),
        pid=_optional_int(line, "pid") or None,
        start=_optional_int(line, "start") or None,
        ready=_text(line, "ready") or "none",
    )


def _ready(line: Line) -> Ready:
    by = _text(line, "by") or "none"
    return Ready(at=_time(line), attempt=_int(line, "attempt"), by=by)


def _note(line: Line) -> Note:
    return Note(at=_time(line), attempt=_int(line, "attempt"), text=_name(line, "text"))


def _health(line: Line) -> Health:
    state = _name(line, "state")
    if state not in {HEALTHY, UNHEALTHY}:
        raise ValueError(state)
    number, why = _int(line, "attempt"), _text(line, "why")
    return Health(at=_time(line), attempt=number, state=state, why=why)


def _status(line: Line) -> Status:
    return Status(at=_time(line), attempt=_int(line, "attempt"), text=_text(line, "text"))


def _main(line: Line) -> Main:
    number, pid, start = (_int(line, key) for key in ("attempt", "pid", "start"))
    return Main(at=_time(line), attempt=number, pid=pid, start=start)


def _spawn_failed(line: Line) -> SpawnFailed:
    return SpawnFailed(
        at=_time(line),
        attempt=_int(line, "attempt"),
        stage=_text(line, "stage"),
        error=_text(line, "error"),
    )


def _stopping(line: Line) -> Stopping:
    return Stopping(
        at=_time(line),
        attempt=_int(line, "attempt"),
        why=_text(line, "why") or "stop",
        by=_text(line, "by"),
        text=_text(line, "text"),
    )


def _exited(line: Line) -> Exited:
    cpu = line.get("cpu_s")
    return Exited(
        at=_time(line),
        attempt=_int(line, "attempt"),
        code=_optional_int(line, "code"),
        signal=_optional_int(line, "signal"),
        timed_out=line.get("timed_out") is True,
        cpu_time_s=float(cpu) if isinstance(cpu, int | float) else None,
        max_memory_bytes=_optional_int(line, "max_rss"),
        dropped_bytes=_optional_int(line, "dropped") or 0,
        out_of_memory=line.get("oom") is True,
        survivors=_texts(line, "survivors"),
        left=_texts(line, "left"),
    )


def _restarting(line: Line) -> Restarting:
    return Restarting(
        at=_time(line),
        attempt=_int(line, "attempt"),
        until=_time(line, "until"),
        restarts=_int(line, "restarts"),
    )


def _ended(line: Line) -> Ended:
    return Ended(
        at=_time(line),
        attempt=_int(line, "attempt"),
        why=_text(line, "why") or "exit",
        by=_text(line, "by"),
    )


def _withdrawn(line: Line) -> Withdrawn:
    return Withdrawn(at=_time(line), attempt=_int(line, "attempt"), why=_text(line, "why"))


def _taken_over(line: Line) -> TakenOver:
    return TakenOver(at=_time(line), pid=_int(line, "pid"), start=_int(line, "start"))


_MAKERS: dict[str, Callable[[Line], Fact]] = {
    "launch": _launched,
    "started": _started,
    "ready": _ready,
    "note": _note,
    "health": _health,
    "status": _status,
    "main": _main,
    "spawn_failed": _spawn_failed,
    "stopping": _stopping,
    "exited": _exited,
    "restarting": _restarting,
    "ended": _ended,
    "withdrawn": _withdrawn,
    "taken_over": _taken_over,
}
