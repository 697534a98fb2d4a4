"""One table of a file against one table of `claw.config.fields`.

Nothing is raised: every mistake goes to the report with its file, line and key path, and
`Values` remembers which keys were wrong, so that no second error is made out of them.
"""

from collections.abc import Mapping
from typing import TypeVar, cast

from claw.config import fields
from claw.config.elsewhere import ELSEWHERE
from claw.config.kinds import MistakesError, nearest, show
from claw.config.locate import Lines, Path
from claw.config.report import Diagnostic, Report, dotted
from claw.config.table import Field, Section
from claw.model import reference

T = TypeVar("T")


class BrokenError(Exception):
    """A value that was refused already is asked for; internal to `claw.config`."""


class Values:
    """What one table says, over what ``[defaults]`` says, over the fields' own defaults."""

    __slots__ = ("_beneath", "_broken", "_own", "_tables")

    def __init__(self, beneath: "Values | None" = None) -> None:
        self._own: dict[str, object] = {}
        self._broken: set[str] = set()
        self._tables: dict[str, Values] = {}
        self._beneath = beneath

    def put(self, key: str, value: object) -> None:
        """Take in a value of the table itself."""
        self._own[key] = value

    def put_table(self, key: str, values: "Values") -> None:
        """Take in a nested table."""
        self._tables[key] = values

    def mark_broken(self, key: str) -> None:
        """Remember that a key is there and its value is wrong."""
        self._broken.add(key)

    def __getitem__(self, field: Field[T]) -> T:
        if field.name in self._broken:
            raise BrokenError(field.name)
        if field.name in self._own:
            return cast("T", self._own[field.name])
        return field.default if self._beneath is None else self._beneath[field]

    def or_default(self, field: Field[T]) -> T:
        """Return a value, or the field's default when it was refused."""
        try:
            return self[field]
        except BrokenError:
            return field.default

    @property
    def is_empty(self) -> bool:
        """Whether neither this table nor ``[defaults]`` says anything."""
        own = self._own or self._broken or self._tables
        return not own and (self._beneath is None or self._beneath.is_empty)

    def says(self, field: Field[T]) -> bool:
        """Tell whether this very table names a key, be its value right or wrong."""
        return field.name in self._own or field.name in self._broken

    def has(self, field: Field[T]) -> bool:
        """Tell whether this table or ``[defaults]`` names a key."""
        return self.says(field) or (self._beneath is not None and self._beneath.has(field))

    def beneath(self, field: Field[T]) -> T:
        """Return what a key would be if this table did not name it."""
        return field.default if self._beneath is None else self._beneath[field]

    def says_table(self, key: str) -> bool:
        """Tell whether this very table has a nested one."""
        return key in self._tables or key in self._broken

    def has_table(self, key: str) -> bool:
        """Tell whether this table or ``[defaults]`` has a nested one, be it empty."""
        return self.says_table(key) or (
            self._beneath is not None and self._beneath.has_table(key)
        )

    def table(self, key: str) -> "Values":
        """Return a nested table, over that of ``[defaults]``; empty when nobody has one."""
        return self._tables.get(key) or Values(self.beneath_table(key))

    def beneath_table(self, key: str) -> "Values | None":
        """Return a nested table as ``[defaults]`` has it."""
        return None if self._beneath is None else self._beneath.table(key)


class Checker:
    """Checks the tables of one file."""

    __slots__ = ("file", "lines", "report")

    def __init__(self, file: str, lines: Lines, report: Report) -> None:
        self.file = file
        self.lines = lines
        self.report = report

    def wrong(self, path: Path, text: str) -> None:
        """Report a mistake at a key path."""
        self.report.add(Diagnostic(self.file, self.lines.of(path), path, text))

    def table(self, value: object, path: Path) -> Mapping[str, object] | None:
        """Return a value as the table it should be; None, and a report, when it is none."""
        if isinstance(value, dict):
            return value
        header = "jobs.NAME" if path == ("jobs",) else dotted(path)
        once = " once" if isinstance(value, list) else ", and its keys below"
        self.wrong(path, f"a table is expected, not {show(value)}: write [{header}]{once}")
        return None

    def section(
        self,
        section: Section,
        raw: Mapping[str, object],
        path: Path,
        beneath: Values | None = None,
    ) -> Values:
        """Return the values of a table; what is wrong with them is in the report."""
        values = Values(beneath)
        for key, value in raw.items():
            if key in section.fields:
                self._field(section.fields[key], value, (*path, key), values)
            elif key in section.tables:
                self._nested(section.tables[key], value, (*path, key), values)
            else:
                near = "" if key in section.later else hint(section, key)
                self.unknown((*path, key), section.later, near)
        return values

    def unknown(self, path: Path, later: frozenset[str], near: str) -> None:
        """Report a key that is not known, or not yet."""
        if path[-1] in later:
            self.wrong(path, "not available yet in this version: remove it")
        else:
            self.wrong(path, f"unknown key{near}")

    def _field(self, field: Field[object], value: object, path: Path, values: Values) -> None:
        found = None if field.kind.refers else _reference_in(value)
        if found:
            values.mark_broken(field.name)
            self.wrong(path, f"{found} cannot stand here: only in env, URLs and headers")
            return
        try:
            values.put(field.name, field.kind.parse(value))
        except MistakesError as mistakes:
            values.mark_broken(field.name)
            for way, text in mistakes.items:
                self.wrong((*path, *way), text)
        except ValueError as error:
            values.mark_broken(field.name)
            self.wrong(path, str(error))

    def _nested(self, section: Section, value: object, path: Path, values: Values) -> None:
        raw = self.table(value, path)
        if raw is None:
            values.mark_broken(section.name)
            return
        beneath = values.beneath_table(section.name)
        values.put_table(section.name, self.section(section, raw, path, beneath))


def _reference_in(value: object) -> str:
    """Return the first reference in a value that may hold none, or ''."""
    if isinstance(value, str):
        return next(map(str, reference.references(value)), "")
    if isinstance(value, dict | list):
        items = value.values() if isinstance(value, dict) else value
        return next(filter(None, map(_reference_in, items)), "")
    return ""


def hint(section: Section, key: str) -> str:
    """Return where an unknown key of a table probably belongs, as the end of a sentence."""
    elsewhere = ELSEWHERE.get(key.lower().replace("-", "_"))
    if elsewhere and section is fields.JOB:
        return f", here it is called {elsewhere}"
    for name, table in section.tables.items():
        if key in table.fields:
            return f', did you mean "{name}.{key}"?'
    known = section.known()
    near = nearest(key, known)
    if near or len(known) <= _MANY:
        return near or f"; known are {', '.join(known)}"
    return "; all keys are told by: clawctl config schema"


_MANY = 20
"""More keys than a line can name."""
