"""supervisord's configuration: programs, their groups and priorities, and what it includes.

See http://supervisord.org/configuration.html. A program is a ``continuous`` job; event
listeners, sockets of FastCGI programs and supervisord's own sections have no like in claw.
"""

import glob
import os.path
import re
import shlex
from bisect import bisect_left
from collections.abc import Sequence, Set
from dataclasses import dataclass

from claw.config.importers import inifile, quoting
from claw.config.importers.imported import Draft, Harvest, Options
from claw.config.importers.inifile import Section
from claw.config.importers.sources import Source, peek
from claw.config.importers.supervisorkeys import OF_SUPERVISORD, put_all
from claw.errors import UsageError
from claw.kernel.host import name as host_name

_EXPANSION = re.compile(
    r"(?P<template>%[A-Z_]{2,}%)|%(?:\((?P<name>[^()]+)\)(?P<form>\d*)(?P<kind>[sd])|(?P<other>.))",
    re.DOTALL,
)
_INHERITED = re.compile(r"ENV_[A-Za-z_][A-Za-z0-9_]*")
_KINDS = (
    "program",
    "fcgi-program",
    "eventlistener",
    "group",
    "include",
    "supervisord",
    "unix_http_server",
    "inet_http_server",
    "supervisorctl",
    "rpcinterface",
    "ctlplugin",
)
_OWN = (
    "unix_http_server", "inet_http_server", "supervisorctl", "rpcinterface", "ctlplugin",
)  # fmt: skip
_DEFAULT_PRIORITY = 999
_ALWAYS_THERE = ("PATH", "LANG", "TZ", "HOME", "USER", "LOGNAME", "SHELL")


@dataclass(frozen=True, slots=True)
class Program:
    """A section of a program, and what holds for all of its file."""

    section: Section
    source: Source
    name: str
    group: str


def read(sources: Sequence[Source], options: Options) -> Harvest:
    """Return the jobs of configurations of supervisord, with the files that they include.

    Raises:
        UsageError: One is no such file.
    """
    harvest = Harvest()
    whole: list[tuple[Source, Section]] = []
    for source in sources:
        found = _sections(source, harvest)
        if not any(_kind(one) in _KINDS for one in found):
            raise UsageError(f"{source.file} has no section like [program:NAME]")
        whole += [(source, one) for one in found]
        own = os.path.realpath(os.path.join(source.folder, source.name))  # noqa: PTH118
        others = {os.path.realpath(one.file): one for one in _included(source, found, harvest)}
        for other in (one for path, one in others.items() if path != own):
            whole += [(other, one) for one in _sections(other, harvest)]
    groups = _groups(whole)
    above = next((one for _, one in whole if one.name == "supervisord"), None)
    made: dict[str, tuple[int, Draft]] = {}
    for source, section in whole:
        kind, name = _kind(section), section.name.partition(":")[2].strip()
        if kind in {"program", "fcgi-program"}:
            program = Program(section, source, name, groups.get(name, (name, 0))[0])
            job = _make(program, above, options, harvest)
            if job is not None:
                made[name] = _priority(section, groups.get(name)), job
        else:
            _tell_of_other(source, section, kind, harvest)
    _tell_of_strangers(whole, made.keys(), harvest)
    _order(list(made.values()))
    return harvest


def _kind(section: Section) -> str:
    return section.name.partition(":")[0].strip()


def _sections(source: Source, harvest: Harvest) -> list[Section]:
    found = inifile.read(source.text)
    for line, text in found.unread:
        what = (
            "a template's: fill it in first"
            if text.startswith(("{%", "{{", "{#"))
            else "not understood"
        )
        harvest.tell(source.file, line, "", f"{text[:40]!r} is {what}; left out")
    for line, section, key in found.twice:
        harvest.tell(source.file, line, f"{section}.{key}", "said twice: the last one counts")
    return found.found


def _included(source: Source, sections: list[Section], harvest: Harvest) -> list[Source]:
    found: list[Source] = []
    for section in sections:
        if section.name != "include":
            continue
        for pattern in section.get("files").split():
            text = pattern.replace("%(here)s", source.folder)
            text = text.replace("%(host_node_name)s", host_name())
            paths = sorted(glob.glob(os.path.join(source.folder, text)))  # noqa: PTH118, PTH207
            files = [one for one in map(peek, paths) if one is not None]
            found += files
            if not files:
                harvest.tell(
                    source.file, section.line_of("files"), "include",
                    f"{pattern}: there is no such file that can be read",
                )  # fmt: skip
    return found


