"""The keys of a process of process-compose: what each is in claw, or why it is nothing."""

import re
from collections.abc import Callable, Mapping

from claw.config.importers.imported import Draft
from claw.config.importers.values import Table, duration, is_true, number, seconds, table, text
from claw.config.importers.yamlfile import Whole

Tell = Callable[[str, str], None]

_CARRIED = frozenset(
    {
        "command", "entrypoint", "working_dir", "environment", "replicas", "availability",
        "depends_on", "readiness_probe", "liveness_probe", "shutdown", "disabled", "is_tty",
        "is_daemon", "namespace", "description", "ready_log_line", "schedule", "log_location",
        "log_configuration", "name",
    }
)  # fmt: skip
_LEFT_OUT = {
    "disable_ansi_colors": "of no effect: claw changes no output",
    "is_foreground": "left out: see stdin and tty, `clawctl attach`",
    "is_elevated": "left out: write user",
    "launch_timeout_seconds": "left out: see ready.timeout",
    "vars": "left out: fill {{.NAME}} in by hand",
    "is_dotenv_disabled": "left out: remove env_file",
}
_SIGNALS = {1: "HUP", 2: "INT", 3: "QUIT", 9: "KILL", 10: "USR1", 12: "USR2", 15: "TERM"}
_ONLY_THERE = (
    "initial_delay_seconds", "timeout_seconds", "success_threshold", "failure_threshold",
)  # fmt: skip
_DEFAULT_STOP_S, _DEFAULT_PERIOD_S, _DEFAULT_FAILURES = 10, 10, 3


def put_all(job: Draft, process: Table, tell: Tell, fill: Callable[[str], str]) -> None:
    """Carry over all keys but those of the command.

    Args:
        job: Takes them.
        process: The table of the process.
        tell: Tells of a key.
        fill: Fills in what is a template in a text.
    """
    if process.get("description"):
        job.table["description"] = text(process["description"])
    if text(process.get("namespace")) not in {"", "default"}:
        job.table["tags"] = [text(process["namespace"])]
    if is_true(process.get("disabled")):
        job.disable()
    if is_true(process.get("is_tty")):
        job.table["tty"] = True
    _put_restart(job, table(process.get("availability")), tell)
    _put_shutdown(job, table(process.get("shutdown")), tell)
    _put_probes(job, process, tell, fill)
    _put_schedule(job, table(process.get("schedule")), tell)
    if process.get("log_location"):
        tell("log_location", f"{text(process['log_location'])} is not written: claw keeps the"
             " output itself, `clawctl logs`")  # fmt: skip
    _put_log(job, table(process.get("log_configuration")), tell)
    for key in process:
        if key not in _CARRIED:
            tell(key, _LEFT_OUT.get(key, "left out: claw has nothing like it"))


def _put_restart(job: Draft, availability: Table, tell: Tell) -> None:
    asked = text(availability.get("restart")) or "no"
    restart = job.part("restart")
    policies = {"always": "always", "on_failure": "on-failure"}
    restart["policy"] = policies.get(asked, "never")
    if asked == "exit_on_failure" or is_true(availability.get("exit_on_end")):
        tell("availability", "its end ends all with process-compose: see daemon.essential")
    if restart["policy"] == "never":
        return
    restart["delays"] = [duration(seconds(availability.get("backoff_seconds")) or 1)]
    most = number(availability.get("max_restarts"))
    if most:
        restart["start_limit"] = most + 1
        restart["start_limit_window"] = "1d"
        tell(
            "availability",
            f"max_restarts: {most} within a day; process-compose counts them all",
        )


def _put_shutdown(job: Draft, shutdown: Table, tell: Tell) -> None:
    command = text(shutdown.get("command")).strip()
    if command:
        job.table["stop_command"] = command
    given = number(shutdown.get("signal"))
    if given is not None and given in _SIGNALS and given != 15:  # noqa: PLR2004
        job.table["stop_signal"] = _SIGNALS[given]
    elif given is not None and given not in _SIGNALS:
        job.table["stop_signal"] = given
    limit = seconds(shutdown.get("timeout_seconds"))
    job.table["grace_period"] = duration(limit or _DEFAULT_STOP_S)
    if is_true(shutdown.get("parent_only")):
        job.table["kill_mode"] = "process"
    for key in shutdown.keys() - {"command", "signal", "timeout_seconds", "parent_only"}:
        tell("shutdown", f"{key}: left out: claw has nothing like it")


