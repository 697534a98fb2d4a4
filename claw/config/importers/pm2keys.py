"""The keys of an application of pm2: what each is in claw, or why it is nothing there."""

import os
import re
from collections.abc import Mapping

from claw.config.importers import values
from claw.config.importers.imported import Draft, Options
from claw.config.importers.values import Table, duration, is_true, items, number, text, texts
from claw.model.units import parse_duration, parse_size

_NOWHERE = frozenset({"null", "/dev/null", "none"})
_CARRIED = frozenset(
    {
        "name", "script", "cmd", "args", "cwd", "interpreter", "exec_interpreter",
        "interpreter_args", "node_args", "instances", "exec_mode", "instance_var",
        "increment_var", "env", "watch", "ignore_watch", "watch_delay", "max_memory_restart",
        "autorestart", "max_restarts", "min_uptime", "restart_delay", "kill_timeout",
        "exp_backoff_restart_delay", "cron_restart", "stop_exit_codes", "out_file", "output",
        "out", "error_file", "error", "err_file", "log", "log_file", "combine_logs",
        "merge_logs", "time", "log_date_format", "uid", "user", "gid", "namespace",
        "wait_ready", "listen_timeout", "append_env_to_name", "filter_env",
    }
)  # fmt: skip
_OF_PM2 = frozenset(
    {
        "force", "pmx", "vizion", "source_map_support", "automation", "trace", "pid_file",
        "pid", "log_type", "disable_source_map_support", "autostart", "min_list", "treekill",
        "deep_monitoring", "disable_trace", "instance_id",
    }
)  # fmt: skip
_DEFAULT_KILL_MS = 1600


def put_all(job: Draft, app: Table, options: Options) -> None:
    """Carry over all keys but those of the command."""
    _put_env(job, app, options)
    _put_copies(job, app)
    _put_restart(job, app)
    _put_stop(job, app)
    _put_account(job, app)
    _put_watch(job, app)
    _put_log(job, app)
    for key in app:
        if key in _OF_PM2:
            job.tell(key, "left out: it is about pm2 itself")
        elif key not in _CARRIED and not key.startswith("env_"):
            job.tell(key, "left out: claw has nothing like it")


def _milliseconds(value: object) -> float | None:
    """Return seconds of a number of milliseconds, or of a text like ``10s``."""
    found = number(value)
    if found is not None:
        return found / 1000
    try:
        return parse_duration(text(value)) if text(value) else None
    except ValueError:
        return None


def _put_env(job: Draft, app: Table, options: Options) -> None:
    env: dict[str, object] = {}
    values.put_env(env, values.environment(app.get("env")))
    for key in app:
        if not key.startswith("env_"):
            continue
        name = key.removeprefix("env_")
        if name == options.env:
            values.put_env(env, values.environment(app[key]))
        else:
            job.tell(key, f"left out: --env {name} takes it")
    if options.env and f"env_{options.env}" not in app:
        job.tell("", f"it has no env_{options.env}")
    if env:
        job.table["env"] = env


def _put_copies(job: Draft, app: Table) -> None:
    asked = app.get("instances", 1)
    count = number(asked)
    processors = os.cpu_count() or 1
    if text(asked) == "max" or count == 0:
        count = processors
        job.tell("instances", f"{text(asked)}: this host has {processors} processors")
    elif count is not None and count < 0:
        count = max(1, processors + count)
        job.tell("instances", f"{text(asked)}: this host has {processors} processors")
    if count is not None and count > 1:
        job.table["instances"] = count
    mode = text(app.get("exec_mode"))
    if (mode.startswith("cluster") or ("instances" in app and not mode)) and (count or 1) > 1:
        job.tell(
            "exec_mode",
            "cluster: pm2 has them share a port; claw starts separate processes: have each"
            " listen with reusePort, or on a port of its own",
        )


def _put_restart(job: Draft, app: Table) -> None:
    restart: dict[str, object] = {}
    codes = [one for one in map(number, items(app.get("stop_exit_codes"))) if one is not None]
    if not is_true(app.get("autorestart", True)):
        restart["policy"] = "never"
    elif codes:
        restart["policy"] = "on-failure"
        job.table["success_codes"] = codes
        if 0 not in codes:
            job.tell(
                "stop_exit_codes", "claw restarts it after every other status, as pm2 does"
            )
    delay = _milliseconds(app.get("restart_delay"))
    growing = _milliseconds(app.get("exp_backoff_restart_delay"))
    if delay is not None and "policy" not in {*restart} - {"on-failure"}:
        restart["delays"] = [duration(delay)]
    elif growing:
        ladder = [min(growing * 1.5**rung, 15.0) for rung in range(12)]
        restart["delays"] = [duration(round(one, 3)) for one in ladder]
    _put_limit(app, restart, delay or 0.0)
    if restart:
        job.table["restart"] = restart