def _groups(whole: list[tuple[Source, Section]]) -> dict[str, tuple[str, int]]:
    """Return the group of each program that is in one, and the group's priority."""
    found: dict[str, tuple[str, int]] = {}
    for _source, section in whole:
        if _kind(section) == "group":
            group = section.name.partition(":")[2].strip()
            priority = _number(section.get("priority"), _DEFAULT_PRIORITY)
            for name in section.get("programs").split(","):
                found[name.strip()] = group, priority
    return found


def _tell_of_strangers(
    whole: list[tuple[Source, Section]], known: Set[str], harvest: Harvest
) -> None:
    """Tell of programs that a group names and that are not there."""
    for source, section in whole:
        names = section.get("programs").split(",") if _kind(section) == "group" else []
        for name in (one.strip() for one in names):
            if name and name not in known:
                text = f"{name}: left out: there is no such program"
                harvest.tell(source.file, section.line_of("programs"), section.name, text)


def _tell_of_other(source: Source, section: Section, kind: str, harvest: Harvest) -> None:
    """Tell what becomes of a section that is no program."""
    if kind == "eventlistener":
        text = (
            "left out: claw speaks no protocol of supervisord's events; what a listener did may"
            " be a hook on claw's events, see docs/notifications.md"
        )
        harvest.tell(source.file, section.line, section.name, text)
    elif kind == "supervisord":
        for key in (one for one in section.values if one not in OF_SUPERVISORD):
            text = "is no key of [supervisord], which passes it over, and so does claw"
            harvest.tell(source.file, section.line_of(key), key, text)
    elif kind in _OWN:
        text = "left out: it is about supervisord itself"
        harvest.tell(source.file, section.line, section.name, text)
    elif kind not in _KINDS:
        harvest.tell(
            source.file, section.line, section.name, "left out: no section of supervisord"
        )


# -- programs ------------------------------------------------------------------------------


class _Texts:
    """Expands ``%(name)s`` in the values of one program."""

    def __init__(self, program: Program, options: Options, job: Draft) -> None:
        self._known = {
            "here": program.source.folder,
            "program_name": program.name,
            "group_name": program.group,
            "host_node_name": host_name(),
        }
        self._environ = options.environ
        self._job = job
        self.inherited: list[str] = []
        self.unfilled: list[str] = []
        own = program.section
        self._first = _number(own.get("numprocs_start"), 0)
        self._is_alone = _number(own.get("numprocs", "1"), 2) == 1

    def of(self, key: str, section: Section, *, in_shell: bool = False) -> str:
        """Return a value with all that is known filled in."""
        line = section.line_of(key)

        def fill(found: re.Match[str]) -> str:
            return self._fill(found, key, line, in_shell=in_shell)

        return _EXPANSION.sub(fill, section.get(key))

    def _fill(self, found: re.Match[str], key: str, line: int, *, in_shell: bool) -> str:
        name = found["name"]
        if name is None:
            return self._plain(found, key, line)
        if name in self._known:
            return self._known[name]
        if name == "process_num":
            return self._number(found, key, line, in_shell=in_shell)
        if in_shell and _INHERITED.fullmatch(name):
            self.inherited.append(name[4:])
            return quoting.variable(name[4:])
        if name.startswith("ENV_") and name[4:] in self._environ:
            self._job.tell(key, f"{found[0]} is as it is here and now", line)
            return self._environ[name[4:]]
        return self._left(found, key, "not known here: fill it in; the job is disabled", line)

    def _plain(self, found: re.Match[str], key: str, line: int) -> str:
        """Return a percent sign that expands to nothing."""
        if found["template"]:
            return self._left(found, key, "a template's: fill it in", line)
        if found["other"] != "%":
            self._job.tell(key, f"{found[0]!r} is no expansion: left as it is", line)
            return found[0]
        return "%"

    def _left(self, found: re.Match[str], key: str, what: str, line: int) -> str:
        self._job.disable()
        self.unfilled.append(found[0])
        self._job.tell(key, f"{found[0]} is {what}", line)
        return found[0]

    def _number(self, found: re.Match[str], key: str, line: int, *, in_shell: bool) -> str:
        """Return the number of a process; claw counts its instances from 1."""
        if self._is_alone:
            return f"%{found['form']}d" % self._first
        if not in_shell:
            if self._first != 1:
                text = "claw counts its instances from 1, so ${instance} is another number"
                self._job.tell(key, text, line)
            return "${instance}"
        number = f"((CLAW_INSTANCE+{self._first - 1}))".replace("+-", "-")
        number = "CLAW_INSTANCE" if self._first == 1 else number
        if not found["form"]:
            return quoting.variable(number)
        dollar = f"${number}"
        return quoting.variable(f"(printf %{found['form']}d {dollar})")


