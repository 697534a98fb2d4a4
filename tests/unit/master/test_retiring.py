"""Jobs whose time is over are removed together."""

from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing

from claw.errors import ConfigError, NotFoundError
from claw.master.retiring import Retiring
from claw.model.effect import Retire


class Files:
    """What is configured, in place of managed.toml; `kept` may not be removed."""

    def __init__(self, *jobs: str, kept: str = "") -> None:
        self.jobs = set(jobs)
        self.kept = kept
        self.is_sound = True
        self.edits: list[list[str]] = []
        self._now: list[str] = []

    def remove(self, job: str, *, override: bool) -> None:
        assert not override
        if job not in self.jobs:
            raise NotFoundError(f"no job {job!r}")
        self._now.append(job)

    async def reload(
        self, edit: Callable[[Any], None] | None = None, *, dry_run: bool = False, by: str = ""
    ) -> None:
        self._now = []
        if edit is not None:
            assert by
            self.edits.append(self._now)
            edit(self)
        if self.kept in self._now or not self.is_sound:
            raise ConfigError("another job depends on it")
        if not dry_run:
            self.jobs -= {*self._now}


async def retire(files: Files, *jobs: str) -> None:
    """Have jobs removed, and wait until that is done."""
    retiring = Retiring(files.reload)
    async with trio.open_nursery() as nursery:
        for job in jobs:
            retiring.on_retire(Retire(job, "ttl"))
        nursery.start_soon(retiring.serve)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()


async def test_what_is_due_together_is_one_change() -> None:
    files = Files(*"abcde")
    await retire(files, *"abcd")
    assert files.jobs == {"e"}
    assert files.edits == [["a", "b", "c", "d"]]


@pytest.mark.parametrize("kept", ["a", "c", "d"])
async def test_one_that_cannot_be_removed_keeps_no_other(kept: str) -> None:
    files = Files(*"abcd", kept=kept)
    await retire(files, *"abcd", "gone")
    assert files.jobs == {kept}


async def test_files_that_are_broken_are_tried_once() -> None:
    files = Files(*"abcd")
    files.is_sound = False
    await retire(files, *"abcd")
    assert len(files.edits) == 1
