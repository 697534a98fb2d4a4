"""Following the output of several jobs at once, their coming files included.

Plain blocking file access, run in threads by `claw.master.output.logs`. A job's folder holds

- ``out.log`` and ``err.log``: the output of a service, all its runs and attempts;
- ``<run>.out`` and ``<run>.err``: the output of one run of another job;
- for each of them, ``out.log`` say: ``out.log.7`` or ``out.log.7.gz``, what it has replaced,
  and the indexes ``out.log.idx`` and ``out.log.7.idx``.

What is there when following begins is shown by its last lines, or not at all; every file that
appears later is read from its beginning.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from claw.master.output.logfiles import GrowingFile, Place
from claw.master.output.timeline import Window

STREAMS = ("stdout", "stderr")
MAX_KNOWN = 1000
"""Files of the newest runs that are remembered per job; older ones are taken as over."""

_ENDINGS = {"stdout": "out", "stderr": "err"}
_NAME = re.compile(r"(?:(out|err)\.log|(r[0-9a-v]{26})\.(out|err))(\.\d+(?:\.gz)?)?")


@dataclass(frozen=True, slots=True)
class Output:
    """What an output file's name says; ``run`` is None for a service's."""

    run: str | None
    stream: str

    @property
    def name(self) -> str:
        """The file's name in the job's folder."""
        ending = _ENDINGS[self.stream]
        return f"{self.run}.{ending}" if self.run else f"{ending}.log"


def parse_name(name: str) -> Output | None:
    """Return which output a file belongs to, rotated or not; None: to none."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    ending = match[1] or match[3]
    return Output(match[2], "stdout" if ending == "out" else "stderr")


def list_outputs(folder: str) -> dict[Output, os.stat_result]:
    """Return the outputs in a job's folder; none when there is no folder."""
    found: dict[Output, os.stat_result] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                output = parse_name(entry.name)
                if output is None:
                    continue
                if output not in found or entry.name == output.name:
                    found[output] = entry.stat(follow_symlinks=False)
    except OSError:  # gone, or going just now
        pass
    return found


