"""The keys of a service of systemd: what each is in claw, or why it is nothing there.

See systemd.service(5), systemd.exec(5), systemd.kill(5), systemd.resource-control(5).
"""

import re

from claw.config.importers.imported import Draft
from claw.config.importers.quoting import literal
from claw.config.importers.systemdexec import Expand
from claw.config.importers.unitfile import Unit, Value, is_true, seconds, words_of
from claw.model.units import format_duration

_LIMITS = {
    "LimitCPU": "cpu", "LimitFSIZE": "fsize", "LimitDATA": "data", "LimitSTACK": "stack",
    "LimitCORE": "core", "LimitRSS": "rss", "LimitNOFILE": "nofile", "LimitAS": "as",
    "LimitNPROC": "nproc", "LimitMEMLOCK": "memlock", "LimitSIGPENDING": "sigpending",
    "LimitMSGQUEUE": "msgqueue", "LimitNICE": "nice", "LimitRTPRIO": "rtprio",
    "LimitRTTIME": "rttime",
}  # fmt: skip
_SANDBOX = (
    r"Protect|Private|Restrict|SystemCall|Capabilit|AmbientCap|Read(Only|Write)Paths|Inaccess"
    r"|ExecPaths|NoExecPaths|TemporaryFileSystem|Bind|RootDirectory|RootImage|LockPersonality"
    r"|MemoryDenyWriteExecute|RemoveIPC|SecureBits|AppArmor|SELinux|Smack|KeyringMode|Delegate"
    r"|ProcSubset|DevicePolicy|DeviceAllow|IPAddress|Mount|NetworkNamespace|JoinsNamespaceOf"
    r"|Personality|UtmpIdentifier|SocketBind|KeepCaps|Landlock|PAMName|NonBlocking|ReadOnly"
    r"|ReadWrite"
)
_GROUP = (
    r"CPU(Weight|Shares|Scheduling|Affinity|Accounting)|Startup|IO|BlockIO|Memory(Low|Min|Swap"
    r"|Accounting|ZSwap)|TasksAccounting|Slice|Managed|OOMPolicy|NUMA|AllowedCPUs|AllowedMem"
    r"|Timer[Ss]lack|CoredumpFilter|IgnoreSIGPIPE|DefaultDependencies|CoredumpReceive"
)
_WHY = (
    (_SANDBOX, "left out: claw sets up no sandbox"),
    (
        r"(Runtime|State|Cache|Logs|Configuration)Directory",
        "left out: claw makes no folders: make them before, for the job's user",
    ),
    (
        r"(Load|Set|Import)Credential",
        "left out: claw hands over no credentials; see env_file",
    ),
    (r"Log|Syslog", "left out: claw keeps the output itself; see [jobs.X.log]"),
    (r"Sockets|FileDescriptorStore", "left out: write sockets"),
    (_GROUP, "left out: claw has no such control"),
)
_NOTHING = "left out: claw has nothing like it"
_EXIT_NAMES = {
    "SUCCESS": 0, "FAILURE": 1, "USAGE": 64, "DATAERR": 65, "NOINPUT": 66, "NOUSER": 67,
    "NOHOST": 68, "UNAVAILABLE": 69, "SOFTWARE": 70, "OSERR": 71, "OSFILE": 72,
    "CANTCREAT": 73, "IOERR": 74, "TEMPFAIL": 75, "PROTOCOL": 76, "NOPERM": 77, "CONFIG": 78,
}  # fmt: skip
_DEFAULT_TIMEOUT_S = 90.0
_MOST_MASK = 0o777
_FOR_EVER_S = 30 * 86400.0
_ELSEWHERE_WORDS = """
    Type ExecStart ExecStartPre ExecStartPost ExecStop ExecStopPost ExecReload
    ExecCondition Restart RestartSec RestartSteps RestartMaxDelaySec StartLimitInterval
    StartLimitBurst StartLimitIntervalSec TimeoutStartSec TimeoutStopSec TimeoutSec
    RuntimeMaxSec WatchdogSec KillMode KillSignal SendSIGKILL SuccessExitStatus User
    Group WorkingDirectory Environment EnvironmentFile PassEnvironment UMask Nice
    OOMScoreAdjust NoNewPrivileges MemoryMax MemoryHigh MemoryLimit CPUQuota TasksMax
    PIDFile DynamicUser RemainAfterExit StandardOutput StandardError RestartMode
    NotifyAccess GuessMainPID
"""
_ELSEWHERE = frozenset(_ELSEWHERE_WORDS.split())