def _put_limit(app: Table, restart: dict[str, object], delay: float) -> None:
    most, lives = number(app.get("max_restarts")), _milliseconds(app.get("min_uptime"))
    if lives:
        restart["reset_after"] = duration(lives)
    if most and restart.get("policy") != "never":
        restart["start_limit"] = most + 1
        restart["start_limit_window"] = duration(
            max(1.0, (most + 1) * ((lives or 1.0) + delay))
        )


def _put_stop(job: Draft, app: Table) -> None:
    job.table["stop_signal"] = "INT"
    given = _milliseconds(app.get("kill_timeout"))
    job.table["grace_period"] = duration(_DEFAULT_KILL_MS / 1000 if given is None else given)
    if is_true(app.get("wait_ready")):
        job.tell(
            "wait_ready",
            "process.send('ready') goes over a channel that only node has: write ready",
        )
    if is_true(app.get("shutdown_with_message")):
        job.tell("shutdown_with_message", "it gets SIGINT")


def _put_account(job: Draft, app: Table) -> None:
    for keys, own in ((("uid", "user"), "user"), (("gid",), "group")):
        for key in keys:
            if app.get(key) is not None:
                job.table[own] = text(app[key])
    if text(app.get("namespace")) not in {"", "default"}:
        job.table["tags"] = [text(app["namespace"])]
    memory = text(app.get("max_memory_restart"))
    if memory:
        try:
            size = parse_size(int(memory) if memory.isdigit() else memory)
        except ValueError:
            job.tell("max_memory_restart", f"{memory} is no size: left out")
        else:
            amount: object = size if memory.isdigit() else memory
            job.table["resources"] = {"memory": amount, "action": "restart"}


def _put_watch(job: Draft, app: Table) -> None:
    asked = app.get("watch")
    if not asked or asked == "false":
        return
    paths = (
        texts(asked) if isinstance(asked, list) else ["."] if asked is True else [text(asked)]
    )
    watch: dict[str, object] = {"paths": paths, "recursive": True}
    delay = _milliseconds(app.get("watch_delay"))
    if delay:
        watch["settle"] = duration(delay)
    job.table["watch"] = watch
    ignored = ", ".join(texts(app.get("ignore_watch")))
    if ignored:
        job.tell(
            "ignore_watch", f"{ignored}: left out: claw watches what paths say: narrow them"
        )
    elif asked is True:
        job.tell("watch", "all files in its folder, node_modules too: narrow watch.paths")


def _put_log(job: Draft, app: Table) -> None:
    log: dict[str, object] = {}
    places = {
        "out": text(app.get("out_file") or app.get("output") or app.get("out")),
        "err": text(app.get("error_file") or app.get("error") or app.get("err_file")),
        "log": text(app.get("log") or app.get("log_file")),
    }
    if places["err"].lower() in _NOWHERE:
        log["stderr"] = "discard"
        if places["out"].lower() in _NOWHERE:
            job.tell("out_file", "output is kept in claw's own file: `clawctl logs`")
    elif places["err"] and places["err"] != places["out"]:
        log["stderr"] = "separate"
    if is_true(app.get("time")) or app.get("log_date_format"):
        log["timestamps"] = True
    files = [one for one in places.values() if one and one.lower() not in _NOWHERE | {"true"}]
    if files:
        shown = ", ".join(dict.fromkeys(files))
        job.tell("log", f"{shown} is not written: claw keeps the output itself, `clawctl logs`")
    if log:
        job.table["log"] = log


def put_schedule(job: Draft, app: Mapping[str, object]) -> None:
    """Make a job that pm2 starts by a cron expression alone a scheduled one."""
    for key in ("type", "restart", "instances", "watch"):
        job.table.pop(key, None)
    expression = re.sub(r"\s+", " ", text(app.get("cron_restart")))
    job.table |= {"schedule": expression, "catch_up": "none", "on_overlap": "kill_restart"}
    job.tell(
        "cron_restart", "with autorestart false: it runs by this schedule, and not at start"
    )
