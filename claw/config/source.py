"""The files of a configuration: which there are, what is in them, whether they changed."""

import hashlib
import os.path
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from claw.config.locate import Lines, locate
from claw.config.report import Diagnostic, Report
from claw.kernel import files, reading

MAIN = "claw.toml"
FOLDER = "jobs.d"
MANAGED = "managed.toml"

_MOST_BYTES = 64 << 20
_MOST_PARTS = 100
# tomllib takes time by the square of a key's parts.
_DEEP_KEY = re.compile(rf"""(?<![\w"'.-])(?:[\w"'-]++[ \t]*+\.[ \t]*+){{{_MOST_PARTS}}}""")
_DEEP_VALUE = re.compile(r"(?:[\[{][ \t\r\n]*+){50}")
_HUGE_NUMBER = re.compile(r"[0-9][0-9_]{4000,}")
_PLACE = re.compile(r" \((?:at line (\d+), column \d+|at end of document)\)$")
_BOM = b"\xef\xbb\xbf"

_ADVICE = (
    ("Invalid value", "; texts stand in quotes, true and false are in lower case"),
    (
        "Invalid initial character for a key part",
        "; a key is letters, digits, _ and -, and a { } stands on one line",
    ),
    ("Unescaped '\\' in a string", "; write '\\\\', or the text in 'single quotes'"),
    ("Escaped character is not", "; write the character itself"),
    ("Unclosed array", "; a ] is missing, or a comma before this line"),
    ("Unclosed inline table", "; a } is missing, or a comma"),
    (
        "Expected newline or end of document",
        "; one key = value a line, texts and numbers like 022 in quotes",
    ),
    ("Expected '='", "; write key = value"),
    ("Expected ']'", "; write a table's name like [jobs.web]"),
    ("Illegal character '\\n'", "; a quote is not closed on this line"),
    ("Illegal character", "; remove it, or write it like \\u0001 in double quotes"),
    ("Unterminated string", "; a quote is not closed"),
    ("Invalid date or datetime", "; no calendar or clock has it"),
)
_NAMED_TWICE = (
    "Cannot overwrite a value",
    "Cannot declare",
    "Duplicate inline",
    "Cannot mutate",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One file, read.

    Attributes:
        file: Its path as the user names it.
        name: Its path within the configuration's folder; claw.toml for a single file.
        raw: Its bytes; when it could not be read, what says so instead.
        problem: What is wrong with it; '' when it was read.
    """

    file: str
    name: str
    raw: bytes
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """One file, parsed: its tables, and where in the text they stand."""

    source: Source
    tables: Mapping[str, object]
    lines: Lines

    @property
    def is_main(self) -> bool:
        """Whether this file may hold every table."""
        return self.source.name == MAIN

    @property
    def is_managed(self) -> bool:
        """Whether it is the file that clawctl writes."""
        return self.source.name == MANAGED

    @property
    def jobs(self) -> Mapping[str, object]:
        """Its tables of jobs; none when there is something else in their place."""
        found = self.tables.get("jobs")
        return found if isinstance(found, dict) else {}


def collect(place: str, *, as_root: bool = False) -> list[Source]:
    """Return the files of a configuration in the order in which they count.

    One that cannot be read is among them, with its problem.

    Args:
        place: A folder with claw.toml, jobs.d and managed.toml, any of which may be
            missing, or one file.
        as_root: Refuse what somebody other than root may have written.
    """
    if is_single_file(place):
        return [_read(place, MAIN, as_root=as_root)]
    folder = place.rstrip("/")
    found: list[Source] = []
    for name in (MAIN, FOLDER, MANAGED):
        path = f"{folder}/{name}"
        try:
            if reading.is_there(path):
                found += _collect_one(path, name, as_root=as_root)
        except OSError as error:
            found.append(_unreadable(path, name, error))
    return found


def with_instead(place: str, found: list[Source], instead: Mapping[str, bytes]) -> list[Source]:
    """Return the files as they would be with other contents, by name within the folder.

    One that cannot be believed, or read, stays as it is.
    """
    known = {source.name for source in found}
    replaced = [
        replace(source, raw=instead[source.name])
        if source.name in instead and not source.problem
        else source
        for source in found
    ]
    folder = place.rstrip("/")
    new = [
        Source(file=f"{folder}/{name}", name=name, raw=raw)
        for name, raw in instead.items()
        if name not in known
    ]
    return sorted((*replaced, *new), key=_order)


def _order(source: Source) -> tuple[int, str]:
    first = source.name.partition("/")[0]
    order = (MAIN, FOLDER, MANAGED)
    return order.index(first) if first in order else len(order), source.name


def is_single_file(place: str) -> bool:
    """Tell whether a place is one file, or would be, and not a folder."""
    return not os.path.isdir(place) and (os.path.lexists(place) or place.endswith(".toml"))  # noqa: PTH112


def _collect_one(path: str, name: str, *, as_root: bool) -> list[Source]:
    if name != FOLDER:
        return [_read(path, name, as_root=as_root)]
    return [
        _read(f"{path}/{one}", f"{FOLDER}/{one}", as_root=as_root)
        for one in reading.names_in(path)
        if one.endswith(".toml") and not one.startswith(".")
    ]


def _read(path: str, name: str, *, as_root: bool) -> Source:
    try:
        raw, facts = files.read_regular(path, _MOST_BYTES)
        problem = trust_problem(path, facts) if as_root else ""
    except files.NotRegularError as error:
        problem, raw = f"it is {error.strerror}", b""
    except OSError as error:
        return _unreadable(path, name, error)
    if len(raw) > _MOST_BYTES:
        problem = (
            f"larger than {_MOST_BYTES >> 20} MiB: split it into several files in {FOLDER}"
        )
    return Source(file=path, name=name, raw=raw, problem=problem)


def _unreadable(path: str, name: str, error: OSError) -> Source:
    problem = f"cannot be read: {_reason(path, error)}"
    return Source(file=path, name=name, raw=problem.encode(), problem=problem)


def _reason(path: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError) and os.path.islink(path):  # noqa: PTH114
        return "a link to a file that is not there"
    if isinstance(error, PermissionError):
        return "permission denied: the daemon's user must be able to read it"
    return error.strerror or str(error)


def trust_problem(path: str, facts: os.stat_result) -> str:
    """Return why root must not believe a file: who else may have written it; '' if nobody."""
    real = reading.real_path(path)
    folders = {os.path.dirname(os.path.abspath(path)), os.path.dirname(real)}  # noqa: PTH100, PTH120
    for what, found in (
        ("the file", facts),
        *((f"its folder {folder}", reading.facts_of(folder)) for folder in sorted(folders)),
    ):
        if found.st_uid != 0:
            return f"{what} belongs to user {found.st_uid}, not to root: chown root it"
        if found.st_mode & 0o022 and not _is_sticky_folder(found.st_mode):
            return f"{what} can be written by others than root: chmod go-w it"
    return ""


def _is_sticky_folder(mode: int) -> bool:
    return stat.S_ISDIR(mode) and bool(mode & stat.S_ISVTX)


def digest_of(sources: list[Source]) -> str:
    """Return what changes whenever a file is added, removed, renamed or changed."""
    digest = hashlib.sha256()
    for source in sources:
        for part in (source.name.encode("utf-8", "surrogateescape"), source.raw):
            digest.update(b"%d:" % len(part))
            digest.update(part)
    return digest.hexdigest()


def parse(source: Source, report: Report) -> Document | None:
    """Return a file's tables, or None when the report has what is wrong with it."""
    if source.problem:
        report.add(Diagnostic(source.file, 0, (), source.problem))
        return None
    text = _decoded(source, report)
    if text is None:
        return None
    deep = _DEEP_KEY.search(text)
    if deep:
        what = f"a key of more than {_MOST_PARTS} parts, joined by dots"
        _syntax(source, report, text, _line_of(text, deep), what)
        return None
    try:
        tables = tomllib.loads(text)
    except RecursionError:
        line = _line_of(text, _DEEP_VALUE.search(text))
        _syntax(source, report, text, line, "brackets are nested too deeply")
    except ValueError as error:
        _explain(source, report, text, str(error))
    else:
        return Document(source, tables, locate(text))
    return None


def _decoded(source: Source, report: Report) -> str | None:
    raw = source.raw.removeprefix(_BOM)
    try:
        return raw.decode().replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        what = f"byte {raw[error.start]:#04x} is not UTF-8: save the file as UTF-8"
        report.add(Diagnostic(source.file, line, (), what))
        return None


def _line_of(text: str, match: re.Match[str] | None) -> int:
    return text.count("\n", 0, match.start()) + 1 if match else 1


def _syntax(source: Source, report: Report, text: str, line: int, what: str) -> None:
    """Report what keeps a text from being TOML, with the key named last in that line."""
    path = locate(text).named_in(line)
    report.add(Diagnostic(source.file, line, path, what))


def _explain(source: Source, report: Report, text: str, message: str) -> None:
    """Report what tomllib says, with its line, and what it does not say."""
    place = _PLACE.search(message)
    if place is None:  # more digits than Python converts
        line = _line_of(text, _HUGE_NUMBER.search(text))
        _syntax(source, report, text, line, "a number of more digits than any number has here")
        return
    line = int(place[1]) if place[1] else text.rstrip().count("\n") + 1
    what = message[: place.start()]
    again = locate(text).again(line) if what.startswith(_NAMED_TWICE) else None
    if again:
        path, first = again
        twice = f"is there twice, first in line {first}: keep one, or give it another name"
        report.add(Diagnostic(source.file, line, path, twice))
        return
    advice = next((more for start, more in _ADVICE if what.startswith(start)), "")
    _syntax(source, report, text, line, f"not TOML: {what[:1].lower()}{what[1:]}{advice}")
