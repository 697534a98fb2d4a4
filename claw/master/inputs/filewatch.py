"""The files that one job watches: notices of the kernel, looks into folders, decisions.

Both ways of seeing a file lead to the same place: a path to be looked at once it has settled,
and then a decision that holds it against what is stored (`claw.master.engine.fileevents`). So
a notice that is lost costs a look, and one too many costs nothing.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import TypeVar

import trio

from claw.kernel import clock, sight
from claw.master.asyncstore import AsyncStore
from claw.master.decider import Decider
from claw.master.engine import fileevents
from claw.master.output import watch as notices
from claw.master.output.watch import Watch, Watcher
from claw.model import paths, watching
from claw.model.job import Job, JobType
from claw.model.settling import Settling, Waiting
from claw.model.watching import FileWatch, Known, Seen, Version, Word
from claw.store.records import Tx

_LOG = logging.getLogger("claw.files")
T = TypeVar("T")
_PAGE = 500
QUIET_S = 1.0
"""A file that is found by a look, and not by a notice, has stayed as it is for so long: who
writes it may be at work."""
AGAIN_S = 30.0
"""When something that cannot be read is looked at again."""
_POLLED_SHARE = 10.0
_MOST_TOLD = 100
_MOST_THREADS = 8
"""Looks at once: they leave threads to others, also where a file system hangs."""
_MARGIN_NS = 20_000_000
"""The clock of a file's times lags behind by up to a tick of the kernel."""
_NS = 1_000_000_000
_WORDS = (
    (notices.CREATE, Word.CREATE),
    (notices.CLOSE_WRITE, Word.CLOSE_WRITE),
    (notices.MOVED_TO, Word.MOVED_TO),
    (notices.MODIFY, Word.MODIFY),
    (notices.DELETE, Word.DELETE),
)


@dataclass(slots=True)
class Found:
    """What one look through the folders has found."""

    paths: set[str] = field(default_factory=set)
    bases: set[str] = field(default_factory=set)  # that are there
    problem: str = ""


