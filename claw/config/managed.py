"""managed.toml: what clawctl writes of jobs, and how it is changed.

Whole jobs, and single keys over those of jobs that other files define. Nothing else writes
it but people; what they have written is kept, but for comments and order. A change is made of
a copy in memory, which is validated with all other files before it takes the file's place.
"""

import os
import stat
import tomllib
from collections.abc import Collection, Mapping, Sequence
from typing import cast

import tomli_w

from claw.config import provenance, setting
from claw.config.making import is_made
from claw.config.merge import merged
from claw.config.report import Report
from claw.config.setting import Change, Op, Table
from claw.config.source import MAIN, MANAGED, Document, collect, is_single_file, parse
from claw.errors import ConflictError, NotFoundError, UnsupportedError, UsageError
from claw.kernel import files, reading
from claw.model import ids

_HEAD = """\
# Written by clawctl: jobs made with `clawctl job add`, and keys that override those of jobs
# which other files define. Edit it if you like, then `clawctl reload`; comments are not kept.

"""
_NEW_MODE = 0o600
_FOLDER_MODE = 0o755


class Managed:
    """The file as it is to be.

    Attributes:
        file: Its path.
        jobs: Its tables of jobs, to be changed in place.
        touched: Names of the jobs that were changed.
    """

    def __init__(self, place: str, *, as_root: bool) -> None:
        """Read it.

        Raises:
            ConfigError: It cannot be read, or is no TOML: it is left as it is.
            UnsupportedError: The configuration is one file.
        """
        if is_single_file(place):
            raise UnsupportedError(
                f"this configuration is one file, {place}: jobs are added there",
                hint="edit it, and `clawctl reload` or `clawctl up`",
            )
        self.file = f"{place.rstrip('/')}/{MANAGED}"
        self._place = place
        sources = collect(place, as_root=as_root)
        report = Report([source.file for source in sources])
        found = [source for source in sources if source.name == MANAGED]
        parsed = [parse(source, report) for source in found]
        report.refuse()
        self._before = found[0].raw if found else None
        self._others = [source for source in sources if source.name != MANAGED]
        self._documents: list[Document] | None = None
        self._tables: Table = dict(parsed[0].tables) if parsed and parsed[0] else {}
        jobs = self._tables.get("jobs", {})
        if not isinstance(jobs, dict):
            raise ConflictError(f"{self.file}: jobs is no table", hint="correct it by hand")
        self.jobs: dict[str, Table] = {**jobs}
        self.touched: dict[str, None] = {}

    def _read_others(self) -> list[Document]:
        """Return the other files, as far as they can be read; `load` tells of the rest."""
        if self._documents is None:
            report = Report([source.file for source in self._others])
            found = [parse(source, report) for source in self._others]
            self._documents = [document for document in found if document]
        return self._documents

    def written(self, name: str) -> Mapping[str, object] | None:
        """Return a job's table as another file has it."""
        for document in self._read_others():
            found = document.jobs.get(name)
            if isinstance(found, dict):
                return found
        return None

    def place_of(self, name: str) -> str:
        """Return ``FILE:LINE`` of a job that another file defines."""
        for document in self._read_others():
            if name in document.jobs:
                line = document.lines.of(("jobs", name))
                return f"{document.source.file}:{line}"
        return self.file

    def default(self, key: str) -> object:
        """Return what ``[defaults]`` says of a key; None for nothing."""
        for document in self._read_others():
            defaults = document.tables.get("defaults")
            if document.source.name == MAIN and isinstance(defaults, dict):
                return cast("object", defaults.get(key))
        return None

    def add(self, name: str, table: Mapping[str, object], *, origin: str) -> None:
        """Add a whole job. One that is there with the same definition stays as it is.

        Raises:
            UsageError: The name is none.
            ConflictError: There is another job of that name.
        """
        problem = ids.name_problem(name)
        if problem:
            raise UsageError(f"{name!r} is no good name for a job: {problem}")
        if self.written(name) is not None:
            raise ConflictError(
                f"job {name!r} is there already, in {self.place_of(name)}",
                hint=f"to change it: clawctl job set {name} KEY=VALUE",
            )
        made = {**({"origin": origin} if origin else {}), **table}
        known = self.jobs.get(name)
        if known is not None and not _says_the_same(known, made):
            by_hand = f"clawctl job set {name} KEY=VALUE, or clawctl job edit {name}"
            is_import = None not in {provenance.file_of(known), provenance.file_of(made)}
            raise ConflictError(
                f"job {name!r} is there already, in {self.file}",
                hint="clawctl import ... --apply --update" if is_import else by_hand,
            )
        self.jobs.setdefault(name, provenance.stamped(made))
        self.touched[name] = None

    def renew(self, name: str, table: Mapping[str, object], *, origin: str) -> str | None:
        """Put an imported job in place of what an import of the same file has made.

        Args:
            name: Of the job.
            table: What the file says now.
            origin: Of a new job that comes from no file.

        Returns:
            Why nothing is changed: somebody has made, or changed, what is there. None: it is
            as the file says now.

        Raises:
            UsageError: The name is none.
        """
        if self.written(name) is not None:
            return f"it is defined by hand in {self.place_of(name)}: left as it is"
        known = self.jobs.get(name)
        if known is None:
            self.add(name, table, origin=origin)
            return None
        file = provenance.file_of(table)
        is_its = file is not None and provenance.file_of(known) == file
        is_same = _says_the_same(known, table)
        why = None if is_same else _why_left(name, known, file)
        if why is None and is_its:
            self._put(name, provenance.stamped(table))
        return why

    def left_of(self, sources: Collection[str], names: Collection[str]) -> list[str]:
        """Return the jobs that imports of some files have made, and that none of these are."""
        return [
            name
            for name, table in self.jobs.items()
            if name not in names and provenance.file_of(table) in sources
        ]

    def replace(self, name: str, table: Mapping[str, object]) -> None:
        """Put another table in place of what the file says of a job; empty: nothing."""
        known = self.jobs.get(name, {})
        origin = {"origin": known["origin"]} if "origin" in known else {}
        self._put(name, {**table, **origin, **table} if table else {})

    def change(self, name: str, changes: Sequence[Change]) -> None:
        """Change some keys of a job, be it managed or another file's.

        Raises:
            NotFoundError: No file defines it.
            UsageError: As for `setting.apply`.
        """
        written = self.written(name)
        table = _copy(self.jobs.get(name, {}))
        if written is None and name not in self.jobs:
            raise NotFoundError(f"no job {name!r}", hint="clawctl job list lists them")
        if written is not None and is_made(table):
            table = {}  # it goes over nothing
        for one in changes:
            setting.apply(table, written or {}, one)
        if written is not None:
            _drop_same(table, written)
        self._put(name, table)

    def switch(self, name: str, *, on: bool) -> None:
        """Enable or disable a job, by as little as possible.

        Raises:
            NotFoundError: No file defines it.
        """
        written = self.written(name) or {}
        otherwise = written.get("enabled", self.default("enabled"))
        is_on = True if otherwise is None else otherwise
        op = Op.UNSET if is_on is on else Op.SET
        self.change(name, [Change(("enabled",), op, on)])

    def remove(self, name: str, *, override: bool) -> None:
        """Remove a job, or with ``override`` what the file says over another file's job.

        Raises:
            NotFoundError: There is nothing to remove.
            ConflictError: Another file defines the job.
        """
        is_written = self.written(name) is not None
        if is_written and not override:
            raise ConflictError(
                f"job {name!r} is defined by hand in {self.place_of(name)}",
                hint="remove it there and reload; --override takes back what overrides it",
            )
        if name not in self.jobs:
            what = f"nothing overrides job {name!r}" if is_written else f"no job {name!r}"
            raise NotFoundError(what, hint="clawctl job list lists the jobs")
        self._put(name, {})

    def _put(self, name: str, table: Table) -> None:
        self.touched[name] = None
        if table:
            self.jobs[name] = table
        else:
            self.jobs.pop(name, None)

    def merged(self, name: str) -> Table:
        """Return a job's table with what this file says of it."""
        return merged(self.written(name) or {}, self.jobs.get(name, {}))

    def raw(self) -> bytes:
        """Return the file's bytes."""
        return f"{_HEAD}{as_toml({**self._tables, 'jobs': self.jobs})}".encode()

    def shown(self) -> str:
        """Return what the file is going to say of the jobs that were touched."""
        return as_toml({"jobs": {name: self.jobs.get(name, {}) for name in self.touched}})

    def install(self) -> None:
        """Put the file in place: after a kill at any point there is the old one or the new.

        Raises:
            ConflictError: Somebody has changed it since it was read.
            OSError: It cannot be written.
        """
        self._replace(self._before, self.raw())

    def take_back(self) -> None:
        """Put back what was there before `install`, unless it was changed since.

        Raises:
            ConflictError, OSError: As for `install`.
        """
        self._replace(self.raw(), self._before)

    def _replace(self, before: bytes | None, after: bytes | None) -> None:
        path = reading.real_path(self.file)
        now, facts = None, None
        if reading.is_there(path):
            now, facts = files.read_regular(path, 1 << 30)
        if now != before:
            raise ConflictError(f"{self.file} was changed just now", hint="try again")
        if after is None:
            os.unlink(path)  # noqa: PTH108
            return
        reading.make_folders(os.path.dirname(path), _FOLDER_MODE)  # noqa: PTH120
        mode = _NEW_MODE if facts is None else stat.S_IMODE(facts.st_mode)
        owner = None if facts is None else (facts.st_uid, facts.st_gid)
        reading.replace(path, after, mode, owner)


