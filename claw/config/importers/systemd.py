"""Units of systemd: services and timers, their drop-ins, instances of templates.

A service is a ``continuous`` job; one of ``Type=oneshot``, or with a timer, is a job that runs
by its time. A timer needs its service: it is read from beside the timer when it is not given.
"""

import os.path
import re
from collections.abc import Sequence
from pathlib import PurePath

from claw.config.importers import quoting, systemdexec, systemdkeys, timers
from claw.config.importers.imported import Draft, Harvest, Options
from claw.config.importers.sources import Source, folder_of, names_in, peek
from claw.config.importers.systemdexec import Expand
from claw.config.importers.unitfile import Unit, Value, is_true
from claw.errors import UsageError
from claw.kernel.host import name as host_name

_NEEDS = ("Requires", "BindsTo", "Requisite", "Wants")
_ORDER = ("After",)
_FOLDERS = {
    "t": "/run",
    "S": "/var/lib",
    "C": "/var/cache",
    "L": "/var/log",
    "E": "/etc",
    "T": "/tmp",  # noqa: S108
    "V": "/var/tmp",  # noqa: S108
}
_INSTANCE = "INSTANCE"
_KINDS = ("service", "timer")


def find_instance(path: str, cwd: str) -> Source | None:
    """Return the template that an instance, like ``web@8000.service``, is made of."""
    found = re.fullmatch(
        r"(?P<stem>[^/@]+)@(?P<instance>[^/]+)\.(?:service|timer)", PurePath(path).name
    )
    if found is None or os.path.lexists(os.path.join(cwd, path)):  # noqa: PTH118
        return None
    folder = folder_of(path, cwd)
    ending = path.rpartition(".")[2]
    template = peek(f"{folder}/{found['stem']}@.{ending}")
    return None if template is None else Source(path, template.raw, folder)


def read(sources: Sequence[Source], options: Options) -> Harvest:
    """Return the jobs of units.

    Raises:
        UsageError: A file is no unit.
    """
    harvest = Harvest()
    units = [_unit(source) for source in sources]
    for unit in units:
        _check(unit, harvest)
    services = _services(units, harvest)
    timed = _with_services(units, services, harvest)
    made: dict[str, tuple[Unit, Draft]] = {}
    for unit in services.values():
        job = _service(unit, timed.get(unit.name, []), options, harvest)
        if job is not None:
            made[unit.name] = unit, job
    paired = [one.name for several in timed.values() for one in several]
    for unit in units:
        if unit.has("Timer") and unit.name not in paired:
            _lone_timer(unit, options, harvest)
    for unit, job in made.values():
        _put_dependencies(unit, job, made)
    return harvest


def _check(unit: Unit, harvest: Harvest) -> None:
    """Tell of what is no service and no timer, and of lines that are none.

    Raises:
        UsageError: The whole file is no unit.
    """
    if not unit.values:
        raise UsageError(f"{unit.file} is no unit of systemd: it has no [Section] with keys")
    for file, line, text in unit.unread:
        harvest.tell(file, line, "", f"{text[:40]!r} is not understood: left out")
    if not unit.has("Timer") and not unit.has("Service"):
        what = next(iter(unit.values))[0]
        text = f"left out: a unit of kind [{what}] runs nothing by itself"
        harvest.tell(unit.file, 0, unit.name, text)


def _unit(source: Source) -> Unit:
    """Return a unit with the drop-ins that lie beside it."""
    name = source.name.removesuffix(".in")
    name = name if name.endswith((".service", ".timer", ".socket")) else f"{name}.service"
    unit = Unit(name, source.file, source.folder)
    unit.take(source.file, source.text)
    stem, _, ending = name.rpartition(".")
    parts = {
        f"{name}.d",
        f"{stem.partition('@')[0]}@.{ending}.d" if "@" in stem else f"{name}.d",
    }
    for folder in sorted(parts):
        for one in names_in(f"{source.folder}/{folder}"):
            found = peek(f"{source.folder}/{folder}/{one}") if one.endswith(".conf") else None
            if found is not None:
                unit.take(found.file, found.text)
    return unit


def _services(units: list[Unit], harvest: Harvest) -> dict[str, Unit]:
    services: dict[str, Unit] = {}
    for unit in (one for one in units if one.has("Service")):
        other = services.setdefault(unit.name, unit)
        if other is not unit:
            text = f"left out: {other.file} has the same name; import the two apart"
            harvest.tell(unit.file, 0, unit.name, text)
    return services


