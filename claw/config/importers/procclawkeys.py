"""The keys of a job of ProcClaw: what each is in claw, or why it is nothing there."""

import os.path
import re
from collections.abc import Callable, Mapping

from claw.config.importers import quoting, values
from claw.config.importers.imported import Draft
from claw.config.importers.values import (
    Table,
    duration,
    is_true,
    items,
    number,
    seconds,
    table,
    text,
    texts,
)
from claw.model.units import parse_size

Tell = Callable[[str, str], None]

_ZONE = "America/Sao_Paulo"
_PRIORITIES = ("critical", "high", "normal", "low")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ALERTS = {
    "on_failure": ("failed", "timed_out", "crashed"),
    "on_max_retries": ("retries_exhausted",),
    "on_health_fail": ("unhealthy",),
    "on_recovered": ("recovered",),
}
_REFERENCE = re.compile(r"\$\{(secret|env):([A-Za-z0-9_.-]+)\}")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))")
_CARRIED = frozenset(
    {
        "id", "name", "cmd", "description", "cwd", "env", "type", "enabled", "tags", "priority",
        "queue", "schedule", "run_at", "timezone", "on_overlap", "retry", "shutdown",
        "health_check", "log", "alerts", "depends_on", "operating_hours", "resources", "dedup",
        "concurrency", "lock", "trigger", "sla",
    }
)  # fmt: skip
_LEFT_OUT = {
    "session_triggers": "left out: claw speaks to no agent yet; see [[hooks]] in"
    " docs/notifications.md",
    "self_healing": "left out: claw changes no job by itself",
    "model": "left out: it is an agent's",
    "thinking": "left out: it is an agent's",
    "steps": "left out: only a chain has them",
    "jobs": "left out: only a group has them",
    "callback": "left out: only a chord has one",
}


def put_all(job: Draft, found: Table, kind: str, tell: Tell) -> None:
    """Carry over all keys but ``depends_on``."""
    is_service = kind == "continuous"
    title = text(found.get("name"))
    if title and title != job.name:
        job.table["name"] = title
    if found.get("description"):
        job.table["description"] = text(found["description"]).strip()
    _put_program(job, found, tell)
    _put_plain(job, found, tell, is_service=is_service)
    _put_times(job, found, kind, tell)
    _put_retry(job, table(found.get("retry")), tell, is_service=is_service)
    _put_stop(job, table(found.get("shutdown")))
    _put_health(job, table(found.get("health_check")), tell, is_service=is_service)
    _put_log(job, table(found.get("log")), tell)
    _put_alerts(job, table(found.get("alerts")), tell)
    _put_bounds(job, found, tell, is_service=is_service)
    _put_hours(job, table(found.get("operating_hours")), tell, is_service=is_service)
    _put_trigger(job, table(found.get("trigger")), tell, is_service=is_service)
    _put_sla(job, table(found.get("sla")), tell)
    for key in found:
        if key not in _CARRIED:
            why = "left out: ProcClaw does not know it either, and passes it over: misspelt?"
            tell(text(key), _LEFT_OUT.get(text(key), why))


# -- what it runs ------------------------------------------------------------------------------


def _put_program(job: Draft, found: Table, tell: Tell) -> None:
    command = text(found["cmd"]).strip()
    env: dict[str, object] = {
        name: _VARIABLE.sub(lambda one: f"${{env:{one[1] or one[2]}}}", value)
        for name, value in values.environment(found.get("env")).items()
    }
    job.table["command"] = _REFERENCE.sub(lambda one: f"${{{_variable(one[2])}}}", command)
    job.table["shell"] = "/bin/bash"
    _put_references(job, command, env, tell)
    if "PROCCLAW_" in command:
        tell("cmd", "PROCCLAW_JOB_ID and the like are CLAW_JOB and CLAW_RUN_ID here")
    if env:
        job.table["env"] = env
    folder = text(found.get("cwd"))
    if folder:
        job.table["cwd"] = os.path.expanduser(folder)  # noqa: PTH111
    placeholder = quoting.placeholder_in(command)
    if placeholder:
        job.disable()
        tell("cmd", f"{placeholder} is a template's: fill it in, and remove enabled = false")


