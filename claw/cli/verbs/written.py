"""A loaded configuration as files would have it written, every value spelled out."""

from __future__ import annotations

import shlex
import signal
from dataclasses import asdict
from datetime import datetime
from enum import Enum

from claw.config import fields
from claw.model import backoff
from claw.model.job import JobType, Overlap
from claw.model.listener import Listener

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from claw.config.table import Section
    from claw.model.graph import Dependency
    from claw.model.job import Config, Job, Restart
    from claw.model.retry import Retry
    from claw.model.timing import Hours
    from claw.model.watching import FileWatch

    Table = dict[str, Any]

_SERVICES_LACK = ("max_instances", "on_overlap", "max_queued", "max_pending_approvals")
_OF_RUNS = ("run_timeout", "delivery_guarantee", "skip_code", "checks", "dead_letter", "events")
_SCHEDULED, _TIMED = (JobType.SCHEDULED,), (JobType.SCHEDULED, JobType.ONESHOT)
_ONLY_FOR = {
    "schedule": _SCHEDULED,
    "catch_up": _SCHEDULED,
    "error_backoff": _SCHEDULED,
    "timezone": _TIMED,
    "jitter": _TIMED,
    "delete_after_run": (JobType.ONESHOT,),
}
_PROGRAM = ("command", "argv", "shell")
_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def configuration(config: Config) -> Table:
    """Return a configuration as ``config show --json`` prints it.

    A key that does not apply, or that is left to its default in words, is None.
    """
    return {
        "files": list(config.files),
        "daemon": {
            **_table(config.daemon, fields.DAEMON),
            "control": _table(config.daemon, fields.CONTROL),
            "retention": _table(config.daemon, fields.RETENTION),
        },
        "jobs": {one.name: job(one) for one in config.jobs},
    }


def job(one: Job) -> Table:
    """Return a job's values by key."""
    values = _table(one, fields.JOB)
    for key in _PROGRAM:
        values.pop(key, None)
    for key in _without_meaning(one):
        values[key] = None
    return {
        **_program(one),
        **values,
        "restart": _restart(one.restart) if one.type is JobType.CONTINUOUS else None,
        "log": _table(one.log, fields.LOG),
        "output": (
            None if one.type is JobType.CONTINUOUS else _table(one.output, fields.OUTPUT)
        ),
        "resources": (
            _table(one.resources, fields.RESOURCES) if one.resources.is_limited else None
        ),
        "retry": _retry(one.retry),
        "alerts": None if one.alerts.on is None else {"on": sorted(one.alerts.on)},
        "approval": None if one.approval is None else _table(one.approval, fields.APPROVAL),
        "sla": None if one.sla is None else _table(one.sla, fields.SLA),
        "watch": None if one.watch is None else _watch(one.watch, one.type),
        "watchdog": None if one.watchdog is None else _watchdog(one),
        "defined_at": f"{one.file}:{one.line}",
    }


def _watchdog(one: Job) -> Table:
    table = _table(one.watchdog, fields.WATCHDOG)
    return {**table, "check": one.command, "on_stuck": table["on_stuck"] or None}


def _program(one: Job) -> Table:
    if one.watchdog is not None:
        shell = one.argv[0] if one.uses_shell else None
        return {"command": None, "argv": None, "shell": shell}
    if not one.command:
        return {"command": None, "argv": list(one.argv), "shell": None}
    shell = one.argv[0] if one.uses_shell else None
    return {"command": one.command, "argv": None, "shell": shell}


def _without_meaning(one: Job) -> list[str]:
    """Return the keys that such a job may not have."""
    lacking = [key for key, types in _ONLY_FOR.items() if one.type not in types]
    if one.type is JobType.CONTINUOUS:
        lacking += [*_SERVICES_LACK, *_OF_RUNS]
    else:
        lacking += ["autostart", "instances"]
    if one.on_overlap is not Overlap.QUEUE:
        lacking += ["max_queued"]
    if one.watchdog is not None:
        lacking += ["success_codes", "skip_code"]
    if not one.depends_on:
        lacking += ["on_dependency_restart", "on_dependency_failure"]
    if not one.ping:
        lacking += ["ping"]
    if one.reload_command:
        lacking += ["reload_signal"]
    return lacking


def _restart(policy: Restart) -> Table:
    ladder = (policy.delays_s, policy.jitter)
    preset = next((name for name, known in backoff.PRESETS.items() if known == ladder), None)
    delays = None if preset else [duration(delay_s) for delay_s in policy.delays_s]
    return {**_table(policy, fields.RESTART), "preset": preset, "delays": delays}


def _retry(policy: Retry | None) -> Table | None:
    """Return a ladder as it is: none of it is left to a preset."""
    if policy is None:
        return None
    shown = {**_table(policy, fields.RETRY), "delays": [duration(s) for s in policy.delays_s]}
    shown.pop("preset", None)
    if not policy.delays_s:
        shown = {"preset": "none", "no_retry_on": shown["no_retry_on"]}
    if policy.rate_limit is not None:
        shown["rate_limit"] = _table(policy.rate_limit, fields.RATE_LIMIT)
    one_of_two = "retry_on" if policy.no_retry_on else "no_retry_on"
    return {**shown, one_of_two: None}


def _watch(watch: FileWatch, kind: JobType) -> Table:
    """Return what a job watches; of a service nothing counts as new that was there before."""
    shown = {
        **_table(watch, fields.FILE_WATCH),
        "events": sorted(word.value for word in watch.events),
        "existing": "run" if watch.is_existing_new else "ignore",
    }
    if kind is JobType.CONTINUOUS:
        shown.pop("existing")
    return shown


def _table(values: object, section: Section) -> Table:
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
    return list(value) if isinstance(value, tuple) else value


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


def _line(argv: tuple[str, ...]) -> str | None:
    """Return a command line that is executed so: a shell's is its third word."""
    if len(argv) == _SHELL_WORDS and argv[0] == argv[3] and argv[1] == "-c":
        return argv[2]
    return shlex.join(argv) if argv else None


_SHELL_WORDS = 4
_WRITERS: dict[str, Callable[[Any], Any]] = {
    "error_budget": lambda budget: budget and asdict(budget),
    "checks": lambda checks: [
        {"match": one.match, "stream": one.stream, "then": one.then.value} for one in checks
    ],
    "depends_on": lambda entries: [_dependency(one) for one in entries],
    "umask": "{:04o}".format,
    "mode": "{:04o}".format,
    "stop_signal": _signal_name,
    "stop_command": _line,
    "reload_signal": _signal_name,
    "reload_command": _line,
    "limits": _limits,
    "priority": lambda priority: priority.name.lower(),
    "hours": lambda hours: hours and _hours(hours),
    "env": dict,
    "sockets": lambda sockets: {one.name: _socket(one) for one in sockets},
}


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