def _with_services(
    units: list[Unit], services: dict[str, Unit], harvest: Harvest
) -> dict[str, list[Unit]]:
    """Return the timers of each service; one that was not given is read from beside them."""
    found: dict[str, list[Unit]] = {}
    for unit in units:
        if not unit.has("Timer"):
            continue
        named = unit.one("Timer", "Unit")
        name = named.text if named else f"{unit.stem}.service"
        if name not in services:
            source = peek(f"{unit.folder}/{name}")
            beside = None if source is None else _unit(source)
            if beside is not None and beside.has("Service"):
                services[name] = beside
        if name in services:
            found.setdefault(name, []).append(unit)
            if services[name].folder != unit.folder:
                text = f"it is taken to start {services[name].file}, of another folder"
                harvest.tell(unit.file, 0, unit.name, text)
    return found


def _expand(unit: Unit, job: Draft, options: Options) -> Expand:
    stem, at, instance = unit.stem.partition("@")
    is_template = at and not instance
    if is_template:
        job.disable()
        job.tell("", f"a template: name an instance, as in {stem}@NAME.service, or write it in"
                 f" place of {_INSTANCE}; the job is disabled")  # fmt: skip
    left = _INSTANCE if at else ""
    known = {
        "n": unit.name, "N": unit.stem, "p": stem, "P": stem,
        "i": instance or left, "I": _unescaped(instance) or left,
        "H": host_name(), "l": host_name().partition(".")[0], **_FOLDERS,
    }  # fmt: skip
    user = unit.one("Service", "User")
    if user is not None and "%" not in user.text:
        known["u"] = user.text
    if options.uid == 0 and user is None:
        known |= {"u": "root", "U": "0", "h": "/root", "s": "/bin/sh"}
    elif user is None and "HOME" in options.environ:
        known["h"] = options.environ["HOME"]
    return Expand(job, known, is_root=options.uid == 0)


def _unescaped(text: str) -> str:
    """Return what systemd-escape(1) has made a name of."""
    slashed = text.replace("-", "/")
    return re.sub(r"\\x([0-9a-f]{2})", lambda one: chr(int(one[1], 16)), slashed)


# -- services --------------------------------------------------------------------------------


def _service(unit: Unit, timed: list[Unit], options: Options, harvest: Harvest) -> Draft | None:
    job = harvest.job(unit.stem, unit.file, 0)
    job.table.pop("name", None)
    expand = _expand(unit, job, options)
    description = unit.one("Unit", "Description")
    if description is not None:
        job.table["description"] = expand(description.text)
    kind = unit.one("Service", "Type")
    is_once = bool(timed) or (kind is not None and kind.text == "oneshot")
    job.table["type"] = "manual" if is_once else "continuous"
    if not systemdexec.put(job, unit, expand):
        harvest.drop(job)
        harvest.tell(unit.file, 0, unit.name, "left out: it has no ExecStart")
        return None
    systemdexec.put_stop(job, unit, expand)
    systemdkeys.put_all(job, unit, expand, is_service=not is_once)
    if options.user:
        job.table["user"] = options.user
    for timer in timed:
        _tell_of_unit(timer, job)
        timers.put(job, timer)
    _put_when(job, unit, is_once=is_once, is_timed=bool(timed))
    placeholder = next((one for one in map(quoting.placeholder_in, _texts(job)) if one), "")
    if placeholder:
        job.disable()
        job.tell("", f"{placeholder} is a template's: fill it in, and remove enabled = false")
    _tell_of_unit(unit, job)
    return job


def _texts(job: Draft) -> list[str]:
    return [str(job.table.get(key, "")) for key in ("command", "argv", "cwd", "env_file")]


def _put_when(job: Draft, unit: Unit, *, is_once: bool, is_timed: bool) -> None:
    """Have what starts with the system start with claw, or once a boot."""
    wanted = unit.all("Install", "WantedBy") + unit.all("Install", "RequiredBy")
    if is_timed:
        if "schedule" in job.table or "run_at" in job.table:
            del job.table["type"]
        return
    if is_once and wanted:
        del job.table["type"]
        job.table["schedule"] = "@reboot"
        job.tell("WantedBy", f"{wanted[0].text}: it runs once after each boot", wanted[0].line)
    elif is_once:
        job.tell(
            "Type", "oneshot, and nothing begins it: `clawctl run` does, or add a schedule"
        )
    elif not wanted and "enabled" not in job.table:
        job.table["autostart"] = False
        job.tell("WantedBy", "missing: nothing starts it but `clawctl start` and what needs it")
    if is_true(_text(unit.one("Service", "RemainAfterExit"))):
        text = "it counts as up after its end for systemd; here its run has ended"
        job.tell("RemainAfterExit", text, _line(unit.one("Service", "RemainAfterExit")))


