"""The keys of a program of supervisord: what each is in claw, or why it is nothing there."""

import os.path
import re
import shlex
from collections.abc import Callable

from claw.config.importers.imported import Draft
from claw.config.importers.inifile import Section
from claw.config.importers.quoting import literal
from claw.model.units import parse_size

_Text = Callable[[str, Section], str]

_OF_SUPERVISORD = """
    logfile logfile_maxbytes logfile_backups loglevel pidfile nodaemon silent minfds
    minprocs nocleanup childlogdir strip_ansi identifier environment umask user
    directory
"""
OF_SUPERVISORD = frozenset(f"{_OF_SUPERVISORD}".split())
"""Keys that are about supervisord itself."""

_SELF_EVIDENT_WORDS = """
    command process_name numprocs numprocs_start priority startsecs startretries
    autorestart exitcodes stopasgroup killasgroup autostart redirect_stderr
    stdout_capture_maxbytes stderr_capture_maxbytes stdout_events_enabled
    stderr_events_enabled serverurl socket stdout_logfile stderr_logfile
    stdout_logfile_maxbytes stderr_logfile_maxbytes stdout_logfile_backups
    stderr_logfile_backups stdout_syslog stderr_syslog environment directory umask user
    stopsignal stopwaitsecs socket_owner socket_mode socket_backlog
"""
_SELF_EVIDENT = frozenset(_SELF_EVIDENT_WORDS.split())
_TRUE = frozenset({"true", "yes", "on", "1", "t", "y"})
_NOWHERE = frozenset({"none", "/dev/null", "off"})
_STREAMS = frozenset(
    {
        "/dev/stdout",
        "/dev/stderr",
        "/dev/fd/1",
        "/dev/fd/2",
        "/proc/1/fd/1",
        "/proc/1/fd/2",
        "/proc/self/fd/1",
        "/proc/self/fd/2",
    }
)
_MANY = 1000


def put_all(job: Draft, section: Section, above: Section | None, text: _Text) -> None:
    """Carry over all keys but the command.

    Args:
        job: Takes them.
        section: Of the program.
        above: ``[supervisord]``, some of whose keys hold for all programs.
        text: Returns a key's value with its expansions.
    """
    _put_copies(job, section, text)
    _put_start(job, section)
    _put_restart(job, section)
    _put_stop(job, section)
    _put_surroundings(job, section, above, text)
    _put_environment(job, section, above, text)
    _put_log(job, section, text)
    _put_socket(job, section, text)
    for key in section.values:
        if key not in _SELF_EVIDENT:
            why = "claw has no such key: left out"
            if key.startswith("dependent_startup"):
                why = "of a plugin: left out; write depends_on"
            job.tell(key, why, section.line_of(key))


def _tells(job: Draft, section: Section) -> Callable[[str, str], None]:
    return lambda key, text: job.tell(key, text, section.line_of(key))


def _is_true(section: Section, key: str, *, default: bool) -> bool:
    return section.get(key).lower() in _TRUE if section.get(key) else default


def _put_copies(job: Draft, section: Section, text: _Text) -> None:
    count = text("numprocs", section)
    if count.isdigit() and 1 < int(count) <= _MANY:
        job.table["instances"] = int(count)
    elif count and count != "1" and not count.startswith("%"):
        _tells(job, section)(
            "numprocs", f"{section.get('numprocs')} is no number here: one process"
        )
    name = section.get("process_name")
    if (
        name
        and name not in {"%(program_name)s", section.name.partition(":")[2]}
        and ("process_num" not in name)
    ):
        _tells(job, section)("process_name", f"{name}: the job is called {job.name}")


def _put_start(job: Draft, section: Section) -> None:
    if not _is_true(section, "autostart", default=True):
        job.table["autostart"] = False


def _seconds(section: Section, key: str, default: int) -> int:
    found = section.get(key)
    return int(found) if found.isdigit() else default


def _put_restart(job: Draft, section: Section) -> None:
    tell = _tells(job, section)
    restart = job.part("restart")
    asked = section.get("autorestart", "unexpected").lower()
    is_unexpected = asked == "unexpected"
    policy = "on-failure" if is_unexpected else "always" if asked in _TRUE else "never"
    restart["policy"] = policy
    codes = [int(one) for one in re.findall(r"\d+", section.get("exitcodes"))]
    if codes and codes != [0]:
        job.table["success_codes"] = codes
    retries, lasts = _seconds(section, "startretries", 3), _seconds(section, "startsecs", 1)
    if policy == "never":
        if section.get("startretries") not in {"", "0"}:
            tell("startretries", "a job that is not restarted is not started again either")
        return
    if not lasts:
        restart["delays"] = ["0s"]  # each end is one of a program that was up
        return
    rungs = min(max(retries, 1), 100)
    restart["delays"] = [f"{second}s" for second in range(1, rungs + 1)]
    restart["reset_after"] = f"{lasts}s"
    if retries <= _MANY:
        window = sum(range(retries + 1)) + lasts * max(retries, 1)
        restart["start_limit"] = retries + 1
        restart["start_limit_window"] = f"{window}s"


def _put_stop(job: Draft, section: Section) -> None:
    stop = section.get("stopsignal", "TERM").upper().removeprefix("SIG")
    if stop != "TERM":
        job.table["stop_signal"] = stop
    waits = section.get("stopwaitsecs")
    job.table["grace_period"] = f"{_seconds(section, 'stopwaitsecs', 10)}s"
    if waits and not waits.isdigit():
        _tells(job, section)(
            "stopwaitsecs", f"{waits} is no number of seconds: 10, as without it"
        )


