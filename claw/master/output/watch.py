"""File events for the rest of the master; the only user of pyinotify.

One inotify instance; its descriptor is awaited by trio and its records (inotify(7)) are read
here, a bounded number at a time, because pyinotify's own notifier reads the whole queue in one
go and fails on file names that are no UTF-8. Wake-ups are coalesced and never lost: when too
much has changed, or the kernel's queue ran over, a watch is told that anything may have.

Where inotify cannot be had (the limits of a user are used up, another kernel), a watch wakes
every `POLL_S` seconds instead; that is said once in the log.
"""

import contextlib
import logging
import os
import struct
import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Protocol, TypeVar

import trio

with warnings.catch_warnings():
    # pyinotify 0.9.6 imports asyncore, which Python 3.11 calls deprecated and 3.12 gets from
    # the package pyasyncore.
    warnings.filterwarnings("ignore", message=".*asyncore.*", category=DeprecationWarning)
    import pyinotify

POLL_S = 1.0
"""Seconds between two looks where inotify cannot be had."""

COALESCE_S = 0.01
"""Events are gathered for this long, so that a busy writer costs few wake-ups."""

MAX_NAMES = 1024
"""A watch that has gathered more changed names is told that anything may have changed."""

_MASK = (
    pyinotify.IN_MODIFY
    | pyinotify.IN_CREATE
    | pyinotify.IN_DELETE
    | pyinotify.IN_MOVED_FROM
    | pyinotify.IN_MOVED_TO
    | pyinotify.IN_DELETE_SELF
    | pyinotify.IN_MOVE_SELF
    | pyinotify.IN_ONLYDIR
)
CLOSE_WRITE: int = pyinotify.IN_CLOSE_WRITE
CREATE: int = pyinotify.IN_CREATE
DELETE: int = pyinotify.IN_DELETE | pyinotify.IN_MOVED_FROM
FOLDER: int = pyinotify.IN_ISDIR
LOST: int = (
    pyinotify.IN_DELETE_SELF
    | pyinotify.IN_MOVE_SELF
    | pyinotify.IN_UNMOUNT
    | pyinotify.IN_IGNORED
)
MOVED_AWAY: int = pyinotify.IN_MOVED_FROM | pyinotify.IN_MOVE_SELF | pyinotify.IN_UNMOUNT
"""Of a folder: those below it are at other paths now, or at none, and nothing tells of them."""
MODIFY: int = pyinotify.IN_MODIFY
MOVED_TO: int = pyinotify.IN_MOVED_TO
NAMES: int = _MASK & ~MODIFY
"""What becomes of names in a folder, and of the folder; not what is written to its files."""
FILES: int = _MASK | CLOSE_WRITE
_READ_BYTES = 16384
_RECORD = struct.Struct("iIII")

T = TypeVar("T")

log = logging.getLogger("claw.watch")
# It is set up to print to stderr by itself; what goes wrong is noticed from its answers.
pyinotify.log.disabled = True


class InThread(Protocol):
    """Runs a function in a thread, and gives one up that hangs when its caller is cancelled."""

    async def __call__(self, look: Callable[[], T]) -> T:
        """Return what the function does."""


class Watch:
    """Changes in some folders, for one reader; closed by `Watcher.forget`."""

    def __init__(
        self, watcher: "Watcher", accepts: Callable[[str], bool] | None = None
    ) -> None:
        self._watcher = watcher
        self._accepts = accepts
        self._names: dict[str, int] | None = {}
        self._woken = trio.Event()
        self._watched: dict[str, int] = {}
        self.folders: dict[int, list[str]] = {}  # one can have several names
        self.is_polled = not watcher.works

    def add(self, folder: str, mask: int = _MASK) -> bool:
        """Watch one more folder; False when it is not there.

        A folder that is there and cannot be watched makes this a polled watch.

        Args:
            folder: It.
            mask: What to be told of.
        """
        if self._has(folder, mask):
            return True
        wd = self._watcher.attach(self, folder, mask)
        return self._take(folder, mask, wd, is_there=wd is not None or _is_there(folder))

    async def add_aside(self, folder: str, mask: int, in_thread: InThread) -> bool:
        """Do as `add` does, in a thread: on a file system that hangs this does, and no other.

        What changes in the folder before this returns may not be told.
        """
        if self._has(folder, mask):
            return True
        wd = await self._watcher.attach_aside(self, folder, mask, in_thread)
        is_there = wd is not None or await in_thread(partial(_is_there, folder))
        return self._take(folder, mask, wd, is_there=is_there)

    def _has(self, folder: str, mask: int) -> bool:
        return self._watched.get(folder, 0) & mask == mask

    def _take(self, folder: str, mask: int, wd: int | None, *, is_there: bool) -> bool:
        if wd is None:
            self.is_polled = self.is_polled or is_there
            return is_there
        names = self.folders.setdefault(wd, [])
        if folder not in names:
            names.append(folder)
        self._watched[folder] = self._watched.get(folder, 0) | mask
        return True

    def lose(self, wd: int) -> None:
        """Take note that a folder is no longer watched."""
        for folder in self.folders.pop(wd, ()):
            self._watched.pop(folder, None)

    def start_over(self) -> None:
        """Watch no folder any more; what was told of them and not heard yet is dropped."""
        self._watcher.detach(self)
        self._watched.clear()
        self._names = {}

    def note(self, path: str | None, bits: int = 0) -> None:
        """Record that a path has changed (None: anything may have) and wake the reader."""
        if path is not None and self._accepts is not None and not self._accepts(path):
            return
        if path is None or self._names is None or len(self._names) >= MAX_NAMES:
            self._names = None
        else:
            self._names[path] = self._names.get(path, 0) | bits
        self._woken.set()

    def wake(self) -> None:
        """Wake the reader without a change."""
        self._woken.set()

    async def wait(self) -> frozenset[str] | None:
        """Wait for changes since the last call; return the paths, None for "anything"."""
        changed = await self.wait_bits()
        return None if changed is None else frozenset(changed)

    async def wait_bits(self) -> Mapping[str, int] | None:
        """Wait like `wait`; return what has happened to each path, as inotify(7) has it."""
        if self.is_polled:
            with trio.move_on_after(POLL_S) as patience:
                await self._woken.wait()
            if patience.cancelled_caught:
                self._names = None
        else:
            await self._woken.wait()
        self._woken = trio.Event()
        names, self._names = self._names, {}
        return names


