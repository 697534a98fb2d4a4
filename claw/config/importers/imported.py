"""What an importer finds: jobs, and what it could not carry over.

An importer reads texts and makes a `Harvest`; it decides what each line means, and tells of
each that claw has nothing for. `claw.config.importers.settling` then sees that what comes out
is a good configuration here.
"""

from dataclasses import dataclass, field

from claw.config.importers import naming
from claw.config.report import printable

Table = dict[str, object]
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Note:
    """Something that was not carried over, or not as it was.

    Attributes:
        file: Where it stands, as the user named the file.
        line: From 1; 0: nowhere in particular.
        key: What it is about, in the words of the file; '' when there is no word for it.
        text: What became of it, and what to do.
    """

    file: str
    line: int
    key: str
    text: str

    def as_line(self) -> str:
        """Return ``FILE:LINE: KEY: TEXT``."""
        place = f"{printable(self.file)}:{self.line}" if self.line else printable(self.file)
        return ": ".join(part for part in (place, self.key, self.text) if part)


@dataclass(slots=True)
class Draft:
    """One job as an importer makes it.

    Attributes:
        name: Of the job.
        file: Where it was found.
        line: And on which line.
        table: Its keys, as a file of claw's has them.
        notes: What is told of it.
        remarks: Comments of the source, kept above the job.
        is_unnamed: The source has no name for it that is its alone: this one depends on others.
    """

    name: str
    file: str
    line: int
    table: Table = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    is_unnamed: bool = False
    _told: set[Note] = field(default_factory=set, repr=False, compare=False)

    def tell(self, key: str, text: str, line: int = 0, file: str = "") -> None:
        """Tell what became of a key of the source, or of another file of the job."""
        own = 0 if file not in {"", self.file} else self.line
        _add(self.notes, self._told, Note(file or self.file, line or own, key, text))

    def part(self, key: str) -> Table:
        """Return a table within the job's, made when it is not there."""
        found = self.table.setdefault(key, {})
        assert isinstance(found, dict)  # noqa: S101
        return found

    def disable(self) -> None:
        """Have the job begin nothing until a person has looked at it."""
        self.table["enabled"] = False


@dataclass(slots=True)
class Harvest:
    """All that an importer has found.

    Attributes:
        jobs: In the order of the source.
        notes: What belongs to no job.
        head: Lines of comment for the whole.
    """

    jobs: list[Draft] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    head: list[str] = field(default_factory=list)
    _told: set[Note] = field(default_factory=set, repr=False, compare=False)
    _names: naming.Names = field(default_factory=naming.Names, repr=False, compare=False)

    def job(self, wanted: str, file: str, line: int) -> Draft:
        """Begin a job, under the name wanted if that can be had."""
        name = self._names.take(naming.cleaned(wanted))
        draft = Draft(name, file, line)
        if naming.cleaned(wanted) != wanted and naming.is_title(wanted):
            draft.table["name"] = wanted
        self.jobs.append(draft)
        return draft

    def drop(self, job: Draft) -> None:
        """Take back the job begun last; what is told of it stays."""
        assert self.jobs[-1] is job  # noqa: S101
        self.jobs.pop()
        self._names.free(job.name)
        self.notes += job.notes

    def tell(self, file: str, line: int, key: str, text: str) -> None:
        """Tell of something that belongs to no job."""
        _add(self.notes, self._told, Note(file, line, key, text))

    def all_notes(self) -> list[Note]:
        """Return every note, in the order of the source."""
        found = [*self.notes, *(note for job in self.jobs for note in job.notes)]
        files = {file: rank for rank, file in enumerate({note.file: 0 for note in found})}
        return sorted(found, key=lambda note: (files[note.file], note.line))

    def warnings(self) -> list[str]:
        """Return a line for each thing to be told; of what is so in several places, one."""
        places: dict[tuple[str, str, str], list[int]] = {}
        for note in self.all_notes():
            places.setdefault((note.file, note.key, note.text), []).append(note.line)
        return [
            Note(file, lines[0], key, text).as_line() + _more(lines[1:])
            for (file, key, text), lines in places.items()
        ]


def _add(notes: list[Note], told: set[Note], note: Note) -> None:
    if note not in told:
        told.add(note)
        notes.append(note)


def _more(lines: list[int]) -> str:
    found = list(dict.fromkeys(lines))
    if not found:
        return ""
    named = ", ".join(map(str, found[:_MOST_NAMED]))
    return f" (also {named}{', ...' if len(found) > _MOST_NAMED else ''})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the person who imports says beside the file.

    Attributes:
        system: A crontab is the system's: it has a column of users.
        user: Whose crontab, unit or process it is.
        env: The environment of several that the file has (``env_production``).
        environ: Variables that the file may refer to.
        cwd: The present folder, for what comes by standard input.
        uid: Who imports.
    """

    system: bool = False
    user: str = ""
    env: str = ""
    environ: dict[str, str] = field(default_factory=dict)
    cwd: str = "/"
    uid: int = 0
