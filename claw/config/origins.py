"""Where each value of a job comes from: its file, managed.toml over it, or ``[defaults]``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time

from claw.config import fields
from claw.config.merge import merged
from claw.config.report import Report
from claw.config.source import MAIN, MANAGED, Document, collect, parse


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a job, and who says it.

    Attributes:
        key: Its key, with dots.
        value: As TOML has it; dates and times as text.
        by: ``file``, ``managed`` or ``defaults``.
        file: Which file says it.
        line: On which line.
    """

    key: tuple[str, ...]
    value: object
    by: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Definition:
    """What the files say of one job.

    Attributes:
        table: All of it, merged, without what ``[defaults]`` says.
        managed: What managed.toml says of it.
        values: Each value and who says it, those of ``[defaults]`` last.
    """

    table: Mapping[str, object]
    managed: Mapping[str, object]
    values: tuple[Value, ...]


def definition(place: str, name: str, file: str) -> Definition | None:
    """Return what the files say of a job now; None when they no longer define it.

    Args:
        place: The folder of the files, or the one file.
        name: The job.
        file: The file that defines it.
    """
    wanted = [one for one in collect(place) if one.name in (MAIN, MANAGED) or one.file == file]
    report = Report([source.file for source in wanted])
    documents = [found for source in wanted if (found := parse(source, report))]
    managed = next((one for one in documents if one.is_managed), None)
    over = _table(managed, name)
    beneath: Mapping[str, object] = {}
    of_file: Document | None = None
    for document in documents:
        if not document.is_managed and name in document.jobs:
            of_file, beneath = document, _table(document, name)
    if not (beneath or over):
        return None
    table = merged(beneath, over)
    main = next((one for one in documents if one.is_main), None)
    values = [
        *_values(name, table, over, (of_file, managed)),
        *_defaults(main, table),
    ]
    return Definition(table, over, tuple(values))


def _table(document: Document | None, name: str) -> Mapping[str, object]:
    found = document.jobs.get(name) if document else None
    return found if isinstance(found, dict) else {}


def _values(
    name: str,
    table: Mapping[str, object],
    over: Mapping[str, object],
    documents: tuple[Document | None, Document | None],
) -> Iterator[Value]:
    for path, value in leaves(table):
        is_overs = _says(over, path)
        document = documents[is_overs]
        if document is not None:
            line = document.lines.of(("jobs", name, *path))
            by = "managed" if is_overs else "file"
            yield Value(path, plain(value), by, document.source.file, line)


def _defaults(main: Document | None, table: Mapping[str, object]) -> Iterator[Value]:
    defaults = main.tables.get("defaults") if main else None
    if main is None or not isinstance(defaults, dict):
        return
    for path, value in leaves(defaults):
        if not _says(table, path):
            line = main.lines.of(("defaults", *path))
            yield Value(path, plain(value), "defaults", main.source.file, line)


def leaves(
    table: Mapping[str, object], way: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield the values of a table and of those in it, with their keys."""
    for key, value in table.items():
        if isinstance(value, dict) and value and (not way or way[0] in fields.JOB.tables):
            yield from leaves(value, (*way, key))
        else:
            yield (*way, key), value


def _says(table: Mapping[str, object], path: tuple[str, ...]) -> bool:
    found: object = table
    for step in path:
        if not isinstance(found, dict) or step not in found:
            return False
        found = found[step]
    return True


def plain(value: object) -> object:
    """Return a value of TOML as JSON has it."""
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value