class Watcher:
    """The inotify instance of the master, shared by all watches."""

    def __init__(self) -> None:
        self._watches: dict[int, set[Watch]] = {}
        self._adding: list[set[int]] = []  # for each addition: what is watched no more since
        self._manager: pyinotify.WatchManager | None = None
        try:
            self._manager = pyinotify.WatchManager()
        except (OSError, pyinotify.InotifyBindingNotFoundError) as error:
            log.warning("no file events, looking every %g s instead: %s", POLL_S, error)
        else:
            fd = self._manager.get_fd()
            os.set_inheritable(fd, False)
            os.set_blocking(fd, False)

    @property
    def works(self) -> bool:
        """Whether the kernel tells of changes; else watches are polled."""
        return self._manager is not None

    def close(self) -> None:
        """Close the descriptor; watches made before are polled from now on."""
        if self._manager is not None:
            self._manager.close()
            self._manager = None

    @contextlib.contextmanager
    def watching(self, *folders: str) -> Iterator[Watch]:
        """Yield a watch on some folders, for as long as the block lasts."""
        with self.watching_for(None) as watch:
            for folder in folders:
                watch.add(folder)
            yield watch

    @contextlib.contextmanager
    def watching_for(self, accepts: Callable[[str], bool] | None) -> Iterator[Watch]:
        """Yield a watch that is told of some paths only, for as long as the block lasts."""
        watch = Watch(self, accepts)
        try:
            yield watch
        finally:
            self.detach(watch)

    def attach(self, watch: Watch, folder: str, mask: int) -> int | None:
        """Tell the kernel about a folder; None when it cannot be watched."""
        wd = self._tell(folder, mask)
        if wd is not None:
            self._watches.setdefault(wd, set()).add(watch)
        return wd

    async def attach_aside(
        self, watch: Watch, folder: str, mask: int, in_thread: InThread
    ) -> int | None:
        """Tell the kernel about a folder as `attach` does, in a thread."""
        while True:
            lost: set[int] = set()
            self._adding.append(lost)
            try:
                wd = await in_thread(partial(self._tell, folder, mask))
            finally:
                self._adding = [each for each in self._adding if each is not lost]
            if wd is None:
                return None
            if wd not in lost:  # else another watch has let go of it, or it is another folder
                self._watches.setdefault(wd, set()).add(watch)
                return wd

    def _tell(self, folder: str, mask: int) -> int | None:
        manager = self._manager
        if manager is None:
            return None
        mask |= pyinotify.IN_MASK_ADD  # others watch it, too, for something else perhaps
        try:
            wd = int(manager.add_watch(folder, mask, quiet=True).get(folder, -1))
        except UnicodeEncodeError:  # pyinotify knows only names that are UTF-8
            return None
        return None if wd < 0 else wd

    async def serve(
        self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Read events and wake watches, until cancelled."""
        task_status.started()
        if self._manager is None:
            return
        fd = self._manager.get_fd()
        while True:
            await trio.lowlevel.wait_readable(fd)
            self._dispatch(fd)
            await trio.sleep(COALESCE_S)

    def _dispatch(self, fd: int) -> None:
        try:
            data = os.read(fd, _READ_BYTES)
        except BlockingIOError:
            return
        at = 0
        while at < len(data):
            wd, mask, _cookie, length = _RECORD.unpack_from(data, at)
            at += _RECORD.size
            name = os.fsdecode(data[at : at + length].rstrip(b"\0"))
            at += length
            self._wake(wd, mask, name)

    def _wake(self, wd: int, mask: int, name: str) -> None:
        if mask & pyinotify.IN_Q_OVERFLOW:
            for watch in [each for some in self._watches.values() for each in some]:
                watch.note(None)
            return
        for watch in list(self._watches.get(wd, ())):
            for folder in watch.folders[wd]:
                watch.note(f"{folder.rstrip('/')}/{name}" if name else folder, mask)
        if mask & (pyinotify.IN_IGNORED | pyinotify.IN_MOVE_SELF):
            self._lose(wd)

    def _lose(self, wd: int) -> None:
        """Let go of a folder that is no longer at its path; readers add it again."""
        for watch in self._watches.pop(wd, ()):
            watch.lose(wd)
        self._let_go(wd)
        if self._manager is not None:
            self._manager.del_watch(wd)

    def _let_go(self, wd: int) -> None:
        for lost in self._adding:
            lost.add(wd)
        if self._manager is not None:
            self._manager.rm_watch(wd, quiet=True)  # fails when the kernel has done it

    def detach(self, watch: Watch) -> None:
        """Have a watch be told of nothing any more."""
        for wd in watch.folders:
            users = self._watches.get(wd, set())
            users.discard(watch)
            if not users:
                self._watches.pop(wd, None)
                self._let_go(wd)
        watch.folders.clear()


def _is_there(folder: str) -> bool:
    return os.path.isdir(folder)  # noqa: PTH112
