"""Crontabs: users' own, /etc/crontab and /etc/cron.d, those of busybox and the BSDs.

What cron does of which claw has the like is carried: variables from the line on where they are
set, ``%`` in commands, ``~`` ranges, flags of OpenBSD. claw's own ways hold where cron has
none: of a job one run is active at a time, and its output is kept, not mailed.
"""

import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from claw.config.command import SHELL_WORDS
from claw.config.importers import cronline, naming, quoting
from claw.config.importers.cronline import Entry, Setting
from claw.config.importers.imported import Draft, Harvest, Options
from claw.config.importers.sources import Source
from claw.config.when import ZONE
from claw.errors import UsageError
from claw.kernel import accounts
from claw.model.units import format_duration

_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}\$?")
_HEADING = (
    frozenset({"min", "minute", "m"}),
    frozenset({"hour", "h"}),
    frozenset({"command", "cmd", "month", "mon"}),
)
"""Words of which one of each stands in a comment that names the columns, in that order."""
_LONGEST_HEADING = 200
_FLAGS = re.compile(r"-([nqs]+)\s+")
_LONGEST_DESCRIPTION = 300
_MAILERS = ("MAILTO", "MAILFROM", "CONTENT_TYPE", "CONTENT_TRANSFER_ENCODING", "MAIL_RC")
_HEAD = (
    "cron begins a run also while the last one still runs; claw skips it: max_instances = 2, or"
    ' on_overlap = "queue", has it otherwise. Times that pass while nothing can run are passed'
    ' over, as by cron: catch_up = "once" makes up for them.'
)
_UNUSED = {
    "START_HOURS_RANGE": "of anacron; see hours",
    "LOGNAME": "claw sets it itself",
    "USER": "claw sets it itself",
}
_NO_MAIL = (
    "claw sends no mail of its own: `clawctl logs` shows the output; to have it sent, see"
    " delivery and alerts in docs/notifications.md"
)


@dataclass
class _State:
    """What the lines so far have set."""

    env: dict[str, str] = field(default_factory=dict)
    shell: str = ""
    home: str = ""
    zone: str = ""
    delay_s: float = 0.0
    places: dict[str, int] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def read(sources: Sequence[Source], options: Options) -> Harvest:
    """Return the jobs of crontabs.

    Raises:
        UsageError: One of them is no crontab.
    """
    harvest = Harvest(head=[_HEAD])
    for source in sources:
        _read(source, options, harvest)
    return harvest


def _read(source: Source, options: Options, harvest: Harvest) -> None:
    lines = source.text.split("\n")
    found = [
        (number, text, cronline.read(number, text) if _says(text) else None)
        for number, text in enumerate(lines, start=1)
    ]
    entries = [one for _, _, one in found if isinstance(one, Entry)]
    unread = [(number, text) for number, text, one in found if _says(text) and one is None]
    if unread and not entries:
        raise UsageError(f"{source.file}:{unread[0][0]}: this is no line of a crontab")
    for number, _text in unread:
        harvest.tell(source.file, number, "", "not understood: no setting, no time; left out")
    has_user = _has_users(source, entries, options, harvest)
    names = dict(zip(map(id, entries), _names(entries, has_user=has_user), strict=True))
    state = _State(home="")
    for number, text, one in found:
        if isinstance(one, Setting):
            _set(state, one, source, harvest)
            state.remarks = []
        elif isinstance(one, Entry):
            job = harvest.job(naming.cleaned(names[id(one)]), source.file, number)
            job.is_unnamed = True
            if not _make(job, one, state, options, has_user=has_user):
                harvest.drop(job)
            state.remarks = []
        else:
            _remark(state, text)


def _says(text: str) -> bool:
    return bool(text.strip()) and not text.lstrip().startswith("#")


def _remark(state: _State, text: str) -> None:
    """Keep the comment that stands right above an entry; not an entry that is commented out."""
    words = text.strip().lstrip("#").strip()
    is_other = not text.lstrip().startswith("#") or _is_heading(words)
    if is_other or not words or cronline.read(0, words) is not None:
        state.remarks = []
    else:
        state.remarks.append(words)


def _is_heading(text: str) -> bool:
    words = iter(re.findall(r"\w+", text[:_LONGEST_HEADING].lower()))
    return all(any(word in column for word in words) for column in _HEADING)


# -- users ---------------------------------------------------------------------------------


def _has_users(
    source: Source, entries: list[Entry], options: Options, harvest: Harvest
) -> bool:
    """Tell whether the sixth column is a user; where that is guessed, say so."""
    if options.user:
        return False
    words = [one.rest.split(maxsplit=1) for one in entries]
    could = bool(words) and all(len(one) > 1 and _ACCOUNT.fullmatch(one[0]) for one in words)
    is_systems = options.system or _is_systems_place(source)
    if could and (is_systems or _are_users({one[0]: one[1] for one in words})):
        if not is_systems:
            harvest.tell(
                source.file, entries[0].line, "user",
                "taken for the system's crontab, with a column of users; --user says otherwise",
            )  # fmt: skip
        return True
    if is_systems and entries:
        mixed = any(len(one) > 1 and _ACCOUNT.fullmatch(one[0]) for one in words)
        if mixed:
            return True
        harvest.tell(
            source.file, entries[0].line, "user",
            "the column of users is missing, and cron would not run this there: the jobs run as"
            " claw's own user",
        )  # fmt: skip
    return False


def _is_systems_place(source: Source) -> bool:
    path = PurePath(source.folder, source.name)
    return path.parent.name == "cron.d" or path == PurePath("/etc/crontab")