def _why_left(name: str, known: Mapping[str, object], file: str | None) -> str | None:
    """Return why an import of a file does not change a job; None: it may."""
    if file is None:
        return f"it is there already: left as it is; to change it: clawctl job edit {name}"
    if provenance.file_of(known) != file:
        return "it did not come from that file: left as it is"
    if not provenance.is_marked(known):
        return (
            "an older claw imported it, so it may have been changed since: left as it is; "
            f"to take in the file: clawctl job remove {name}, and import again"
        )
    if not provenance.is_untouched(known):
        return "it was changed since it was imported: left as it is"
    return None


def _says_the_same(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    return {**one, "origin": ""} == {**other, "origin": ""}


def _copy(table: Table) -> Table:
    return cast("Table", tomllib.loads(tomli_w.dumps(table)))


def _drop_same(table: Table, written: Mapping[str, object]) -> None:
    """Take out of an override what says no more than the file beneath."""
    for key, value in list(table.items()):
        beneath = written.get(key)
        if isinstance(value, dict) and isinstance(beneath, dict):
            _drop_same(value, beneath)
            if not value:
                del table[key]
        elif key in written and value == beneath and type(value) is type(beneath):
            del table[key]


def as_toml(table: Mapping[str, object], *, is_tall: bool = False) -> str:
    """Return a table as TOML; ``is_tall``: texts of several lines stand on several lines."""
    return tomli_w.dumps(table, multiline_strings=is_tall)
