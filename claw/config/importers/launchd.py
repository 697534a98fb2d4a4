"""Property lists of launchd, XML or binary; see launchd.plist(5)."""

import plistlib
import re
from collections.abc import Sequence
from xml.parsers.expat import ExpatError

from claw.config.importers import quoting, values
from claw.config.importers.imported import Draft, Harvest, Options
from claw.config.importers.sources import Source
from claw.config.importers.values import Table, duration, is_true, items, number, table, text
from claw.errors import UsageError

_LIMITS = {
    "Core": "core", "CPU": "cpu", "Data": "data", "FileSize": "fsize", "MemoryLock": "memlock",
    "NumberOfFiles": "nofile", "NumberOfProcesses": "nproc", "ResidentSetSize": "rss",
    "Stack": "stack",
}  # fmt: skip
_CARRIED = frozenset(
    {
        "Label", "Program", "ProgramArguments", "KeepAlive", "RunAtLoad", "StartInterval",
        "StartCalendarInterval", "WatchPaths", "EnvironmentVariables", "WorkingDirectory",
        "UserName", "GroupName", "Umask", "Nice", "ThrottleInterval", "ExitTimeOut",
        "SoftResourceLimits", "HardResourceLimits", "StandardOutPath", "StandardErrorPath",
        "Disabled", "LaunchOnlyOnce", "AbandonProcessGroup", "QueueDirectories", "InitGroups",
    }
)  # fmt: skip
_LEFT_OUT = {
    "Sockets": "left out: launchd hands them over in its own way; claw as sd_listen_fds(3) has"
    " it: write sockets, if the program knows that",
    "MachServices": "left out: claw has no Mach services",
    "inetdCompatibility": "left out: claw starts nothing for each connection",
    "StandardInPath": "left out: claw has no file for it; redirect it in a command",
    "EnableGlobbing": "left out: write command, with a shell's wildcards",
    "RootDirectory": "left out: claw changes no root folder",
    "StartOnMount": "left out: no job of claw begins then",
    "TimeOut": "left out: claw ends nothing for being idle; see timeout",
}
_NOT_UNDERSTOOD = (
    plistlib.InvalidFileException, ExpatError, ValueError, OverflowError, LookupError,
    TypeError, AttributeError, RecursionError,
)  # fmt: skip
"""What plistlib raises for what is none."""
_DEFAULT_EXIT_S, _DEFAULT_THROTTLE_S = 20, 10
_CALENDAR = (("Minute", 59), ("Hour", 23), ("Day", 31), ("Month", 12), ("Weekday", 7))


def read(sources: Sequence[Source], options: Options) -> Harvest:
    """Return the jobs of property lists.

    Raises:
        UsageError: One is no such list.
    """
    harvest = Harvest()
    for source in sources:
        try:
            whole = plistlib.loads(source.raw)
        except _NOT_UNDERSTOOD as error:
            why = str(error) or "it is neither XML nor binary"
            raise UsageError(f"{source.file} is no property list: {why}") from None
        if not isinstance(whole, dict) or not whole.keys() & {"Program", "ProgramArguments"}:
            raise UsageError(f"{source.file} is no job of launchd: it has no ProgramArguments")
        name = text(whole.get("Label")) or source.name.partition(".plist")[0]
        job = harvest.job(name, source.file, 0)
        _make(_Plist(job, whole, source), options)
    return harvest


class _Plist:
    """A list, and the job that is made of it."""

    def __init__(self, job: Draft, whole: Table, source: Source) -> None:
        self.job = job
        self.whole = whole
        self._text = "" if source.raw.startswith(b"bplist") else source.text

    def get(self, key: str) -> object:
        """Return what a key says, or None."""
        return self.whole.get(key)

    def tell(self, key: str, why: str) -> None:
        """Tell what became of a key, with its line."""
        found = self._text.find(f"<key>{key}</key>")
        line = self._text.count("\n", 0, found) + 1 if found >= 0 else 0
        self.job.tell(key, why, line)


def _make(plist: _Plist, options: Options) -> None:
    _put_program(plist)
    _put_times(plist)
    _put_surroundings(plist, options)
    _put_limits(plist)
    _put_log(plist)
    for key in plist.whole:
        if key not in _CARRIED:
            plist.tell(key, _LEFT_OUT.get(key, "left out: claw has nothing like it"))


def _put_program(plist: _Plist) -> None:
    words = values.texts(plist.get("ProgramArguments"))
    program = text(plist.get("Program"))
    if program:
        if words and words[0] != program:
            plist.tell("ProgramArguments", f"the first is only a name for {program}: left out")
        words = [program, *words[1:]]
    quoting.put_program(plist.job.table, words)
    placeholder = next((one for one in map(quoting.placeholder_in, words) if one), "")
    if placeholder:
        plist.job.disable()
        plist.job.tell(
            "", f"{placeholder} is a template's: fill it in, and remove enabled = false"
        )


# -- when ------------------------------------------------------------------------------------


def _put_times(plist: _Plist) -> None:
    job, alive = plist.job, plist.get("KeepAlive")
    schedule = _schedule(plist)
    watched = values.texts(plist.get("WatchPaths"))
    if alive is True or (isinstance(alive, dict) and _keeps_running(plist, alive)):
        job.table["type"] = "continuous"
        _put_restart(plist, alive)
        if watched or [one for one in schedule if one != "@reboot"]:
            plist.tell("KeepAlive", "it runs always: its other times are left out")
        return
    if schedule:
        job.table["schedule"] = schedule[0] if len(schedule) == 1 else schedule
    elif "type" not in job.table and "watch" not in job.table:
        job.table["type"] = "manual"
    if watched:
        job.table["watch"] = {"paths": watched}
    if plist.get("QueueDirectories"):
        plist.tell(
            "QueueDirectories", "it runs when a file comes in, not for as long as one is there"
        )
        paths = [*watched, *values.texts(plist.get("QueueDirectories"))]
        job.table["watch"] = {"paths": paths}
    if job.table.get("type") == "manual" and "watch" not in job.table:
        job.tell("", "launchd starts it when it is asked for: here `clawctl run` does")