def _are_users(words: dict[str, str]) -> bool:
    """Tell whether the sixth words are users: some are, and none is a program with options."""
    if any(rest.startswith("-") for rest in words.values()) or SHELL_WORDS & words.keys():
        return False
    known = [word for word in words if accounts.user_id(word) is not None]
    if "root" in known:
        return True
    programs = [word for word in words if shutil.which(word)]
    return (
        not programs
        and (bool(known) or len(words) == 1)
        and all(
            word in known or rest.startswith(("/", "cd ", "test ", "["))
            for word, rest in words.items()
        )
    )


def _names(entries: list[Entry], *, has_user: bool) -> list[str]:
    commands = [
        one.rest.split(maxsplit=1)[-1] if has_user and len(one.rest.split()) > 1 else one.rest
        for one in entries
    ]
    return naming.of_commands(
        _without_stdin(_FLAGS.sub("", one, count=1))[0] for one in commands
    )


# -- settings ------------------------------------------------------------------------------


def _set(state: _State, one: Setting, source: Source, harvest: Harvest) -> None:
    state.places[one.name] = one.line
    if one.name == "SHELL":
        state.shell = one.value
    elif one.name == "HOME":
        state.home = one.value
    elif one.name in _MAILERS:
        if one.value:
            harvest.tell(source.file, one.line, one.name, _NO_MAIL)
    elif one.name == "CRON_TZ":
        state.zone = one.value
    elif one.name == "RANDOM_DELAY" and one.value.isdigit():
        state.delay_s = int(one.value) * 60
    elif one.name in _UNUSED:
        harvest.tell(source.file, one.line, one.name, f"left out: {_UNUSED[one.name]}")
    else:
        state.env[one.name] = quoting.literal(one.value)


# -- jobs ----------------------------------------------------------------------------------


def _make(job: Draft, entry: Entry, state: _State, options: Options, *, has_user: bool) -> bool:
    """Fill in a job; False: it cannot be one, and is told of."""
    rest, user = entry.rest, options.user
    if has_user:
        user, _, rest = rest.partition(" ") if " " in rest else rest.partition("\t")
        if "\t" in user:
            user, _, rest = entry.rest.partition("\t")
        rest = rest.strip()
    rest = _without_flags(job, rest)
    command, stdin = _without_stdin(rest)
    placeholder = quoting.placeholder_in(rest)
    if placeholder:
        command, stdin = rest, None
        job.disable()
        job.tell("", f"{placeholder} is a template's: fill it in, and remove enabled = false")
    problem = _command_problem(command)
    try:
        times = cronline.times_of(entry.times)
    except ValueError as error:
        problem = problem or f"left out: {error}"
        times = cronline.Times("")
    if problem:
        job.tell(entry.times, problem)
        return False
    _put_command(job, command, stdin, state)
    _put_times(job, times, entry, state)
    _put_surroundings(job, state)
    if user:
        job.table["user"] = user
    return True


def _command_problem(command: str) -> str:
    if not command:
        return "left out: there is no command"
    if quoting.is_foreign(command):
        return "left out: this is no command of a shell, but of another program's own crontab"
    return ""


def _without_flags(job: Draft, rest: str) -> str:
    """Take off OpenBSD's flags before a command."""
    found = _FLAGS.match(rest)
    if found is None:
        return rest
    if "n" in found[1] or "q" in found[1]:
        job.tell(f"-{found[1]}", "nothing is mailed or logged by cron any more: of no effect")
    return rest[found.end() :]


def _without_stdin(text: str) -> tuple[str, list[str] | None]:
    """Return a command, and the lines of its standard input, which begin after a ``%``."""
    parts = re.split(r"(?<!\\)%", text)
    lines = [part.replace("\\%", "%") for part in parts]
    return lines[0].strip(), lines[1:] if len(lines) > 1 else None


def _put_command(job: Draft, command: str, stdin: list[str] | None, state: _State) -> None:
    if stdin is not None:
        given = " ".join(map(_quoted, stdin))
        command = f"printf '%s\\n' {given} | {{\n{command}\n}}"
    job.table["command"] = command
    if state.shell and state.shell != "/bin/sh":
        job.table["shell"] = state.shell


def _quoted(text: str) -> str:
    return quoting.line_of([text])


def _put_times(job: Draft, times: cronline.Times, entry: Entry, state: _State) -> None:
    job.table["schedule"] = times.schedule
    jitter_s = times.jitter_s + (0 if times.schedule == "@reboot" else state.delay_s)
    if jitter_s:
        job.table["jitter"] = format_duration(jitter_s)
    if times.remark:
        job.tell(entry.times, times.remark)
    if len(entry.times.split()) > 5:  # noqa: PLR2004
        job.tell(entry.times, "six fields: the first is taken for seconds")
    if entry.is_quiet:
        job.tell("-", "the dash, which keeps cron from logging it, is of no effect")
    if times.schedule != "@reboot" and not times.schedule.startswith("@every"):
        job.table["catch_up"] = "none"
    if not state.zone:
        return
    try:
        job.table["timezone"] = ZONE.parse(state.zone)
    except ValueError as error:
        job.disable()
        job.tell("CRON_TZ", f"{error}: the job is disabled", state.places["CRON_TZ"])


def _put_surroundings(job: Draft, state: _State) -> None:
    if state.home:
        job.table["cwd"] = state.home  # cron changes to $HOME, whatever it is
        job.part("env")["HOME"] = state.home
    if state.env:
        job.part("env").update(state.env)
    if state.remarks:
        text = " ".join(state.remarks)
        clean = " ".join("".join(one if one.isprintable() else " " for one in text).split())
        if len(clean) > _LONGEST_DESCRIPTION:
            job.remarks.append(clean)
        else:
            job.table = {"description": clean, **job.table}