def _make(
    program: Program, above: Section | None, options: Options, harvest: Harvest
) -> Draft | None:
    section, source = program.section, program.source
    if not section.get("command"):
        harvest.tell(source.file, section.line, section.name, "left out: it has no command")
        return None
    job = harvest.job(program.name, source.file, section.line)
    job.table["type"] = "continuous"
    texts = _Texts(program, options, job)
    _put_command(job, texts, section)
    if program.group != program.name:
        job.table["tags"] = [program.group]
    put_all(job, section, above, texts.of)
    _put_folder(job, source)
    names = [one for one in dict.fromkeys(texts.inherited) if one not in _ALWAYS_THERE]
    if "pidproxy" in str(job.table.get("command")):
        text = "pidproxy is supervisord's own: the program itself does, if it stays in front"
        job.tell("command", text, section.line_of("command"))
    if names:
        job.table["inherit_env"] = ["PATH", "LANG", "TZ", *names]
        job.tell("command", f"{', '.join(names)}: taken from the daemon's environment, so set"
                 " it there, or in env", section.line_of("command"))  # fmt: skip
    return job


def _put_folder(job: Draft, source: Source) -> None:
    """Give a program that is named by a relative path the folder of the file."""
    words = str(job.table.get("command", "")).removeprefix("exec ").split()
    first = words[0] if words else ""
    if "cwd" not in job.table and "/" in first and not first.startswith(("/", "~", "$", '"$')):
        job.table["cwd"] = source.folder
        job.tell("directory", "not said, and supervisord's own would count: taken to be that of"
                 " the file")  # fmt: skip


def _put_command(job: Draft, texts: _Texts, section: Section) -> None:
    text = texts.of("command", section, in_shell=True)
    line = section.line_of("command")
    plain = _EXPANSION.sub("", section.get("command"))
    placeholder = texts.unfilled[0] if texts.unfilled else quoting.placeholder_in(plain)
    if placeholder:
        job.disable()
        job.tell("command", f"{placeholder} is a template's: fill it in, and remove enabled ="
                 " false", line)  # fmt: skip
        job.table["command"] = quoting.without_variables(text)
        return
    try:
        words = shlex.split(text)
    except ValueError:
        words = []
    if not words:
        job.tell("command", "a quote is not closed: the line is kept for a shell", line)
        job.table["command"] = quoting.without_variables(text)
    elif quoting.has_variable(text):
        job.table["command"] = f"exec {quoting.words_as_line(words)}"
    else:
        quoting.put_program(job.table, words)


# -- order ---------------------------------------------------------------------------------


def _number(text: str, default: int) -> int:
    return int(text) if re.fullmatch(r"-?\d+", text) else default


def _priority(section: Section, group: tuple[str, int] | None) -> int:
    if group is not None and group[1] != _DEFAULT_PRIORITY:
        return group[1]
    return _number(section.get("priority"), _DEFAULT_PRIORITY)


def _order(made: list[tuple[int, Draft]]) -> None:
    """Have what starts with supervisord start in the order of its priorities."""
    starts = [
        (no, job)
        for no, job in made
        if job.table.get("autostart", True) is True and "enabled" not in job.table
    ]
    kept = [(no, job) for no, job in starts if job.part("restart").get("policy") != "never"]
    by_number: dict[int, list[str]] = {}
    for no, job in kept:
        by_number.setdefault(no, []).append(job.name)
    numbers = sorted(by_number)
    for no, job in starts:
        lower = bisect_left(numbers, no)
        if no == _DEFAULT_PRIORITY or not lower:
            continue  # it is last because nobody has said anything, or the first
        names = list(by_number[numbers[lower - 1]])
        job.table["depends_on"] = names
        job.tell(
            "priority",
            f"{no}: it starts when {', '.join(names)} is up (supervisord does not wait)",
        )