def _put_probes(job: Draft, process: Table, tell: Tell, fill: Callable[[str], str]) -> None:
    ready = table(process.get("readiness_probe"))
    if ready:
        found = _probe(ready, "readiness_probe", tell, fill)
        if found is not None:
            period = seconds(ready.get("period_seconds")) or _DEFAULT_PERIOD_S
            job.table["ready"] = {**found, "interval": duration(period), "timeout": "0"}
            others = [one for one in _ONLY_THERE if one in ready]
            if others:
                says = f"{', '.join(others)}: left out: claw asks until it is ready"
                tell("readiness_probe", says)
    line = text(process.get("ready_log_line"))
    if line and "ready" not in job.table:
        job.table["ready"] = {"type": "log", "pattern": re.escape(line), "timeout": "0"}
    alive = table(process.get("liveness_probe"))
    health = _probe(alive, "liveness_probe", tell, fill) if alive else None
    if health is not None:
        first = seconds(alive.get("initial_delay_seconds"))
        job.table["health"] = {
            **health,
            "interval": duration(seconds(alive.get("period_seconds")) or _DEFAULT_PERIOD_S),
            "timeout": duration(seconds(alive.get("timeout_seconds")) or 1),
            "start_period": duration(first or 0),
            "failures": number(alive.get("failure_threshold")) or _DEFAULT_FAILURES,
        }


def _probe(
    probe: Table, key: str, tell: Tell, fill: Callable[[str], str]
) -> dict[str, object] | None:
    run, get = table(probe.get("exec")), table(probe.get("http_get"))
    if run.get("command"):
        if run.get("working_dir"):
            tell(key, "working_dir: left out: it runs in that of the job")
        return {"type": "exec", "command": fill(text(run["command"])).strip()}
    if not get:
        tell(key, "left out: neither exec nor http_get")
        return None
    host = fill(text(get.get("host"))) or "127.0.0.1"
    scheme = text(get.get("scheme")).lower() or "http"
    port = fill(text(get.get("port")))
    path = fill(text(get.get("path"))).lstrip("/")
    found: dict[str, object] = {
        "type": "http",
        "url": f"{scheme}://{host}{f':{port}' if port else ''}/{path}",
    }
    status = number(get.get("status_code"))
    if status and status != 200:  # noqa: PLR2004
        found["expected_status"] = status
    if get.get("headers"):
        tell(key, "headers: left out: claw sends none")
    return found


def _put_schedule(job: Draft, schedule: Table, tell: Tell) -> None:
    if not schedule:
        return
    for key in ("type", "restart", "ready", "health", "instances"):
        job.table.pop(key, None)
    found = text(schedule.get("cron"))
    interval = text(schedule.get("interval"))
    job.table["schedule"] = found or f"@every {interval}"
    if found and schedule.get("timezone"):
        job.table["timezone"] = text(schedule["timezone"])
    most = number(schedule.get("max_concurrent"))
    if most and most > 1:
        job.table["max_instances"] = most
    if is_true(schedule.get("run_on_start")):
        tell("schedule", "run_on_start: left out: `clawctl run` begins it now")


def _put_log(job: Draft, config: Table, tell: Tell) -> None:
    rotation = table(config.get("rotation"))
    log: dict[str, object] = {}
    size, age = number(rotation.get("max_size_mb")), number(rotation.get("max_age_days"))
    if size:
        log["max_size"] = f"{size}M"
    if age:
        log["max_age"] = f"{age}d"
    keep = number(rotation.get("max_backups"))
    if keep:
        log["keep"] = keep
    if "compress" in rotation:
        log["compress"] = is_true(rotation["compress"])
    if is_true(config.get("add_timestamp")):
        log["timestamps"] = True
    others = config.keys() - {"rotation", "add_timestamp"}
    if others:
        shown = ", ".join(sorted(others))
        tell("log_configuration", f"{shown}: left out: output is kept as it is")
    if log:
        job.table["log"] = log


def put_dependencies(
    job: Draft, name: str, process: Table, made: Mapping[str, Draft], whole: Whole
) -> None:
    """Have a job wait for the processes that its own depends on."""
    found: list[object] = []
    for other, raw in table(process.get("depends_on")).items():
        condition = text(table(raw).get("condition")) or "process_started"
        line = whole.line("processes", name, "depends_on", other)
        if other not in made:
            job.tell("depends_on", f"{other}: left out: there is no such job", line)
        elif condition.startswith("process_completed"):
            found.append({"job": made[other].name, "condition": "after_complete"})
            if not condition.endswith("successfully"):
                job.tell("depends_on", f"{other}: claw waits until it has ended well", line)
        else:
            found.append(made[other].name)
            if condition == "process_started" and "ready" in made[other].table:
                job.tell("depends_on", f"{other}: claw waits until it is ready", line)
    if found:
        job.table["depends_on"] = found