def _text(value: Value | None) -> str:
    return "" if value is None else value.text


def _line(value: Value | None) -> int:
    return 0 if value is None else value.line


def _tell_of_unit(unit: Unit, job: Draft) -> None:
    """Tell of what ``[Unit]`` and ``[Install]`` say beside what is carried over."""
    told: dict[str, list[str]] = {}
    lines: dict[str, int] = {}
    for (section, key), values in unit.values.items():
        if section not in {"Unit", "Install"} or not values[-1].text:
            continue
        if key == "Documentation":
            job.remarks += [f"Documentation: {value.text}" for value in unit.all(section, key)]
            continue
        why = _why(key)
        if why:
            told.setdefault(why, []).append(key)
            lines.setdefault(why, values[-1].line)
    for why, keys in told.items():
        job.tell(", ".join(keys), why, lines[why], unit.file)


def _why(key: str) -> str:
    if key.startswith(("Condition", "Assert")):
        return "left out: claw asks nothing before it starts the job; test it in the command"
    if key in {"PartOf", "Conflicts", "PropagatesReloadTo", "ReloadPropagatedFrom", "Upholds",
               "StopPropagatedFrom"}:  # fmt: skip
        return "left out: see on_dependency_restart, and tags for several at once"
    if key in {"OnFailure", "OnSuccess"}:
        return "left out: write a job with a trigger, or alerts"
    if key in {"Alias", "Also", "DefaultInstance", "Before", "DefaultDependencies",
               "RequiresMountsFor", "WantsMountsFor", "JobTimeoutSec", "AllowIsolate",
               "RefuseManualStart", "RefuseManualStop", "StopWhenUnneeded",
               "CollectMode", "FailureAction", "SuccessAction", "StartLimitAction",
               "JoinsNamespaceOf", "IgnoreOnIsolate", "SourcePath"}:  # fmt: skip
        return "left out: claw has nothing like it"
    known = {"Description", "After", "WantedBy", "RequiredBy", "StartLimitBurst", *_NEEDS,
             "StartLimitInterval", "StartLimitIntervalSec"}  # fmt: skip
    return "" if key in known else "left out: claw has nothing like it"


# -- dependencies ------------------------------------------------------------------------------


def _put_dependencies(unit: Unit, job: Draft, made: dict[str, tuple[Unit, Draft]]) -> None:
    """Have a job wait for those among the imported ones that its unit needs or follows."""
    found: list[str] = []
    away: dict[str, list[str]] = {}
    for key in (*_NEEDS, *_ORDER):
        for value in unit.all("Unit", key):
            for name in value.text.split():
                if name in made and made[name][1] is not job:
                    found.append(made[name][1].name)
                elif name not in made:
                    away.setdefault(name, []).append(key)
    found = [name for name in dict.fromkeys(found) if not _leads_back(name, job, made)]
    if found:
        job.table["depends_on"] = found
    if away:
        names = ", ".join(away)
        keys = ", ".join(dict.fromkeys(key for one in away.values() for key in one))
        job.tell(keys, f"{names}: no jobs of claw; what it needs has to be there before it")


def _leads_back(name: str, job: Draft, made: dict[str, tuple[Unit, Draft]]) -> bool:
    other = next(one for _, one in made.values() if one.name == name)
    needs = other.table.get("depends_on")
    return isinstance(needs, list) and job.name in needs


# -- timers ------------------------------------------------------------------------------------


def _lone_timer(unit: Unit, options: Options, harvest: Harvest) -> None:
    """Have a timer whose service is not there ask systemd for it."""
    named = unit.one("Timer", "Unit")
    service = named.text if named else f"{unit.stem}.service"
    job = harvest.job(unit.stem, unit.file, 0)
    expand = _expand(unit, job, options)
    description = unit.one("Unit", "Description")
    if description is not None:
        job.table["description"] = expand(description.text)
    quoting.put_program(job.table, ["systemctl", "start", expand(service)])
    timers.put(job, unit)
    _tell_of_unit(unit, job)
    job.tell("Unit", f"{service} is not among the files: the job asks systemd to start it; to"
             " have claw run it, give its file as well")  # fmt: skip
