"""Which events and files start a job: from what its table says to values."""

from collections.abc import Iterator
from typing import Any

from claw.config.check import Values
from claw.config.fields import JobKeys
from claw.config.keys.events import FileWatchKeys
from claw.config.locate import Path
from claw.model import paths
from claw.model.job import JobType
from claw.model.watching import FileWatch, Word

_SERVICE_SETTLE_S = 0.5
_TABLE = "watch"


def values_of(values: Values, kind: JobType, folder: str) -> dict[str, Any]:
    """Return the values of a job that say which events and files start it.

    Args:
        values: What its table says.
        kind: Its type.
        folder: Where relative paths start.
    """
    is_service = kind is JobType.CONTINUOUS
    table = values.table(_TABLE)
    return {
        "events": () if is_service else values[JobKeys.events],
        "watch": None
        if not table[FileWatchKeys.paths]
        else _watch(table, folder, is_service=is_service),
    }


def _watch(table: Values, folder: str, *, is_service: bool) -> FileWatch:
    words, settle_s = table[FileWatchKeys.events], table[FileWatchKeys.settle]
    usual = frozenset(Word) if is_service else FileWatch(paths=()).events
    return FileWatch(
        paths=tuple(paths.resolved(text, folder) for text in table[FileWatchKeys.paths]),
        events=usual if words is None else frozenset(words),
        is_recursive=table[FileWatchKeys.recursive],
        settle_s=(_SERVICE_SETTLE_S if is_service else 0.0) if settle_s is None else settle_s,
        is_existing_new=table[FileWatchKeys.existing] == "run",
    )


def faults(values: Values, kind: JobType) -> Iterator[tuple[Path, str]]:
    """Yield what contradicts among the events and files that start a job."""
    is_service = kind is JobType.CONTINUOUS
    if is_service and values.says(JobKeys.events):
        yield ("events",), "a continuous job is not started by events: remove it"
    if not values.says_table(_TABLE):
        return
    table = values.table(_TABLE)
    if not table[FileWatchKeys.paths]:
        yield (_TABLE,), 'nothing is watched: add paths = ["/srv/in/*.csv"]'
    if is_service and table.says(FileWatchKeys.existing):
        where = (_TABLE, FileWatchKeys.existing.name)
        yield where, "a continuous job is restarted by changes alone: remove it"
