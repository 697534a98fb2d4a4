"""All jobs that watch files: one task for each, as long as it is to be started by them."""

import logging
from collections.abc import Callable
from functools import partial

import trio

from claw.errors import StoreError
from claw.master.asyncstore import AsyncStore
from claw.master.decider import Decider
from claw.master.engine import fileevents
from claw.master.inputs.filewatch import FileWatcher
from claw.master.output.watch import Watcher
from claw.model import gates
from claw.model.job import Config, Job
from claw.store.records import Tx

_LOG = logging.getLogger("claw.files")
_PAUSE_S = 1.0
_AFTER_MISTAKE_S = 30.0


class FileEvents:
    """See the module."""

    def __init__(
        self, config: Callable[[], Config], store: AsyncStore, decide: Decider
    ) -> None:
        """Take where the jobs are."""
        self._config = config
        self._store = store
        self._decide = decide
        self._woken = trio.Event()
        self._tasks: dict[str, tuple[Job, FileWatcher, trio.CancelScope]] = {}

    def wake(self, _effect: object = None) -> None:
        """Look again which jobs watch, because one was changed, stopped or started."""
        self._woken.set()

    async def serve(self, watcher: Watcher) -> None:
        """Watch, as long as the master lives."""
        async with trio.open_nursery() as nursery:
            while True:
                self._woken = trio.Event()
                try:
                    wanted = await self._wanted()
                except StoreError as error:
                    _LOG.warning("files are watched as before: %s", error)
                else:
                    self._fit(wanted, watcher, nursery)
                await self._woken.wait()

    async def _wanted(self) -> dict[str, Job]:
        """Return the jobs that are to be started by files now."""
        jobs = [job for job in self._config().jobs if job.watch is not None]

        def read(tx: Tx) -> dict[str, Job]:
            found = {}
            for job in jobs:
                standing = tx.standing(job.name)
                if standing is not None and gates.closed(standing) is None:
                    found[job.name] = job
            return found

        return await self._store.read(read) if jobs else {}

    def _fit(self, wanted: dict[str, Job], watcher: Watcher, nursery: trio.Nursery) -> None:
        for name, (before, _, scope) in list(self._tasks.items()):
            job = wanted.get(name)
            if job is None or (job.watch, job.type) != (before.watch, before.type):
                scope.cancel()
                del self._tasks[name]
        for name, job in wanted.items():
            if name not in self._tasks and job.watch is not None:
                scope = trio.CancelScope()
                one = FileWatcher(job, job.watch, self._store, self._decide)
                self._tasks[name] = job, one, scope
                nursery.start_soon(partial(self._serve_one, name, one, scope, watcher))

    async def _serve_one(
        self, name: str, one: FileWatcher, scope: trio.CancelScope, watcher: Watcher
    ) -> None:
        with scope:
            while True:
                try:
                    await one.serve(watcher)
                except (StoreError, OSError) as error:
                    one.problem = str(error)
                    _LOG.warning("the files of job %s: %s", name, error)
                    await trio.sleep(_PAUSE_S)
                except Exception as error:  # noqa: BLE001  the files of others go on
                    one.problem = f"{type(error).__name__}: {error}"
                    _LOG.exception("the files of job %s", name)
                    await trio.sleep(_AFTER_MISTAKE_S)

    def words(self, job: Job) -> list[str]:
        """Return what a job watches, and whether it can, in words."""
        if job.watch is None:
            return []
        what = f"it watches {', '.join(job.watch.paths)}"
        said = [f"{what} ({fileevents.wanted_words(job.watch)})"]
        task = self._tasks.get(job.name)
        if task is None:
            return [*said, "but not now: files that come are found when it is started again"]
        one = task[1]
        said += [f"{folder} is not there yet" for folder in dict.fromkeys(one.missing)]
        return [*said, f"it cannot watch all of that: {one.problem}"] if one.problem else said
