"""What a daemon writes: configuration, database, journals, logs, the audit log."""

import os
import re
from collections.abc import Iterator

from claw.client import auditlog
from claw.errors import ConfigError
from claw.kernel import files, reading
from claw.master.doctor.case import Case
from claw.master.output import total
from claw.master.supervision import spools
from claw.model.finding import Finding, bad, doubtful, good, unknown
from claw.store import examine

_MIB = 1 << 20
_LARGE_LOG_BYTES = 256 * _MIB
_MANY = 3


def configuration(case: Case) -> Iterator[Finding]:
    """Whether the files are right, and loaded."""
    try:
        config = case.configuration.load()
    except ConfigError as error:
        yield bad(_mistakes(error), "clawctl config validate, then clawctl reload")
        return
    if case.known is not None and case.known.is_changed:
        yield doubtful("the files differ from what is loaded", "clawctl plan, clawctl reload")
        return
    yield good(f"{len(config.jobs)} jobs, no mistakes")


def _mistakes(error: ConfigError) -> str:
    """Return how many there are, and where: what is said of one may quote a value."""
    count = len(error.diagnostics)
    if not count:
        return error.message
    place = error.diagnostics[0].partition(": ")[0]
    return f"1 mistake: {place}" if count == 1 else f"{count} mistakes, the first: {place}"


def database(case: Case) -> Iterator[Finding]:
    """Whether each page of the database is sound, and its schema known."""
    path = case.home.database
    if case.known is not None and case.known.trouble is not None:
        yield bad(
            f"the last write failed: {case.known.trouble}",
            f"see that the disk of {path} has room and can be written",
        )
    if not files.exists(path):
        yield unknown("there is none yet", "clawctl daemon start")
        return
    wrong = examine.problem_of(path)
    size, log = examine.sizes_of(path)
    if wrong is not None:
        yield bad(
            f"it is damaged: {wrong}",
            "clawctl daemon restart: it is set aside and rebuilt from the journals",
        )
    elif log > _LARGE_LOG_BYTES:
        yield doubtful(
            f"its write-ahead log has {log // _MIB} MiB", "end who reads it for long: fuser -v"
        )
    else:
        yield good(f"sound, {max(size // _MIB, 1)} MiB")
    for name in _names_in(case.home.state):
        if name.startswith(f"{os.path.basename(path)}.damaged-") and "-wal" not in name:  # noqa: PTH119
            yield doubtful(
                f"{name} was damaged and set aside", "keep it elsewhere, or remove it"
            )


def journals(case: Case) -> Iterator[Finding]:
    """Whether there are journals, launch files or supervisors that nobody knows."""
    sids = spools.list_spools(case.home)
    living = [sid for sid in sids if files.is_locked(f"{case.home.spool}/{sid}/lock")]
    known = case.known
    if known is None:
        if living:
            yield doubtful(
                f"{len(living)} supervisors run without a daemon: nothing new begins",
                "clawctl daemon start",
            )
        else:
            yield good(f"{len(sids)} journals, no supervisor at work")
        return
    strange = known.strange
    lonely = [sid for sid in strange if sid in living]
    if lonely:
        yield bad(
            f"{len(lonely)} supervisors are at work that the database does not know: "
            f"{', '.join(lonely[:_MANY])}",
            "clawctl daemon restart takes them in",
        )
    elif strange:
        yield doubtful(
            f"{len(strange)} journals are of no run: {', '.join(strange[:_MANY])}",
            "clawctl daemon restart takes them in",
        )
    else:
        yield good(f"{len(sids)} journals, {len(living)} supervisors at work")


def launches(case: Case) -> Iterator[Finding]:
    """Whether files of launches are left of runs that are over and forgotten."""
    found = _names_in(case.home.launches)
    names = [name for name in found if _LAUNCH.fullmatch(name)]
    strays = sorted(set(found) - set(names))
    if strays:
        yield doubtful(
            f"{len(strays)} files in {case.home.launches} are of no launch: {strays[0]}",
            "see what it is, and remove it",
        )
    if case.known is None:
        yield unknown(f"{len(names)} files; a daemon would know of which runs")
        return
    folder, before = case.home.launches, case.now.timestamp() - _KEPT_S
    over = [name for name in names if name.partition(".")[0] not in case.known.open_runs]
    old = [name for name in over if _written_at(f"{folder}/{name}") < before]
    if len(old) > _MOST_LEFT:
        yield doubtful(
            f"{len(old)} launch files are left of runs that were over days ago",
            f"remove them from {folder}: {old[0]} is one; each harms nobody but takes room",
        )
    else:
        yield good(f"{len(names)} launch files")


_LAUNCH = re.compile(r"r[0-9a-v]+\.\d+")
_MOST_LEFT = 1000
_KEPT_S = 3 * 86400.0


def _written_at(path: str) -> float:
    try:
        return reading.facts_of(path).st_mtime
    except FileNotFoundError:  # gone meanwhile
        return float("inf")


def logs(case: Case) -> Iterator[Finding]:
    """How much the log folder holds, of what it may."""
    if not files.exists(case.home.log):
        yield unknown("there is no log folder")
        return
    most = case.known.log_total if case.known else case.configuration.current.daemon.log_total
    size, _files = total.survey(case.home.log)
    if most and size > most + (most >> 2):
        yield doubtful(
            f"{case.home.log} holds {size // _MIB} MiB, daemon.log_total is {most // _MIB}",
            "what is written just now is kept: log.max_size and log.keep of the largest job",
        )
    else:
        yield good(f"{size // _MIB} MiB of {most // _MIB or 'no bound'}")
    if not os.access(case.home.log, os.W_OK):
        yield bad(f"{case.home.log} cannot be written", "chown it to the daemon's user")


def audit_log(case: Case) -> Iterator[Finding]:
    """Whether the lines of the audit log still vouch for each other."""
    if not auditlog.files_in(case.home.log):
        yield unknown("nothing was changed yet")
        return
    wrong = list(auditlog.unseen(case.home.log))
    if wrong:
        beside = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        yield bad(
            f"{case.home.log}: {wrong[0].text}{beside}",
            "somebody has changed it: compare it with a backup, keep both; once that is done:"
            f" clawctl audit seen {' '.join(one.mark for one in wrong[:_MANY])}",
        )
    else:
        yield good("each line follows the one before it")


def _names_in(folder: str) -> list[str]:
    try:
        return files.names_in(folder)
    except OSError:
        return []
