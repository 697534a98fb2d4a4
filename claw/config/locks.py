"""From the values of ``[locks]`` to `claw.model.lock.Locks`, and what contradicts there."""

import re
from collections.abc import Callable, Iterable, Iterator

from claw.config.check import BrokenError, Checker
from claw.config.fields import LOCKS
from claw.config.keys.locks import LocksKeys
from claw.config.table import Field
from claw.model.job import Job
from claw.model.lock import Backend, Locks

_make: Callable[..., Locks] = Locks
_NEEDED: dict[Backend, Field[object]] = {
    Backend.FOLDER: LocksKeys.folder,  # type: ignore[dict-item]
    Backend.ETCD: LocksKeys.endpoints,  # type: ignore[dict-item]
    Backend.POSTGRES: LocksKeys.dsn,  # type: ignore[dict-item]
}
_TABLE = re.compile(r"[a-z_][a-z0-9_]{0,50}(\.[a-z_][a-z0-9_]{0,50})?")
_SECRET = re.compile(r"\bpassword\s*=(?!\s*'?\$\{)|://[^/@\s]*:(?!\$\{)[^/@\s]*@")


def read(checker: Checker, raw: object) -> Locks:
    """Return what the table says; what is wrong with it is reported."""
    table = checker.table(raw, ("locks",)) or {}
    values = checker.section(LOCKS, table, ("locks",))
    try:
        found = _make(**{field.attr: values[field] for field in LOCKS.fields.values()})
    except BrokenError:
        return Locks()
    for key, text in _faults(found):
        checker.wrong(("locks", key) if key in table else ("locks",), text)
    return found


def _faults(locks: Locks) -> Iterator[tuple[str, str]]:
    needed = _NEEDED.get(locks.backend)
    if needed is not None and not getattr(locks, needed.attr):
        yield "backend", f'backend = "{locks.backend}" needs {needed.name}: add it'
    if locks.folder and not locks.folder.startswith("/"):
        yield "folder", "it has to be an absolute path: the same folder for all daemons"
    for endpoint in locks.endpoints:
        if not re.fullmatch(r"https?://[^/\s]+/?", endpoint):
            yield "endpoints", f"{endpoint!r} is no address: write http://HOST:2379"
    if _SECRET.search(locks.dsn):
        yield "dsn", "a password does not belong in this file: ${secret:NAME}, or ~/.pgpass"
    if not _TABLE.fullmatch(locks.table):
        yield "table", f"{locks.table!r} is no name for a table: small letters, digits and _"
    if bool(locks.cert) != bool(locks.key):
        yield "cert" if locks.cert else "key", "cert and key go together: add the other one"


def mistakes(jobs: Iterable[Job]) -> Iterator[tuple[Job, str]]:
    """Yield the jobs of which a run could never get the lock, with what is wrong."""
    for job in jobs:
        if job.lock and job.instances > 1:
            yield job, f"of {job.instances} instances only one could ever hold it: remove it"
