"""All checks, in the order in which they are told. A new one is a function and a line here."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace

from claw.errors import ClawError
from claw.master.doctor import machine, places, records, running
from claw.master.doctor.case import Case
from claw.model.finding import Finding, Level

_LOG = logging.getLogger("claw.doctor")

Check = Callable[[Case], Iterator[Finding]]

CHECKS: dict[str, Check] = {
    "daemon": running.daemon,
    "configuration": records.configuration,
    "folders": places.folders,
    "socket": places.socket,
    "disk": places.disks,
    "writing": places.writing,
    "database": records.database,
    "journals": records.journals,
    "launches": records.launches,
    "supervisors": running.supervisors,
    "fork server": running.fork_server,
    "overdue": running.due,
    "messages": running.messages,
    "secrets": running.secrets,
    "backups": running.backups,
    "metrics file": running.metrics_file,
    "attention": running.attention,
    "logs": records.logs,
    "audit log": records.audit_log,
    "kernel": machine.kernel,
    "control groups": machine.groups,
    "limits": machine.limits,
    "clock": machine.clock,
    "time zones": machine.zones,
    "program": machine.program,
}
"""By what they look at."""


def look(case: Case) -> list[Finding]:
    """Make all checks; one that goes wrong itself is a finding and harms no other."""
    return [found for name, check in CHECKS.items() for found in _made(name, check, case)]


def _made(name: str, check: Check, case: Case) -> Iterator[Finding]:
    try:
        for found in check(case):
            yield replace(found, check=name)
    except (ClawError, OSError) as error:
        text = error.message if isinstance(error, ClawError) else _of_system(error)
        fix = (error.hint or "") if isinstance(error, ClawError) else ""
        yield Finding(Level.FAIL, text, fix or "clawctl daemon logs", name)
    except Exception as error:  # noqa: BLE001  a check's own mistake is no reason to tell nothing
        _LOG.exception("the check %r does not work", name)
        text = f"the check itself does not work: {type(error).__name__}: {error}"
        yield Finding(Level.FAIL, text, "tell us, with the daemon's log", name)


def _of_system(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def shown(findings: list[Finding]) -> dict[str, object]:
    """Return findings as they are sent: ``ok`` is false when anything does not work."""
    return {
        "ok": all(one.level is not Level.FAIL for one in findings),
        "findings": [
            {"check": one.check, "level": one.level, "text": one.text, "fix": one.fix or None}
            for one in findings
        ],
    }
