"""A job of a loaded configuration as its table would have it written."""

from __future__ import annotations

from claw.cli.verbs.writtenvalues import duration, ladder, line, table
from claw.config import fields
from claw.config.keys.probe import HEALTH_KEYS_OF, READY_KEYS_OF
from claw.model.checks import ReadyType
from claw.model.dedup import Dedup
from claw.model.job import JobType, Overlap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from claw.config.table import Section
    from claw.model.checks import Health, Ready
    from claw.model.job import Job, Restart
    from claw.model.retry import Retry
    from claw.model.trigger import Trigger

    Table = dict[str, Any]

_SERVICES_LACK = (
    "max_instances", "on_overlap", "max_queued", "max_pending_approvals", "context",
    "context_limit", "output", "delivery", "retry", "approval",
)  # fmt: skip
_OF_RUNS = ("run_timeout", "delivery_guarantee", "skip_code", "checks", "dead_letter", "events")
_SCHEDULED, _TIMED = (JobType.SCHEDULED,), (JobType.SCHEDULED, JobType.ONESHOT)
_ONLY_FOR = {
    "schedule": _SCHEDULED,
    "catch_up": _SCHEDULED,
    "catch_up_window": _SCHEDULED,
    "error_backoff": _SCHEDULED,
    "timezone": _TIMED,
    "jitter": _TIMED,
    "delete_after_run": (JobType.ONESHOT,),
}
_PROGRAM = ("command", "argv", "shell")


def job(one: Job, defaults: Mapping[str, object]) -> Table:
    """Return a job's values by key; None: the key does not apply, or says nothing.

    Args:
        one: The job.
        defaults: What ``[defaults]`` says: of that a job may have to be freed.
    """
    shown = {
        **program(one),
        **table(one, fields.JOB),
        **program(one),
        "restart": _restart(one.restart) if one.type is JobType.CONTINUOUS else None,
        "log": table(one.log, fields.LOG),
        "output": table(one.output, fields.OUTPUT),
        "ready": _ready(one.ready),
        "health": None if one.health is None else _health(one.health),
        "resources": (
            table(one.resources, fields.RESOURCES) if one.resources.is_limited else None
        ),
        "watch": watch(one),
        "watchdog": None if one.watchdog is None else _watchdog(one),
        **tables(one, defaults),
        "defined_at": f"{one.file}:{one.line}",
    }
    return {**shown, **dict.fromkeys(without_meaning(one))}


def tables(one: Job, defaults: Mapping[str, object]) -> Table:
    """Return the tables in a job's that workflows may have, too; and `retry`."""
    none = {"preset": "none"} if "retry" in defaults else None
    free = {"required": False} if "approval" in defaults else None
    return {
        "dedup": None if one.dedup == Dedup() else table(one.dedup, fields.DEDUP),
        "retry": none if one.retry is None else retry(one.retry),
        "alerts": table(one.alerts, fields.ALERTS),
        "delivery": table(one.delivery, fields.DELIVERY),
        "approval": free if one.approval is None else table(one.approval, fields.APPROVAL),
        "sla": None if one.sla is None else table(one.sla, fields.SLA),
        "trigger": None if one.trigger is None else _trigger(one.trigger),
    }


def _trigger(one: Trigger) -> Table:
    several = {} if len(one.after) > 1 else {"join": None}
    return {**table(one, fields.TRIGGER), **several}


def program(one: Job) -> Table:
    """Return what a job runs: a command line, or word by word."""
    shell = one.argv[0] if one.uses_shell else None
    found = {"command": one.command or None, "argv": None, "shell": shell}
    if one.watchdog is not None:
        return {**found, "command": None}
    return found if one.command else {**found, "argv": list(one.argv)}


def without_meaning(one: Job) -> list[str]:
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
    if one.pool is None:
        lacking += ["on_pool_busy"]
    if not one.depends_on:
        lacking += ["on_dependency_restart", "on_dependency_failure"]
    if not one.ping:
        lacking += ["ping"]
    if one.reload_command:
        lacking += ["reload_signal"]
    return lacking


def _watchdog(one: Job) -> Table:
    found = table(one.watchdog, fields.WATCHDOG)
    return {**found, "check": one.command, "on_stuck": found["on_stuck"] or None}


def _restart(policy: Restart) -> Table:
    return {
        **table(policy, fields.RESTART),
        **ladder(policy.delays_s, policy.jitter),
    }


def retry(policy: Retry) -> Table:
    """Return a ladder as it is: none of it is left to a preset."""
    shown = {**table(policy, fields.RETRY), "delays": [duration(s) for s in policy.delays_s]}
    shown.pop("preset", None)
    if not policy.delays_s:
        shown = {"preset": "none", "no_retry_on": shown["no_retry_on"]}
    if policy.rate_limit is not None:
        shown["rate_limit"] = table(policy.rate_limit, fields.RATE_LIMIT)
    one_of_two = "retry_on" if policy.no_retry_on else "no_retry_on"
    return {**shown, one_of_two: None}


def _ready(ready: Ready) -> Table:
    shown = _of_type(ready, fields.READY, READY_KEYS_OF[ready.type])
    if ready.type is ReadyType.DELAY:
        shown["delay"] = duration(ready.delay_s)
    return shown


def _health(health: Health) -> Table:
    return _of_type(health, fields.HEALTH, HEALTH_KEYS_OF[health.type])


def _of_type(one: Ready | Health, section: Section, keys: Collection[str]) -> Table:
    """Return what of a check belongs to its type."""
    found = {
        **table(one.probe, section),
        **table(one, section),
        "command": line(one.probe.argv),
    }
    return {key: value for key, value in found.items() if key in keys}


def watch(one: Job) -> Table | None:
    """Return which files a job watches; of a service none counts that was there before."""
    if one.watch is None:
        return None
    return {
        **table(one.watch, fields.FILE_WATCH),
        "events": sorted(word.value for word in one.watch.events),
        "existing": _existing(one),
    }


def _existing(one: Job) -> str | None:
    if one.watch is None or one.type is JobType.CONTINUOUS:
        return None
    return "run" if one.watch.is_existing_new else "ignore"