def _variable(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", name)


def _put_references(job: Draft, command: str, env: dict[str, object], tell: Tell) -> None:
    """Have what a command refers to in its environment: claw's own commands are public."""
    found = _REFERENCE.findall(command)
    names = [_variable(name) for kind, name in found if kind == "env"]
    if names:
        job.table["inherit_env"] = ["PATH", "LANG", "TZ", *dict.fromkeys(names)]
    for kind, name in found:
        if kind == "secret":
            env[_variable(name)] = f"${{secret:{name}}}"
            tell("cmd", f"${{secret:{name}}} is a variable now; as an argument all see it (ps)")


def _put_plain(job: Draft, found: Table, tell: Tell, *, is_service: bool) -> None:
    if not is_true(found.get("enabled", True)):
        job.disable()
    tags = texts(found.get("tags"))
    if tags:
        job.table["tags"] = tags
    level = number(found.get("priority"))
    if level is not None and 0 <= level < len(_PRIORITIES) and level != 2:  # noqa: PLR2004
        job.table["priority"] = _PRIORITIES[level]
    queue = text(found.get("queue"))
    if queue and not is_service:
        job.table["lock"] = queue
        tell("queue", f"{queue}: a lock of that name: its jobs run one after the other")
    if is_true(table(found.get("lock")).get("enabled")):
        if "lock" in job.table:
            tell("lock", "left out: the queue is its lock already")
        else:
            job.table["lock"] = job.name


def _put_times(job: Draft, found: Table, kind: str, tell: Tell) -> None:
    zone = text(found.get("timezone")) or _ZONE
    if kind == "continuous":
        job.table["type"] = "continuous"
        return
    schedule, moment = text(found.get("schedule")), text(found.get("run_at"))
    if schedule:
        job.table |= {"schedule": schedule, "timezone": zone}
        overlap = text(found.get("on_overlap"))
        job.table |= {"on_overlap": overlap} if overlap and overlap != "skip" else {}
    elif moment:
        job.table |= {"run_at": moment, "timezone": zone}
    else:
        job.table["type"] = "manual"
    if (schedule or moment) and not found.get("timezone"):
        tell("timezone", f"not said: ProcClaw takes {_ZONE}, whatever the host has")
    if kind == "manual" and (schedule or moment):
        job.disable()
        tell("type", "not scheduled, so ProcClaw never begins it by its time: it is disabled")
    if kind == "openclaw":
        tell("type", "openclaw: its session and transcript are not kept")


# -- how it ends -------------------------------------------------------------------------------


def _put_retry(job: Draft, retry: Table, tell: Tell, *, is_service: bool) -> None:
    is_on = is_true(retry.get("enabled", True))
    preset = text(retry.get("preset")) or "webhook"
    delays = [one for one in map(seconds, items(retry.get("delays"))) if one is not None]
    ladder: dict[str, object] = (
        {"delays": [duration(one) for one in delays]} if delays else {"preset": preset}
    )
    if is_service:
        job.table["restart"] = ladder if is_on else {"policy": "never"}
        if is_on and retry.get("max_attempts") is not None:
            tell("retry.max_attempts", "left out: a service is never given up; see start_limit")
        return
    if not is_on:
        return
    ladder["max_attempts"] = number(retry.get("max_attempts")) or 5
    slower = [one for one in map(seconds, items(retry.get("rate_limit_delays"))) if one]
    most = number(retry.get("rate_limit_max_attempts"))
    if slower or most:
        limit: dict[str, object] = {}
        limit |= {"delays": [duration(one) for one in slower]} if slower else {}
        limit |= {"max_attempts": most} if most else {}
        ladder["rate_limit"] = limit
    job.table["retry"] = ladder


def _put_stop(job: Draft, shutdown: Table) -> None:
    grace = seconds(shutdown.get("grace_period"))
    job.table["grace_period"] = duration(60 if grace is None else grace)
    signal = text(shutdown.get("signal")).upper().removeprefix("SIG")
    if signal and signal != "TERM":
        job.table["stop_signal"] = signal


def _put_health(job: Draft, check: Table, tell: Tell, *, is_service: bool) -> None:
    kind = text(check.get("type")) or "process"
    if not check or kind == "none":
        return
    if not is_service:
        tell("health_check", "left out: it is for services")
        return
    health: dict[str, object] = {
        "type": kind,
        "interval": duration(seconds(check.get("interval")) or 60),
        "timeout": duration(seconds(check.get("timeout")) or 10),
        "action": "alert",
    }
    if kind == "http":
        health["url"] = text(check.get("url"))
        status = number(check.get("expected_status"))
        health |= {"expected_status": status} if status else {}
        if check.get("expected_body"):
            health["expected_body"] = text(check["expected_body"])
        if text(check.get("method")).upper() not in {"", "GET"}:
            tell("health_check.method", "claw asks with GET")
    elif kind == "file":
        health["path"] = text(check.get("path"))
        health["max_age"] = duration(seconds(check.get("max_age")) or 120)
    job.table["health"] = health


def _put_log(job: Draft, log: Table, tell: Tell) -> None:
    found: dict[str, object] = {}
    size = text(log.get("max_size"))
    if size:
        try:
            parse_size(size)
        except ValueError:
            tell("log.max_size", f"{size} is no size: left out")
        else:
            found["max_size"] = size
    keep = number(log.get("rotate"))
    found |= {"keep": keep} if keep else {}
    for key in ("stdout", "stderr"):
        if log.get(key):
            tell(f"log.{key}", f"{text(log[key])} is not written: claw keeps the output itself,"
                 " `clawctl logs`")  # fmt: skip
    if found:
        job.table["log"] = found


def _put_alerts(job: Draft, alerts: Table, tell: Tell) -> None:
    if not alerts:
        return
    asked = {"on_failure": True, "on_max_retries": True, **alerts}
    names = [one for key, words in _ALERTS.items() if is_true(asked.get(key)) for one in words]
    job.table["alerts"] = {"on": names}
    if is_true(alerts.get("on_restart")):
        tell("alerts.on_restart", "left out: a restart is an event: see [[hooks]]")
    channels = texts(alerts.get("channels"))
    if channels:
        shown = ", ".join(channels)
        tell(
            "alerts.channels", f"{shown}: left out: define a channel, and write alerts.channel"
        )


# -- bounds ------------------------------------------------------------------------------------


def _put_bounds(job: Draft, found: Table, tell: Tell, *, is_service: bool) -> None:
    bounds = table(found.get("resources"))
    if is_true(bounds.get("enabled")):
        resources: dict[str, object] = {}
        memory, cpu = (
            number(bounds.get("max_memory_mb")),
            seconds(bounds.get("max_cpu_percent")),
        )
        resources |= {"memory": f"{memory}M"} if memory else {}
        resources |= {"cpu": cpu / 100} if cpu else {}
        if resources:
            job.table["resources"] = {
                **resources,
                "action": text(bounds.get("action")) or "warn",
            }
        limit = seconds(bounds.get("timeout_seconds"))
        job.table |= {"timeout": duration(limit)} if limit else {}
    dedup = table(found.get("dedup"))
    if dedup and is_true(dedup.get("enabled", True)) and not is_service:
        job.table["dedup"] = {"window": duration(seconds(dedup.get("window_seconds")) or 60)}
        if not is_true(dedup.get("use_params", True)):
            job.part("dedup")["key"] = job.name
    together = table(found.get("concurrency"))
    most = number(together.get("max_instances"))
    if most and most > 1 and not is_service:
        job.table["max_instances"] = most
    if together and "schedule" in job.table and is_true(together.get("queue_excess", True)):
        job.table.setdefault("on_overlap", "queue")
    if together.get("queue_timeout") is not None:
        tell("concurrency.queue_timeout", "left out: what waits in claw's queue waits")


def _put_hours(job: Draft, hours: Table, tell: Tell, *, is_service: bool) -> None:
    if not is_true(hours.get("enabled")):
        return
    if is_service:
        tell(
            "operating_hours", "left out: a service runs always; write a schedule that stops it"
        )
        return
    days = [one for one in map(number, items(hours.get("days") or [1, 2, 3, 4, 5])) if one]
    names = [_DAYS[(one - 1) % 7] for one in days]
    action = text(hours.get("action")) or "skip"
    job.table["hours"] = {
        "days": ",".join(names),
        "from": text(hours.get("start")) or "08:00",
        "to": text(hours.get("end")) or "18:00",
        "timezone": text(hours.get("timezone")) or _ZONE,
        "outside": "skip" if action == "pause" else action,
    }
    if action == "pause":
        tell("operating_hours.action", "pause: skips, as it does in ProcClaw")


def _put_trigger(job: Draft, trigger: Table, tell: Tell, *, is_service: bool) -> None:
    if not is_true(trigger.get("enabled")):
        return
    if is_service:
        tell("trigger", "left out: a service runs already")
    elif (text(trigger.get("type")) or "webhook") == "webhook":
        job.table["events"] = [job.name]
        tell("trigger", f"webhook: the event {job.name} begins it, as by"
             f" `clawctl emit {job.name} --data @FILE`; auth_token is left out")  # fmt: skip
    else:
        folder = os.path.expanduser(text(trigger.get("watch_path")))  # noqa: PTH111
        pattern = text(trigger.get("pattern")) or "*"
        job.table["watch"] = {"paths": [f"{folder.rstrip('/')}/{pattern}"]}
        if is_true(trigger.get("delete_after")):
            tell("trigger.delete_after", "left out: have the job delete the file")


def _put_sla(job: Draft, sla: Table, tell: Tell) -> None:
    found: dict[str, object] = {}
    for key, own in (("schedule_tolerance", "tolerance"), ("max_duration", "max_duration")):
        amount = seconds(sla.get(key))
        found |= {own: duration(amount)} if amount else {}
    for key in ("success_rate", "max_consecutive_failures"):
        count = number(sla.get(key))
        found |= {} if count is None else {key: count}
    budget = table(sla.get("error_budget"))
    if budget:
        found["error_budget"] = {
            "period": text(budget.get("period")) or "week",
            "failures": number(budget.get("max_failures")) or 3,
        }
    if sla.get("evaluation_period"):
        found["period"] = text(sla["evaluation_period"])
    if sla.get("alert_threshold") is not None:
        tell("sla.alert_threshold", "left out: claw tells before the budget is spent")
    if found:
        job.table["sla"] = found


def put_dependencies(job: Draft, found: Table, made: Mapping[str, Draft]) -> None:
    """Have a job wait for those that it depends on."""
    needs: list[object] = []
    for raw in items(found.get("depends_on")):
        one = table(raw) if isinstance(raw, dict) else {"job": raw}
        name = text(one.get("job"))
        other = made.get(name)
        if other is None:
            job.tell("depends_on", f"{name}: left out: there is no such job among the files")
            continue
        needs.append(
            {
                "job": other.name,
                "condition": text(one.get("condition")) or "after_start",
                "timeout": duration(seconds(one.get("timeout")) or 60),
            }
        )
    if needs:
        job.table["depends_on"] = needs