def newest_run(outputs: Mapping[Output, os.stat_result]) -> str | None:
    """Return the run that wrote last as far as the files tell; None for a service's files."""
    latest = max(
        outputs, key=lambda one: (outputs[one].st_mtime_ns, one.run or ""), default=None
    )
    if latest is None or latest.run is None:
        return None
    return max(one.run for one in outputs if one.run is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What to follow: the output of a job, or only of some runs of it, in the job's folder."""

    job: str
    folder: str
    runs: frozenset[str] = frozenset()  # empty: all of the job
    streams: tuple[str, ...] = STREAMS
    since: float | None = None  # seconds since the epoch
    until: float | None = None
    wants_times: bool = False

    def window(self, output: Output) -> Window:
        """Return what of a file is wanted."""
        runs = self.runs if output.run is None else frozenset[str]()
        return Window(since=self.since, until=self.until, runs=runs)

    def reaches(self, written_at: float) -> bool:
        """Tell whether a file that was last written to then is asked for by its time."""
        return self.since is not None and written_at >= self.since

    def wants(self, output: Output) -> bool:
        """Tell whether a file belongs to it; that of a service belongs to all its runs."""
        if output.stream not in self.streams:
            return False
        return not self.runs or output.run is None or output.run in self.runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some output, as text that ends at the end of a line where possible."""

    job: str
    run: str | None
    stream: str
    text: str
    begin: Place
    end: Place
    at: float | None = None  # when it was written, to the second; None: unknown or not asked
    missed: int = 0  # files before it that were removed before they could be read


@dataclass(slots=True)
class _Folder:
    """A source, the files of it that are followed, and those that were there before."""

    source: Source
    files: dict[Output, GrowingFile] = field(default_factory=dict)
    known: dict[Output, os.stat_result] = field(default_factory=dict)
    oldest_known: str = ""

    def path(self, output: Output) -> str:
        return f"{self.source.folder}/{output.name}"

    def open(self, output: Output) -> GrowingFile:
        """Begin to follow a file from its beginning."""
        file = GrowingFile(
            self.path(output),
            keeps_open=output.run is None,
            window=self.source.window(output),
            wants_times=self.source.wants_times,
        )
        self.files[output] = file
        return file

    def remember(self, output: Output, status: os.stat_result) -> None:
        """Keep in mind how large a file was that is not shown, should it grow again."""
        if output.run is None or output.run >= self.oldest_known:
            self.known[output] = status

    def on_name(self, output: Output) -> bool:
        """Take note of a file that is there or has changed; tell whether it is followed."""
        if output in self.files:
            return True
        if not self.source.wants(output):
            return False
        if output.run is not None and output.run < self.oldest_known:
            return False
        before = self.known.pop(output, None)
        file = self.open(output)
        if before is not None:
            file.skip_to(before.st_ino, before.st_size)
        return True


class Follower:
    """Reads what is added to the files of some sources."""

    def __init__(
        self,
        *,
        lines: int | None,
        limit_bytes: int,
        since: Iterable[Place] = (),
        only_present: bool = False,
    ) -> None:
        """Begin with nothing to follow.

        Args:
            lines: So many of the last lines first; None: all that there is.
            limit_bytes: At most so much of each file for that.
            since: Begin here instead, where files are known.
            only_present: Stop at what is there when a source is added.
        """
        self._lines = lines
        self._limit_bytes = limit_bytes
        self._only_present = only_present
        self._since = {place.name: place for place in since}
        self._folders: dict[str, _Folder] = {}
        self._waiting: dict[tuple[str, Output], None] = {}  # those to be read, in turn

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders that are followed."""
        return tuple(self._folders)

    @property
    def has_more(self) -> bool:
        """Whether files wait to be read; all have been read to their end when not."""
        return bool(self._waiting)

    @property
    def has_begun_lines(self) -> bool:
        """Whether a line has been begun that is passed on when it stays so."""
        return any(file.has_begun_line for _key, file in self._all())

    def add(self, source: Source, *, is_new: bool = False) -> None:
        """Follow a source.

        Args:
            source: What; a folder that is followed already is left as it is.
            is_new: All of its files appeared after the following began: they are read from
                their beginnings.
        """
        if source.folder in self._folders:
            return
        folder = self._folders[source.folder] = _Folder(source)
        there = {
            output: status
            for output, status in list_outputs(source.folder).items()
            if source.wants(output)
        }
        runs = sorted({one.run for one in there if one.run is not None})
        folder.oldest_known = runs[-MAX_KNOWN] if len(runs) >= MAX_KNOWN else ""
        shown = {newest_run(there)} | source.runs
        for output in sorted(there, key=lambda one: (one.run or "", one.stream)):
            if self._begin(folder, output, there[output], shown, is_new=is_new):
                self._waiting[source.folder, output] = None

    def _begin(
        self,
        folder: _Folder,
        output: Output,
        status: os.stat_result,
        shown: set[str | None],
        *,
        is_new: bool,
    ) -> bool:
        """Begin with a file where that is due; tell whether there is something to read."""
        source = folder.source
        place = self._since.get(f"{source.job}/{output.name}")
        if place is not None:
            folder.open(output).start_at(place)
        elif is_new or self._came_since(source, output):
            folder.open(output)
        elif output.run not in shown and not source.reaches(status.st_mtime):
            folder.remember(output, status)
            return False
        elif self._lines is None:
            folder.open(output)
        else:
            folder.open(output).start_at_tail(self._lines, self._limit_bytes)
        if self._only_present:
            folder.files[output].limit_to_present()
        return True

    def _came_since(self, source: Source, output: Output) -> bool:
        """Tell whether a run's file came after those that the reader has seen before."""
        seen = [name for name in self._since if name.startswith(f"{source.job}/r")]
        return bool(output.run and seen) and f"{source.job}/{output.name}" > max(seen)

    def concerns(self, path: str) -> bool:
        """Tell whether a path is one of a file or folder that is followed."""
        return path in self._folders or path.rpartition("/")[0] in self._folders

    def note(self, changed: frozenset[str] | None) -> None:
        """Take note of paths that have changed; None: anything may have."""
        for folder in self._folders.values():
            if changed is None or folder.source.folder in changed:
                self._note_listed(folder)
        for path in changed or ():
            place, _, name = path.rpartition("/")
            output = parse_name(name)
            known = self._folders.get(place)
            if output is not None and known is not None and known.on_name(output):
                self._waiting[place, output] = None

    def _note_listed(self, folder: _Folder) -> None:
        for output in folder.files:
            self._waiting[folder.source.folder, output] = None
        for output, status in list_outputs(folder.source.folder).items():
            before = folder.known.get(output)
            if before is not None and before.st_size == status.st_size:
                continue
            if folder.on_name(output):
                self._waiting[folder.source.folder, output] = None

    def note_begun_lines(self) -> None:
        """Have the files read again in which a line was begun."""
        for key, file in self._all():
            if file.has_begun_line:
                self._waiting[key] = None

    def read(self, now_s: float, *, limit_bytes: int, is_over: bool = False) -> list[Chunk]:
        """Return what was added, file after file in turn, up to about so many bytes.

        Args:
            now_s: Monotonic time.
            limit_bytes: Enough for now.
            is_over: Nothing more will be written: begun lines are passed on.

        Raises:
            OSError: A file cannot be read, and what the others have was returned before.
        """
        if is_over:
            self._waiting.update((key, None) for key, _file in self._all())
        chunks: list[Chunk] = []
        count = 0
        while self._waiting and count < limit_bytes:
            path, output = key = next(iter(self._waiting))
            del self._waiting[key]
            folder = self._folders[path]
            try:
                data = folder.files[output].read(now_s, is_over=is_over)
            except OSError:
                self._waiting[key] = None
                if not chunks:
                    raise
                break
            if data:
                self._waiting[key] = None
                count += len(data)
                chunks.append(_chunk(folder, output, data))
        return chunks

    def close(self) -> None:
        """Close all files."""
        for _key, file in self._all():
            file.close()
        self._folders.clear()
        self._waiting.clear()

    def _all(self) -> Iterable[tuple[tuple[str, Output], GrowingFile]]:
        for path, folder in self._folders.items():
            for output, file in folder.files.items():
                yield (path, output), file


def _chunk(folder: _Folder, output: Output, data: bytes) -> Chunk:
    file, job = folder.files[output], folder.source.job
    name = f"{job}/{output.name}"
    return Chunk(
        job=job,
        run=output.run,
        stream=output.stream,
        text=data.decode(errors="replace"),
        begin=file.place(name, file.offset - len(data)),
        end=file.place(name, file.offset),
        at=file.at,
        missed=file.take_missed(),
    )
