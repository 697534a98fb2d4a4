"""The values of a table of the configuration, as its keys take them."""

from __future__ import annotations

import shlex
import signal
from dataclasses import asdict
from datetime import date, datetime, time
from enum import Enum

from claw.model import backoff
from claw.model.listener import Listener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from claw.config.table import Section
    from claw.model.graph import Dependency
    from claw.model.pool import PoolUse
    from claw.model.timing import Hours

    Table = dict[str, Any]

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def table(values: object, section: Section) -> Table:
    """Return the values of one table by key."""
    shown = {}
    for key, field in section.fields.items():
        for attr in (field.attr, f"{field.attr}_s"):
            if hasattr(values, attr):
                shown[key] = _value(key, getattr(values, attr), is_time=attr.endswith("_s"))
    return shown


def _value(key: str, value: Any, *, is_time: bool) -> Any:
    if is_time and isinstance(value, int | float):
        return duration(value)
    if key in _WRITERS:
        return _WRITERS[key](value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, tuple | frozenset):
        return list(value) if isinstance(value, tuple) else sorted(value)
    return value


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:  # a real-time signal that has no name of its own
        return f"RTMIN+{number - signal.SIGRTMIN}"


def _limits(limits: tuple[tuple[str, int, int], ...]) -> Table:
    amounts = {name: (_amount(soft), _amount(hard)) for name, soft, hard in limits}
    return {
        name: soft if soft == hard else f"{soft}:{hard}"
        for name, (soft, hard) in amounts.items()
    }


def _amount(limit: int) -> int | str:
    return "unlimited" if limit < 0 else limit


def line(argv: tuple[str, ...]) -> str | None:
    """Return a command line that is executed so: that of the usual shell is its third word."""
    if len(argv) == _SHELL_WORDS and argv[:2] == _SHELL and argv[0] == argv[3]:
        return argv[2]
    return shlex.join(argv) if argv else None


_SHELL_WORDS = 4
_SHELL = ("/bin/sh", "-c")
_WRITERS: dict[str, Callable[[Any], Any]] = {
    "error_budget": lambda budget: budget and asdict(budget),
    "checks": lambda checks: [
        {"match": one.match, "stream": one.stream, "then": one.then.value} for one in checks
    ],
    "depends_on": lambda entries: [_dependency(one) for one in entries],
    "umask": "{:04o}".format,
    "mode": lambda mode: f"{mode:04o}" if isinstance(mode, int) else str(mode),
    "stop_signal": _signal_name,
    "stop_command": line,
    "reload_signal": _signal_name,
    "reload_command": line,
    "limits": _limits,
    "priority": lambda priority: priority.name.lower(),
    "hours": lambda hours: hours and _hours(hours),
    "env": dict,
    "when": lambda when: when and when.text,
    "headers": dict,
    "pool": lambda pool: pool and _pool(pool),
    "sockets": lambda sockets: {one.name: _socket(one) for one in sockets},
}


def _pool(pool: PoolUse) -> str | Table:
    return pool.name if pool.slots == 1 else asdict(pool)


def _hours(hours: Hours) -> Table:
    return {
        "days": hours.days,
        "from": f"{hours.begin[0]:02}:{hours.begin[1]:02}",
        "to": f"{hours.end[0]:02}:{hours.end[1]:02}",
        "timezone": hours.timezone,
        "outside": hours.outside.value,
    }


def _socket(one: Listener) -> str | Table:
    usual = Listener(name=one.name, address=one.address)
    shown: Table = {"address": one.address}
    for key in ("owner", "group", "backlog"):
        if getattr(one, key) != getattr(usual, key):
            shown[key] = getattr(one, key)
    if one.mode != usual.mode:
        shown["mode"] = f"{one.mode:04o}"
    return shown if len(shown) > 1 else one.address


def _dependency(one: Dependency) -> Table:
    return {
        "job": one.job,
        "condition": one.condition.value,
        "timeout": duration(one.timeout_s),
    }


def duration(seconds: float) -> str:
    """Return a duration exactly, as the configuration takes it: ``1h30m``, ``0.5s``."""
    left = int(seconds)
    if left != seconds:
        return f"{seconds!r}s"
    parts = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def ladder(delays_s: tuple[float, ...], jitter: float) -> Table:
    """Return a ladder of delays by its preset, if it is one."""
    known = ((name, one) for name, one in backoff.PRESETS.items())
    preset = next((name for name, one in known if one == (delays_s, jitter)), None)
    return {"preset": preset, "delays": None if preset else [duration(s) for s in delays_s]}


def plain(value: object) -> Any:
    """Return what a file says as JSON has it: without dates and times of TOML's own."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value.isoformat() if isinstance(value, date | datetime | time) else value