def put_all(job: Draft, unit: Unit, expand: Expand, *, is_service: bool) -> None:
    """Carry over all keys of ``[Service]`` but its commands."""
    _put_account(job, unit, expand)
    _put_environment(job, unit, expand)
    _put_stop(job, unit)
    _put_outfit(job, unit)
    _put_resources(job, unit)
    _put_codes(job, unit)
    _put_log(job, unit)
    if is_service:
        put_restart(job, unit)
        _put_readiness(job, unit)
    else:
        _tell_of_no_restart(job, unit)
    _tell_of_others(job, unit)


def _get(unit: Unit, key: str) -> str:
    found = unit.one("Service", key)
    return "" if found is None else found.text


def _tell(job: Draft, value: Value | None, key: str, text: str) -> None:
    job.tell(key, text, value.line if value else 0, value.file if value else "")


def _span(job: Draft, unit: Unit, key: str, default: float | None) -> float | None:
    """Return a time span; None: without an end."""
    value = unit.one("Service", key) or unit.one("Unit", key)
    if value is None:
        return default
    try:
        return seconds(value.text)
    except ValueError as error:
        job.tell(key, f"left out: {error}", value.line, value.file)
        return default


def duration(amount: float) -> str:
    """Return seconds as a file has them."""
    if 0 < amount < 1:
        return f"{amount * 1000:g}ms"
    return format_duration(amount)


# -- who -----------------------------------------------------------------------------------


def _put_account(job: Draft, unit: Unit, expand: Expand) -> None:
    is_users = "/systemd/user" in unit.folder
    for key, own in (("User", "user"), ("Group", "group")):
        name = expand(_get(unit, key))
        if name:
            job.table[own] = name
    if is_true(_get(unit, "DynamicUser")):
        job.disable()
        text = (
            "claw makes no users: create one and write it as user; the job is disabled, for it"
            " would run as claw itself"
        )
        _tell(job, unit.one("Service", "DynamicUser"), "DynamicUser", text)
    folder = _get(unit, "WorkingDirectory")
    path = expand(folder.lstrip("-!"))
    if path not in {"", "~"}:
        job.table["cwd"] = path
    elif not path and not is_users:
        job.table["cwd"] = "/"
    if not expand.is_root and not is_users and "user" not in job.table:
        job.tell("User", "not said: systemd runs it as root, and this claw as its own user")
    if folder.startswith("-"):
        _tell(job, unit.one("Service", "WorkingDirectory"), "WorkingDirectory",
              "the dash, by which it may be missing, is not carried over")  # fmt: skip


def _put_environment(job: Draft, unit: Unit, expand: Expand) -> None:
    env = job.part("env")
    for value in unit.all("Service", "Environment"):
        try:
            pairs = [word.partition("=") for word in words_of(value.text, expand)]
        except ValueError as error:
            job.tell("Environment", f"left out: {error}", value.line, value.file)
            continue
        env |= {name: literal(text) for name, equals, text in pairs if equals}
    if not env:
        del job.table["env"]
    passed = [value.text for value in unit.all("Service", "PassEnvironment")]
    if passed:
        job.table["inherit_env"] = ["PATH", "LANG", "TZ", *" ".join(passed).split()]
    _put_env_file(job, unit, expand)


def _put_env_file(job: Draft, unit: Unit, expand: Expand) -> None:
    files = unit.all("Service", "EnvironmentFile")
    for number, value in enumerate(files):
        path = expand(value.text)
        if number:
            job.tell(
                "EnvironmentFile", f"{path}: left out, for claw reads one file", value.line
            )
            continue
        job.table["env_file"] = path.lstrip("-")
        if path.startswith("-"):
            text = "it may be missing for systemd; claw needs it: make it, or remove env_file"
            job.tell("EnvironmentFile", text, value.line, value.file)
        if "env" in job.table:
            text = "it goes over Environment in systemd; in claw env goes over it"
            job.tell("EnvironmentFile", text, value.line, value.file)


# -- start, stop ---------------------------------------------------------------------------


