"""What only a running daemon knows: its processes, and what it is worried about."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

import claw
from claw.kernel import files
from claw.master.doctor.case import Case
from claw.model.alerts import BACKUP, DELIVERY, DROPPED, TICKER, AlertKind
from claw.model.finding import Finding, bad, doubtful, good, unknown
from claw.model.units import format_duration

_NO_DAEMON = "no daemon runs"
_MANY = 3
_OF_TIME = {AlertKind.OVERDUE, AlertKind.STALE, TICKER}
_OF_MESSAGES = {DELIVERY, DROPPED}


def daemon(case: Case) -> Iterator[Finding]:
    """Whether a daemon runs, and is this program."""
    known = case.known
    if known is None:
        yield bad(_NO_DAEMON, "clawctl daemon start, or clawctl service install")
        return
    yield good(f"pid {known.pid}, version {known.version}")


def supervisors(case: Case) -> Iterator[Finding]:
    """Whether those who look after runs answer, and are of this version."""
    known = case.known
    if known is None:
        yield unknown(_NO_DAEMON)
        return
    if known.silent:
        yield bad(
            f"{len(known.silent)} do not answer: of {_first(known.silent)}",
            "clawctl why JOB; kill -9 of one harms no run: it is replaced",
        )
    old = sorted({version for _sid, _job, version in known.supervisors} - {known.version, ""})
    if old:
        count = sum(version in old for _sid, _job, version in known.supervisors)
        yield doubtful(
            f"{count} are still of version {', '.join(old)}",
            "they change with the next start of their jobs: clawctl restart TARGET",
        )
    if not known.silent and not old:
        yield good(f"{len(known.supervisors)} at work, all answer")


def fork_server(case: Case) -> Iterator[Finding]:
    """Whether there is one, and who else is there from before."""
    known = case.known
    if known is None:
        yield unknown(_NO_DAEMON)
        return
    if known.fork_server_pid is None:
        yield bad("there is none just now: no run can begin", "clawctl daemon logs says why")
    else:
        yield good(f"pid {known.fork_server_pid}{_elders(case)}")


def _elders(case: Case) -> str:
    own = f"forkserver-{claw.__version__}.sock"
    names = [name for name in files.names_in(case.home.run) if name.startswith("forkserver-")]
    others = [name for name in names if name.endswith(".sock") and name != own]
    return f"; and {len(others)} of other versions, until their runs end" if others else ""


def due(case: Case) -> Iterator[Finding]:
    """Whether what should have happened by now has."""
    yield from _alerts(case, _OF_TIME, "nothing is overdue")


def messages(case: Case) -> Iterator[Finding]:
    """Whether messages reach those whom they are for."""
    yield from _alerts(case, _OF_MESSAGES, "every channel takes what it is sent")


def attention(case: Case) -> Iterator[Finding]:
    """What else of the daemon itself asks for somebody."""
    known = case.known
    if known is None:
        yield unknown(_NO_DAEMON)
        return
    found = [one for one in known.alerts if one.job is None and _is_other(one.kind)]
    for one in found:
        yield doubtful(one.text, f"clawctl alerts ack {one.id}, once it is seen to")
    if not found:
        yield good("no alert of the daemon stands")


def secrets(case: Case) -> Iterator[Finding]:
    """Whether each secret that is referred to can be read."""
    known = case.known
    if known is None:
        yield unknown(_NO_DAEMON)
        return
    if not known.secrets:
        yield unknown("nothing refers to a secret")
        return
    wrong = [one for one in known.secrets if one[2] is not None]
    for name, user, problem in wrong[:_MANY]:
        yield bad(f"{user}: {problem}", f"clawctl secret set {name}, or clawctl secret list")
    if len(wrong) > _MANY:
        yield bad(f"and {len(wrong) - _MANY} more secrets", "clawctl secret list")
    if not wrong:
        yield good(f"{len(known.secrets)} can be read")


def backups(case: Case) -> Iterator[Finding]:
    """Whether the last backup is as young as it was asked to be."""
    if case.known is None:
        yield unknown(_NO_DAEMON)
        return
    known, every_s = case.known.backups, case.configuration.current.backup.every_s
    last = (
        f"the last one is {_age(case.now, known.last_at)}" if known.last_at else "there is none"
    )
    often = f"one is due each {format_duration(every_s)}"
    if not every_s:
        yield unknown(f"none are made without being asked for; {last}", "backup.every")
    elif known.failure is not None:
        yield bad(
            f"{known.failure}; {last}",
            "when that is mended, clawctl backup create makes it at once",
        )
    elif known.is_making:
        yield good(f"one is being made; {last}")
    elif not known.was_looked_at:
        yield unknown("the daemon has just begun to look at them")
    elif known.is_late(case.now, every_s):
        yield bad(f"{last}, {often}", "clawctl backup create; clawctl daemon logs")
    else:
        yield good(f"{last}, {often}")


def _age(now: datetime, at: datetime) -> str:
    return f"{format_duration(round(max((now - at).total_seconds(), 0.0)))} old"


def metrics_file(case: Case) -> Iterator[Finding]:
    """Whether figures can be written where they are asked for."""
    path = case.configuration.current.daemon.metrics_file
    if case.known is None:
        yield unknown(_NO_DAEMON)
    elif not path:
        yield unknown("daemon.metrics_file is not set")
    elif case.known.metrics_trouble is not None:
        yield bad(
            f"{path} is not written: {case.known.metrics_trouble}",
            "see that its folder is there, has room, and the daemon's user may write to it",
        )
    else:
        yield good(f"{path} is written")


def _is_other(kind: str) -> bool:
    return kind not in _OF_TIME | _OF_MESSAGES | {BACKUP}


def _alerts(case: Case, kinds: Collection[str], fine: str) -> Iterator[Finding]:
    known = case.known
    if known is None:
        yield unknown(_NO_DAEMON)
        return
    found = [one for one in known.alerts if one.kind in kinds]
    for one in found[:_MANY]:
        yield doubtful(one.text, f"clawctl alerts ack {one.id}, once it is seen to")
    if len(found) > _MANY:
        yield doubtful(f"and {len(found) - _MANY} more of the kind", "clawctl alerts list")
    if not found:
        yield good(fine)


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MANY} more" if len(names) > _MANY else ""
    return ", ".join(names[:_MANY]) + more