class FileWatcher:
    """See the module."""

    def __init__(self, job: Job, watch: FileWatch, store: AsyncStore, decide: Decider) -> None:
        """Take what is watched.

        Args:
            job: The job.
            watch: Its files.
            store: Where what is known of them is.
            decide: Decides.
        """
        self._job = job.name
        self._wanted = watch
        self._is_service = job.type is JobType.CONTINUOUS
        self._store = store
        self._decide = decide
        self._patterns = [
            paths.pattern_of(text, is_recursive=watch.is_recursive) for text in watch.paths
        ]
        self._above = {one for each in self._patterns for one in _chain(each.base)}
        self._settling = Settling(watch.settle_s, is_whole=self._is_service)
        self._since: dict[str, int] = {}
        self._folders: list[str] = []  # new ones, to be looked through
        self._has_to_look = True
        self._passed_over: set[str] = set()
        self.missing: tuple[str, ...] = ()
        self.problem = ""

    async def serve(self, watcher: Watcher) -> None:
        """Watch, until cancelled; begun anew, after an error, it looks through all again."""
        self._has_to_look = True
        with watcher.watching_for(self._accepts) as watch:
            while True:
                began = trio.current_time()
                if self._has_to_look:
                    await self._look_through(watch)
                pause_s = (trio.current_time() - began) * _POLLED_SHARE
                while not self._has_to_look:
                    await self._next(watch, pause_s)

    def _accepts(self, path: str) -> bool:
        return path in self._above or any(
            one.matches(path) or one.leads(path) for one in self._patterns
        )

    async def _next(self, watch: Watch, pause_s: float) -> None:
        """Wait for a notice or a time, and act on what is due."""
        due_at = self._settling.due_at
        times = [due_at - clock.monotonic()] if due_at is not None else []
        if self.problem:
            times.append(AGAIN_S)
        with trio.move_on_after(max(0.0, min(times, default=float("inf")))) as patience:
            if watch.is_polled:
                await trio.sleep(pause_s)
            self._take_in(await watch.wait_bits())
        if patience.cancelled_caught and self.problem and due_at is None:
            self._has_to_look = True
        if not self._has_to_look:
            await self._look_at_new_folders(watch)
            await self._act()

    def _take_in(self, changed: Mapping[str, int] | None) -> None:
        if changed is None:
            self._has_to_look = True
            return
        now = clock.monotonic()
        for path, bits in changed.items():
            if path in self._above:
                self._has_to_look = True
            elif not self._can_be_told(path):
                continue
            elif bits & (notices.FOLDER | notices.LOST):
                # Of one that was removed each file was told of; one of that name may be there.
                self._has_to_look |= bool(bits & notices.MOVED_AWAY)
                self._folders.append(path)
            elif self._is_meant(path):
                words = frozenset(word for bit, word in _WORDS if bits & bit)
                self._settling.note(path, words, now)

    # -- what is due ---------------------------------------------------------------------

    async def _act(self) -> None:
        """Have decided what is due."""
        while True:
            due = self._settling.take(clock.monotonic(), fileevents.BATCH)
            if not due:
                return
            seen = await _in_thread(partial(self._see, due))
            if seen:
                await self._decide.patiently(
                    lambda turn, seen=seen: fileevents.record(turn, self._job, seen)  # type: ignore[misc]
                )

    def _see(self, due: Sequence[Waiting]) -> list[Seen]:
        """Look at paths that have settled; those that have not after all wait on."""
        seen = []
        for one in due:
            found = sight.look(one.path)
            version = None if found is None else _version(found)
            if one.version is not None and version is not None and version != one.version:
                self._settling.find(one.path, version, clock.monotonic(), self._quiet_s)
                continue
            words = one.words
            if found is not None and found.has_names and Word.CREATE in words:
                words |= {Word.MOVED_TO}  # a name for something that was there, whole
            seen.append(Seen(path=one.path, version=version, words=words, is_old=one.is_old))
        return seen

    @property
    def _quiet_s(self) -> float:
        return max(QUIET_S, self._wanted.settle_s)

    # -- looks ---------------------------------------------------------------------------

    async def _look_through(self, watch: Watch) -> None:
        """Look through all folders, and compare with what is stored."""
        self._has_to_look = False
        self._folders = []
        bases = list(dict.fromkeys(one.base for one in self._patterns))
        for base in bases:  # on a file system that hangs this hangs, and nothing else
            await _in_thread(partial(_is_folder, base))
        watch.start_over()
        since = await self._store.read(lambda tx: tx.watches(self._job))
        self._since = {path: int(at.timestamp() * _NS) for path, at in since.items()}
        for folder in sorted(self._above):
            await watch.add_aside(folder, notices.NAMES, _in_thread)
        found = Found()
        for base in bases:
            await self._walk(watch, base, found)
            if await _in_thread(partial(_is_folder, base)):
                found.bases.add(base)
        self.missing = tuple(one.base for one in self._patterns if one.base not in found.bases)
        if found.problem and found.problem != self.problem:
            _LOG.warning("job %s cannot watch all of its files: %s", self._job, found.problem)
        self.problem = found.problem
        await self._miss(found)
        await self._act()

    async def _look_at_new_folders(self, watch: Watch) -> None:
        folders, self._folders = self._folders, []
        found = Found()
        for folder in folders:
            await self._walk(watch, folder, found)
        self.problem = self.problem or found.problem

    async def _walk(self, watch: Watch, top: str, found: Found) -> None:
        """Watch a folder and those below it, and find the files in them."""
        left = [top]
        while left:
            folder = left.pop()
            if not any(one.leads(folder) for one in self._patterns):
                continue
            # Before it is read: nothing is missed.
            if not await watch.add_aside(folder, notices.FILES, _in_thread):
                continue
            try:
                names, seen = await _in_thread(partial(self._list, folder))
            except OSError as error:
                if not isinstance(error, FileNotFoundError | NotADirectoryError):
                    found.problem = f"{folder}: {error.strerror}"
                continue
            left += names
            found.paths.update(seen)
            await self._compare(seen)

    def _list(self, folder: str) -> tuple[list[str], dict[str, Version]]:
        """Return the folders in a folder, and the versions of the files that count."""
        folders, others = sight.entries_in(folder)
        stem = folder.rstrip("/")
        seen: dict[str, Version] = {}
        for path in (f"{stem}/{name}" for name in others):
            if self._is_meant(path) and self._can_be_told(path):
                found = sight.look(path)
                if found is not None:
                    seen[path] = _version(found)
        below = [f"{stem}/{name}" for name in folders]
        return [path for path in below if self._can_be_told(path)], seen

    def _can_be_told(self, path: str) -> bool:
        try:
            path.encode()
        except UnicodeEncodeError:
            if path not in self._passed_over and len(self._passed_over) < _MOST_TOLD:
                self._passed_over.add(path)
                _LOG.warning("job %s: the name of %r is no UTF-8: passed over", self._job, path)
            return False
        return True

    async def _compare(self, seen: Mapping[str, Version]) -> None:
        """Have those files wait for a decision of which something is new."""
        items = list(seen.items())
        for at in range(0, len(items), _PAGE):
            page = [
                Seen(path=path, version=version, is_old=self._is_old(path, version))
                for path, version in items[at : at + _PAGE]
            ]
            for one in await self._store.read(partial(self._news, page=page)):
                wait_s = 0.0 if one.is_old or one.version is None else self._left_s(one.version)
                self._settling.find(
                    one.path, one.version, clock.monotonic(), wait_s, is_old=one.is_old
                )
            await self._act()

    def _news(self, tx: Tx, page: Sequence[Seen]) -> list[Seen]:
        events = self._wanted.events
        return [
            one
            for one in page
            if watching.judge(events, tx.watched(self._job, one.path), one).is_news
        ]

    def _is_old(self, path: str, version: Version) -> bool:
        """Tell whether a file was there before the job watched it."""
        if self._wanted.is_existing_new:
            return False
        since = [
            self._since[mark]
            for text, one in zip(self._wanted.paths, self._patterns, strict=True)
            if (mark := fileevents.mark(self._wanted, text)) in self._since
            and one.matches(path)
        ]
        return bool(since) and version.ctime_ns < min(since) - _MARGIN_NS

    def _left_s(self, version: Version) -> float:
        """Return how long a file has still to stay as it is."""
        age_s = clock.now().timestamp() - version.ctime_ns / _NS
        quiet_s = self._quiet_s
        return quiet_s if age_s < 0 else max(0.0, quiet_s - age_s)

    async def _miss(self, found: Found) -> None:
        """Have those files wait for a decision that are known and not there any more.

        What none of the patterns means any more is forgotten.
        """
        after = ""
        while True:
            known = await self._store.read(partial(self._page, after=after))
            for one in known:
                if not one.is_gone and one.path not in found.paths:
                    self._miss_one(one, found)
            foreign = [one.path for one in known if not self._is_meant(one.path)]
            if foreign:
                await self._store.write(partial(self._forget, foreign=foreign))
            if len(known) < _PAGE:
                return
            after = known[-1].path

    def _page(self, tx: Tx, after: str) -> Sequence[Known]:
        return tx.watched_page(self._job, after, _PAGE)

    def _forget(self, tx: Tx, foreign: Sequence[str]) -> None:
        for path in foreign:
            tx.delete_watched(self._job, path)

    def _is_meant(self, path: str) -> bool:
        return any(one.matches(path) for one in self._patterns)

    def _miss_one(self, known: Known, found: Found) -> None:
        """Take note that a file is gone; not when its whole folder is out of sight."""
        if any(one.base in found.bases and one.matches(known.path) for one in self._patterns):
            self._settling.find(known.path, None, clock.monotonic())


async def _in_thread(look: Callable[[], T]) -> T:
    """Look at files in a thread; one that hangs is given up at the end."""
    return await trio.to_thread.run_sync(look, abandon_on_cancel=True, limiter=_threads())


@cache
def _threads() -> trio.CapacityLimiter:
    return trio.CapacityLimiter(_MOST_THREADS)


def _version(found: sight.Sight) -> Version:
    return Version(
        watching.storable(found.inode),
        watching.storable(found.mtime_ns),
        found.size,
        watching.storable(found.ctime_ns),
    )


def _chain(base: str) -> Iterator[str]:
    """Yield a folder and all above it."""
    yield base
    while base != "/":
        base = base.rpartition("/")[0] or "/"
        yield base


def _is_folder(path: str) -> bool:
    try:
        sight.entries_in(path)
    except OSError:
        return False
    return True
