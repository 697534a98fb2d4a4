"""Removes the jobs from managed.toml whose time is over: see `claw.master.engine.lifetimes`."""

import logging
from collections.abc import Awaitable, Callable, Sequence

import trio

from claw.config.managed import Managed
from claw.errors import ClawError
from claw.model.effect import Retire

_LOG = logging.getLogger("claw")


class Retiring:
    """Takes jobs out of managed.toml, those that are due together by one change.

    What fails is tried again when it is asked for again.
    """

    def __init__(self, reload: Callable[..., Awaitable[object]]) -> None:
        """Take what edits that file and takes in the configuration."""
        self._reload = reload
        self._due: dict[str, str] = {}
        self._wake = trio.Event()

    def on_retire(self, effect: Retire) -> None:
        """Have a job removed soon."""
        self._due[effect.job] = effect.why
        self._wake.set()

    async def serve(self) -> None:
        """Remove until cancelled."""
        while True:
            await self._wake.wait()
            self._wake = trio.Event()
            due, self._due = self._due, {}
            for why in dict.fromkeys(due.values()):
                await self._remove([job for job in due if due[job] == why], why)

    async def _remove(self, jobs: Sequence[str], why: str) -> None:
        def edit(managed: Managed) -> None:
            for job in jobs:
                managed.remove(job, override=False)

        try:
            await self._reload(edit=edit, by=why)
        except ClawError as error:
            if len(jobs) > 1 and await self._may_be_changed():
                middle = len(jobs) // 2  # one of them stands in the way of the others
                await self._remove(jobs[:middle], why)
                await self._remove(jobs[middle:], why)
            else:
                names = ", ".join(jobs)
                _LOG.warning("over, and cannot be removed: job %s: %s", names, error)
        else:
            for job in jobs:
                _LOG.info("job %s is over and has been removed: %s", job, why)

    async def _may_be_changed(self) -> bool:
        """Tell whether the files as they are could be taken in."""
        try:
            await self._reload(dry_run=True)
        except ClawError:
            return False
        return True