def _schedule(plist: _Plist) -> list[str]:
    found: list[str] = []
    every = number(plist.get("StartInterval"))
    if every and every > 0:
        found.append(f"@every {duration(every)}")
    found += [_cron(table(one)) for one in items(plist.get("StartCalendarInterval"))]
    is_once = is_true(plist.get("RunAtLoad")) or is_true(plist.get("LaunchOnlyOnce"))
    return [*found, "@reboot"] if is_once else found


def _cron(when: Table) -> str:
    """Return a calendar interval as cron: what is not said is a wildcard."""
    fields: list[str] = []
    for key, most in _CALENDAR:
        value = number(when.get(key))
        fields.append("*" if value is None else str(min(value, most)))
    return " ".join(fields)


def _keeps_running(plist: _Plist, alive: Table) -> bool:
    """Tell whether a table of conditions keeps a job running; tell of those that do not."""
    for key, value in alive.items():
        if key == "PathState":
            paths = [path for path, is_there in table(value).items() if is_true(is_there)]
            plist.tell(
                "PathState", "it runs when such a file appears, not for as long as it is there"
            )
            if paths:
                plist.job.table |= {
                    "type": "manual",
                    "watch": {"paths": paths, "events": ["create", "close_write", "moved_to"]},
                }
        elif key not in {"SuccessfulExit", "Crashed"}:
            plist.tell(key, "left out: claw does not ask for that before a restart")
    return bool(alive.keys() & {"SuccessfulExit", "Crashed"}) or "PathState" not in alive


def _put_restart(plist: _Plist, alive: object) -> None:
    job = plist.job
    pause = number(plist.get("ThrottleInterval"))
    restart = job.part("restart")
    restart["policy"] = "always"
    if isinstance(alive, dict):
        if alive.get("SuccessfulExit") is False or alive.get("Crashed") is True:
            restart["policy"] = "on-failure"
        elif alive.get("SuccessfulExit") is True:
            plist.tell("SuccessfulExit", "claw restarts it after failures, too")
    # launchd waits until so long has passed since the last start, claw since the last end.
    restart["delays"] = [duration(_DEFAULT_THROTTLE_S if pause is None else pause)]
    if not is_true(plist.get("RunAtLoad")) and "RunAtLoad" in plist.whole:
        plist.tell("RunAtLoad", "KeepAlive starts it all the same")


# -- with what ---------------------------------------------------------------------------------


def _put_surroundings(plist: _Plist, options: Options) -> None:
    job = plist.job
    env: dict[str, object] = {}
    values.put_env(env, values.environment(plist.get("EnvironmentVariables")))
    if env:
        job.table["env"] = env
    job.table["cwd"] = text(plist.get("WorkingDirectory")) or "/"
    user = options.user or text(plist.get("UserName"))
    job.table |= {"user": user} if user else {}
    job.table |= {"group": text(plist.get("GroupName"))} if plist.get("GroupName") else {}
    mask = plist.get("Umask")
    if isinstance(mask, int) and not isinstance(mask, bool):
        job.table["umask"] = f"{mask & 0o777:03o}"
    elif re.fullmatch(r"0?[0-7]{1,3}", text(mask)):
        job.table["umask"] = text(mask)[-3:].rjust(3, "0")
    nice = number(plist.get("Nice"))
    job.table |= {} if nice is None else {"nice": nice}
    limit = number(plist.get("ExitTimeOut"))
    job.table["grace_period"] = duration(
        _DEFAULT_EXIT_S if limit is None else limit or 30 * 86400
    )
    if is_true(plist.get("AbandonProcessGroup")):
        job.table["kill_mode"] = "process"
    if is_true(plist.get("Disabled")):
        job.disable()
        plist.tell("Disabled", "the job is disabled")


def _put_limits(plist: _Plist) -> None:
    soft, hard = table(plist.get("SoftResourceLimits")), table(plist.get("HardResourceLimits"))
    limits: dict[str, object] = {}
    for key, own in _LIMITS.items():
        low, high = number(soft.get(key)), number(hard.get(key))
        if low is not None and high is not None and low != high:
            limits[own] = f"{low}:{high}"
        elif low is not None or high is not None:
            limits[own] = low if low is not None else high
    for name, found in (("SoftResourceLimits", soft), ("HardResourceLimits", hard)):
        for key in found.keys() - _LIMITS.keys():
            plist.tell(name, f"{key}: left out: there is no such limit")
    if limits:
        plist.job.table["limits"] = limits


def _put_log(plist: _Plist) -> None:
    out, err = text(plist.get("StandardOutPath")), text(plist.get("StandardErrorPath"))
    log: dict[str, object] = {}
    if err == "/dev/null":
        log["stderr"] = "discard"
    elif err and out and err != out:
        log["stderr"] = "separate"
    for key, path in (("StandardOutPath", out), ("StandardErrorPath", err)):
        if path and path != "/dev/null":
            plist.tell(
                key, f"{path} is not written: claw keeps the output itself, `clawctl logs`"
            )
        elif path and key == "StandardOutPath":
            plist.tell(key, "output is kept in claw's own file: `clawctl logs`")
    if log:
        plist.job.table["log"] = log
