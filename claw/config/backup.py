"""From the values of ``[backup]`` to `claw.model.backups.Settings`."""

from collections.abc import Callable, Iterator

from claw.config.check import BrokenError, Checker
from claw.config.fields import BACKUP
from claw.model import reference
from claw.model.backups import Settings

_make: Callable[..., Settings] = Settings


def read(checker: Checker, raw: object) -> Settings:
    """Return what the table says; what is wrong with it is reported."""
    table = checker.table(raw, ("backup",)) or {}
    values = checker.section(BACKUP, table, ("backup",))
    try:
        found = _make(**{field.attr: values[field] for field in BACKUP.fields.values()})
    except BrokenError:
        return Settings()
    for key, text in _faults(found):
        checker.wrong(("backup", key) if key in table else ("backup",), text)
    return found


def _faults(found: Settings) -> Iterator[tuple[str, str]]:
    if bool(found.access_key) != bool(found.secret_key):
        there = "access_key" if found.access_key else "secret_key"
        yield there, "access_key and secret_key go together: add the other one"
    if found.secret_key and not list(reference.references(found.secret_key)):
        yield "secret_key", "a key does not belong in this file: ${secret:NAME}"