def put_restart(job: Draft, unit: Unit) -> None:
    """Carry over when it is restarted."""
    asked, value = _get(unit, "Restart") or "no", unit.one("Service", "Restart")
    policies = {"no": "never", "always": "always", "on-failure": "on-failure"}
    restart = job.part("restart")
    restart["policy"] = policies.get(asked, "on-failure")
    if asked in {"on-abnormal", "on-abort", "on-watchdog"}:
        _tell(job, value, "Restart", f"{asked}: claw restarts it after any failure")
    elif asked == "on-success":
        restart["policy"] = "always"
        _tell(job, value, "Restart", "on-success: claw restarts it after failures, too")
    if asked == "no":
        return
    first = _span(job, unit, "RestartSec", 0.1)
    restart["delays"] = [duration(_FOR_EVER_S if first is None else first)]
    steps, longest = _get(unit, "RestartSteps"), _span(job, unit, "RestartMaxDelaySec", None)
    if steps.isdigit() and 0 < int(steps) < 100 and longest and first:  # noqa: PLR2004
        factor = (longest / first) ** (1 / int(steps))
        ladder = [first * factor**rung for rung in range(int(steps) + 1)]
        restart["delays"] = [duration(round(one, 1)) for one in ladder]
    _put_start_limit(job, unit, restart)


def _put_start_limit(job: Draft, unit: Unit, restart: dict[str, object]) -> None:
    burst = unit.one("Unit", "StartLimitBurst") or unit.one("Service", "StartLimitBurst")
    most = int(burst.text) if burst and burst.text.isdigit() else 5
    window: float | None = 10.0
    for key in ("StartLimitIntervalSec", "StartLimitInterval"):
        window = _span(job, unit, key, window)
    if most and window != 0:
        restart["start_limit"] = most
        restart["start_limit_window"] = duration(window or _FOR_EVER_S)


def _tell_of_no_restart(job: Draft, unit: Unit) -> None:
    asked = _get(unit, "Restart")
    if asked in {"on-failure", "always", "on-abnormal"}:
        delay = _span(job, unit, "RestartSec", 0.1)
        job.table["retry"] = {"delays": [duration(delay or 0)], "max_attempts": 5}
        _tell(
            job, unit.one("Service", "Restart"), "Restart", f"{asked}: 5 attempts of each run"
        )


def _put_readiness(job: Draft, unit: Unit) -> None:
    kind, value = _get(unit, "Type") or "simple", unit.one("Service", "Type")
    limit = _span(job, unit, "TimeoutSec", _DEFAULT_TIMEOUT_S)
    limit = _span(job, unit, "TimeoutStartSec", limit)
    if kind in {"notify", "notify-reload"}:
        is_bounded = limit is not None and limit > 0
        job.table["ready"] = {
            "type": "notify",
            "timeout": duration(limit or 0) if is_bounded else "0",
        }
    elif kind == "forking":
        job.disable()
        text = (
            "the program puts itself into the background, where claw loses it: have it stay in"
            " the foreground, and remove enabled = false"
        )
        _tell(job, value, "Type", f"forking: {text}")
    elif kind == "dbus":
        _tell(job, value, "Type", "dbus: claw does not ask the bus: it is ready at once")
    watchdog = _span(job, unit, "WatchdogSec", 0.0)
    if watchdog:
        job.table["health"] = {"type": "process", "watchdog": duration(watchdog)}


def _put_stop(job: Draft, unit: Unit) -> None:
    grace = _span(job, unit, "TimeoutSec", _DEFAULT_TIMEOUT_S)
    grace = _span(job, unit, "TimeoutStopSec", grace)
    job.table["grace_period"] = duration(grace or _FOR_EVER_S)
    signal = _get(unit, "KillSignal").removeprefix("SIG")
    if signal and signal not in {"TERM", "15"}:
        job.table["stop_signal"] = int(signal) if signal.isdigit() else signal
    mode, value = _get(unit, "KillMode"), unit.one("Service", "KillMode")
    if mode in {"process", "none"}:
        job.table["kill_mode"] = "process"
    if mode == "none":
        _tell(job, value, "KillMode", "none: claw ends the main process at least")
    if _get(unit, "SendSIGKILL") and not is_true(_get(unit, "SendSIGKILL")):
        job.table["grace_period"] = duration(_FOR_EVER_S)
        _tell(job, unit.one("Service", "SendSIGKILL"), "SendSIGKILL", "claw kills in the end:"
              " after 30 days")  # fmt: skip
    most = _span(job, unit, "RuntimeMaxSec", 0.0)
    if most:
        job.table["timeout"] = duration(most)


def _put_codes(job: Draft, unit: Unit) -> None:
    codes: list[int] = []
    for value in unit.all("Service", "SuccessExitStatus"):
        for word in value.text.split():
            if word.isdigit() or word in _EXIT_NAMES:
                codes.append(int(word) if word.isdigit() else _EXIT_NAMES[word])
            elif word not in {"SIGTERM", "SIGINT", "SIGHUP", "SIGPIPE"}:
                job.tell(
                    "SuccessExitStatus",
                    f"{word}: left out, no exit status",
                    value.line,
                    value.file,
                )
    if codes:
        job.table["success_codes"] = sorted({0, *codes})