def _put_surroundings(job: Draft, section: Section, above: Section | None, text: _Text) -> None:
    for key, own in (("directory", "cwd"), ("umask", "umask"), ("user", "user")):
        where = section if key in section.values else above
        if where is None or key not in where.values:
            continue
        value = text(key, where)
        if own == "user" and value.startswith("%"):
            continue  # a template's, and told
        if own == "cwd":
            job.table["cwd"] = os.path.expanduser(value)  # noqa: PTH111
        elif own == "umask" and re.fullmatch(r"0?[0-7]{1,3}", value):
            job.table["umask"] = value.lstrip("0").rjust(3, "0")
        else:
            job.table[own] = value


def _put_environment(job: Draft, section: Section, above: Section | None, text: _Text) -> None:
    env: dict[str, object] = {}
    for where in (above, section):
        if where is None or not where.get("environment"):
            continue
        found = _pairs(text("environment", where))
        if found is None:
            say = 'left out: KEY="value",KEY2="value2" is expected'
            job.tell("environment", say, where.line_of("environment"))
        else:
            env |= found
    if env:
        job.table["env"] = env


def _pairs(text: str) -> dict[str, object] | None:
    """Return what ``KEY="value",KEY2=value2`` says, split as supervisord splits it."""
    lexer = shlex.shlex(text)
    lexer.wordchars += "/.+-():"
    try:
        words = list(lexer)
    except ValueError:
        return None
    found: dict[str, object] = {}
    while words:
        if len(words) < 3 or words[1] != "=":  # noqa: PLR2004
            return None
        found[words[0]] = literal(words[2].strip("\"'"))
        words = words[3:]
        if words and words.pop(0) != ",":
            return None
    return found


# -- output --------------------------------------------------------------------------------


def _put_log(job: Draft, section: Section, text: _Text) -> None:
    log: dict[str, object] = {}
    out, err = text("stdout_logfile", section), text("stderr_logfile", section)
    is_merged = _is_true(section, "redirect_stderr", default=False)
    _put_places(job, section, out, err, log)
    if not is_merged and err.lower() in _NOWHERE:
        log["stderr"] = "discard"
    elif not is_merged and err not in {"", out} and not (err in _STREAMS and out in _STREAMS):
        log["stderr"] = "separate"
    if "file" in _to(log):
        _put_sizes(job, section, log)
    if log:
        job.table["log"] = log


def _to(log: dict[str, object]) -> list[str]:
    found = log.get("to", ["file"])
    return found if isinstance(found, list) else []


def _put_places(
    job: Draft, section: Section, out: str, err: str, log: dict[str, object]
) -> None:
    tell = _tells(job, section)
    if out in _STREAMS:
        log["to"] = ["stdout"]
    elif _is_true(section, "stdout_syslog", default=False) or out.lower() == "syslog":
        log["to"] = ["file", "journal"]
        tell("stdout_syslog", "it goes to systemd's journal, and to claw's own file")
    elif out.lower() in _NOWHERE:
        tell("stdout_logfile", "output is kept in claw's own file: `clawctl logs`")
    own = "" if err == out else err
    for key, value in (("stdout_logfile", out), ("stderr_logfile", own)):
        if (
            value
            and value not in _STREAMS
            and value.lower() not in {*_NOWHERE, "auto", "syslog"}
        ):
            tell(key, f"{value} is not written: claw keeps the output itself, `clawctl logs`")


def _put_sizes(job: Draft, section: Section, log: dict[str, object]) -> None:
    tell = _tells(job, section)
    size = section.get("stdout_logfile_maxbytes")
    if size:
        amount = size.upper().removesuffix("B") or "0"
        try:
            parse_size(amount)
        except ValueError:
            tell("stdout_logfile_maxbytes", f"{size} is no size: left out")
        else:
            log["max_size"] = int(amount) if amount.isdigit() else amount
    keep = section.get("stdout_logfile_backups")
    if keep.isdigit() and int(keep):
        log["keep"] = int(keep)
    elif keep == "0":
        tell("stdout_logfile_backups", "claw keeps one closed file at least")
        log["keep"] = 1
    for key in ("stderr_logfile_maxbytes", "stderr_logfile_backups"):
        same = section.get(key.replace("stderr", "stdout"))
        if section.get(key) and same and section.get(key) != same:
            tell(key, "claw has one size and number for both outputs: that of stdout")


# -- sockets -------------------------------------------------------------------------------


def _put_socket(job: Draft, section: Section, text: _Text) -> None:
    """Have claw open the socket of a FastCGI program, and make it its standard input."""
    address = text("socket", section)
    if not address:
        return
    is_unix = address.startswith("unix://")
    table: dict[str, object] = {"address": f"unix:{address[7:]}" if is_unix else address}
    owner, _, group = section.get("socket_owner").partition(":")
    wanted = {"mode": section.get("socket_mode"), "owner": owner, "group": group}
    table |= {key: value for key, value in wanted.items() if value and is_unix}
    backlog = section.get("socket_backlog")
    table |= {"backlog": int(backlog)} if backlog.isdigit() else {}
    job.table["sockets"] = {"fcgi": table if len(table) > 1 else table["address"]}
    argv = job.table.pop("argv", None)
    line = shlex.join(argv) if isinstance(argv, list) else str(job.table["command"])
    line = line if line.startswith("exec ") else f"exec {line}"
    job.table["command"] = f"{line} <&3"
    _tells(job, section)(
        "socket", "claw opens it as descriptor 3, and <&3 makes it standard input"
    )
