"""Keeps the log folder small: compresses what was rotated, and removes what is too much.

One task; its work is done in a thread of the lowest priority, since nobody waits for it. It
looks when a supervisor has rotated a file or a run has ended, and now and then besides.
"""

import errno
import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import trio

from claw.errors import StoreError
from claw.kernel import clock
from claw.master.asyncstore import AsyncStore
from claw.master.output import compress, total
from claw.master.output.total import InUse, Kept
from claw.model import instances
from claw.model.home import Home
from claw.model.job import Config, JobType, Sink
from claw.model.run import State
from claw.store.records import Tx

T = TypeVar("T")

LOOK_S = 600.0
"""What grows without being rotated, or could not be compressed, is looked at so often."""
_PAUSE_S = 1.0
_RETRY_S = 10.0
_SHARE = 20
"""Looks at the whole folder take at most one part in so many of the time."""
_LOWEST = 19
_FAILED = frozenset({State.FAILED, State.TIMED_OUT, State.CRASHED})

log = logging.getLogger("claw.logs")


async def in_idle_thread(fn: Callable[[], T]) -> T:
    """Run something in a thread of its own that yields to everything else.

    A thread that has lowered its priority cannot raise it again (setpriority(2)), so none of
    trio's. It is left to itself when this is cancelled, and must bear to be cut short.

    Raises:
        OSError: There is no room for another thread, or as ``fn`` has it.
    """
    token, ended = trio.lowlevel.current_trio_token(), trio.Event()
    results: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)
            results.append(fn())
        except BaseException as error:  # noqa: BLE001  raised again below
            errors.append(error)
        try:
            token.run_sync_soon(ended.set)
        except trio.RunFinishedError:
            return

    try:
        threading.Thread(target=work, name="claw-logs", daemon=True).start()
    except RuntimeError as error:
        raise OSError(errno.EAGAIN, str(error)) from error  # as pthread_create(3) has it
    await ended.wait()
    if errors:
        raise errors[0]
    return results[0]


class Keeper:
    """See the module."""

    def __init__(self, home: Home, store: AsyncStore, config: Callable[[], Config]) -> None:
        self._home = home
        self._store = store
        self._config = config
        self._woken = trio.Event()
        self._folders: set[str] = set()  # in which something was rotated
        self._looks_everywhere = False  # something may have been that nobody told of
        self._look_at = 0.0  # monotonic: when the whole folder is looked at again
        self._is_over = False  # the bound, with nothing left to remove
        self._unpacked: set[str] = set()  # files that could not be compressed, told once
        self._unfinished: set[str] = set()  # their folders

    def note_rotated(self, path: str | None) -> None:
        """A supervisor says that a file has been replaced; None: any may have been."""
        if path is None:
            self._looks_everywhere = True
        else:
            self._folders.add(os.path.dirname(path))  # noqa: PTH120
        self._woken.set()

    def wake(self) -> None:
        """Something has ended, and left its output."""
        self._woken.set()

    async def serve(self) -> None:
        """Keep it small, until cancelled; what fails is tried again."""
        while True:
            try:
                await self._serve()
            except OSError as error:
                log.warning("the log folder is not looked after for now: %s", error)
                self._looks_everywhere = True
            await trio.sleep(_RETRY_S)

    async def _serve(self) -> None:
        self._folders.update(await in_idle_thread(self._clear_begun))
        while True:
            if self._looks_everywhere:
                self._looks_everywhere = False
                self._folders.update(self._all_folders())
            folders, self._folders = self._folders, set()
            await self._compress(folders)
            wait_s = self._look_at - clock.monotonic()
            if wait_s <= 0:
                await self._look()
                self._folders.update(self._unfinished)
                wait_s = LOOK_S
            with trio.move_on_after(wait_s):
                await self._woken.wait()
            self._woken = trio.Event()
            await trio.sleep(_PAUSE_S)

    def _clear_begun(self) -> list[str]:
        """Remove what a crash has left half done; return all folders."""
        folders = self._all_folders()
        for folder in folders:
            compress.clear_begun(folder)
        return folders

    def _all_folders(self) -> list[str]:
        try:
            with os.scandir(self._home.log) as entries:
                return [one.path for one in entries if one.is_dir(follow_symlinks=False)]
        except OSError:
            return []

    # -- compression -----------------------------------------------------------------

    async def _compress(self, folders: set[str]) -> None:
        wanted = [folder for folder in sorted(folders) if self._is_compressed(folder)]
        if wanted:
            await in_idle_thread(partial(self._compress_in, wanted))

    def _is_compressed(self, folder: str) -> bool:
        job = self._config().job(instances.split(folder.rpartition("/")[2])[0])
        return job is not None and job.log.compress and Sink.FILE in job.log.to

    def _compress_in(self, folders: list[str]) -> None:
        for folder in folders:
            for path in compress.rotated_in(folder):
                try:
                    compress.compress(path)
                except OSError as error:
                    if path not in self._unpacked:
                        log.warning("%s stays uncompressed for now: %s", path, error)
                    self._unpacked.add(path)
                    self._unfinished.add(folder)

    # -- the bound -------------------------------------------------------------------

    async def _look(self) -> None:
        """Remove what is beyond ``daemon.log_total``."""
        limit = self._config().daemon.log_total
        began = clock.monotonic()
        size, kept = await in_idle_thread(partial(total.survey, self._home.log))
        if limit and size > limit:
            try:
                used = await self._in_use(kept)
            except StoreError as error:
                log.warning("the log folder cannot be cleared: %s", error)
                return
            going = total.too_many(size, limit, kept, used)
            await in_idle_thread(partial(_remove_all, going))
            size -= sum(one.size for one in going)
            self._tell(size, limit, len(going))
        self._is_over = bool(limit) and size > limit
        self._look_at = clock.monotonic() + _SHARE * (clock.monotonic() - began)

    async def _in_use(self, kept: list[Kept]) -> InUse:
        services = {job.name for job in self._config().jobs if job.type is JobType.CONTINUOUS}
        ids = {one.output.run for one in kept if one.output.run is not None}

        def read(tx: Tx) -> InUse:
            found = [run for run in map(tx.run, ids) if run is not None]
            written = services | {run.job for run in tx.active_runs()}
            return InUse(
                jobs={one.job for one in kept if instances.split(one.job)[0] in written},
                runs={run.id for run in found if run.is_open},
                failed={run.id for run in found if run.state in _FAILED},
            )

        return await self._store.read(read)

    def _tell(self, size: int, limit: int, count: int) -> None:
        if count:
            log.info("log_total: %d files of output removed", count)
        if size > limit and not self._is_over:
            log.warning(
                "the log folder holds %d bytes, more than log_total = %d, and all of it is"
                " still written to",
                size,
                limit,
            )


def _remove_all(going: list[Kept]) -> None:
    for one in going:
        total.remove(one)