# -- what it has -----------------------------------------------------------------------------


def _put_outfit(job: Draft, unit: Unit) -> None:
    for key, own in (("Nice", "nice"), ("OOMScoreAdjust", "oom_score_adj")):
        text = _get(unit, key)
        if re.fullmatch(r"[+-]?\d{1,9}", text):
            job.table[own] = int(text)
        elif text:
            _tell(job, unit.one("Service", key), key, f"{text}: left out: no number")
    mask = _get(unit, "UMask")
    if re.fullmatch(r"[0-7]{1,5}", mask) and int(mask, 8) <= _MOST_MASK:
        job.table["umask"] = mask.rjust(3, "0")[-4:]
    elif mask:
        _tell(job, unit.one("Service", "UMask"), "UMask", f"{mask}: left out: no mask")
    if is_true(_get(unit, "NoNewPrivileges")):
        job.table["no_new_privs"] = True
    limits = {own: _limit(_get(unit, key)) for key, own in _LIMITS.items() if _get(unit, key)}
    if limits:
        job.table["limits"] = limits


def _limit(text: str) -> object:
    soft, colon, hard = text.partition(":")
    parts = [one.strip() for one in ((soft, hard) if colon else (soft,))]
    plain = ["unlimited" if one == "infinity" else one for one in parts]
    return int(plain[0]) if len(plain) == 1 and plain[0].isdigit() else ":".join(plain)


def _put_resources(job: Draft, unit: Unit) -> None:
    resources: dict[str, object] = {}
    for key in ("MemoryLimit", "MemoryHigh", "MemoryMax"):
        value = unit.one("Service", key)
        if value is None or value.text == "infinity":
            continue
        if re.fullmatch(r"\d+[KMGT]?", value.text):
            resources["memory"] = int(value.text) if value.text.isdigit() else value.text
        else:
            job.tell(
                key, f"{value.text}: left out, write resources.memory", value.line, value.file
            )
    quota = unit.one("Service", "CPUQuota")
    if quota and re.fullmatch(r"\d+(\.\d+)?%", quota.text):
        resources |= {"cpu": float(quota.text[:-1]) / 100, "action": "throttle"}
    elif quota:
        _tell(job, quota, "CPUQuota", f"{quota.text}: left out, write resources.cpu")
    _put_tasks(job, unit, resources)
    if resources:
        job.table["resources"] = resources


def _put_tasks(job: Draft, unit: Unit, resources: dict[str, object]) -> None:
    tasks = unit.one("Service", "TasksMax")
    if tasks and tasks.text.isdigit():
        resources["pids"] = int(tasks.text)
    elif tasks and tasks.text != "infinity":
        job.tell(
            "TasksMax", f"{tasks.text}: left out, write resources.pids", tasks.line, tasks.file
        )


def _put_log(job: Draft, unit: Unit) -> None:
    log: dict[str, object] = {}
    for key in ("StandardOutput", "StandardError"):
        value = unit.one("Service", key)
        if value is None or value.text in {"journal", "inherit"}:
            continue
        if value.text == "null" and key == "StandardError":
            log["stderr"] = "discard"
        else:
            job.tell(
                key, f"{value.text}: claw keeps the output itself, `clawctl logs`", value.line
            )
    if log:
        job.table["log"] = log


# -- what there is none of -------------------------------------------------------------------


def _tell_of_others(job: Draft, unit: Unit) -> None:
    groups: dict[str, list[Value | str]] = {}
    for (section, key), values in unit.values.items():
        if section != "Service" or key in _ELSEWHERE or key in _LIMITS or not values[-1].text:
            continue
        text = _why(key)
        groups.setdefault(text, []).extend((key, values[-1]))
    for text, found in groups.items():
        keys = [one for one in found if isinstance(one, str)]
        lines = [one.line for one in found if isinstance(one, Value)]
        job.tell(", ".join(dict.fromkeys(keys)), text, min(lines))
    if unit.one("Service", "PIDFile"):
        _tell(job, unit.one("Service", "PIDFile"), "PIDFile", "of no need: claw knows its pid")


def _why(key: str) -> str:
    return next((text for pattern, text in _WHY if re.match(pattern, key)), _NOTHING)
