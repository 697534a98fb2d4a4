"""What a job's file watch makes of notices, on real folders and a real inotify."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio

from claw.master.inputs.filewatch import FileWatcher
from claw.master.output.watch import Watcher
from claw.model.watching import FileWatch
from tests.kit.desk import Desk, job


class _Counted:
    """The store of a desk, which counts how often all folders are looked through."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.looks = 0

    async def read(self, read: Callable[[Any], Any]) -> Any:
        await trio.lowlevel.checkpoint()
        return self._desk.database.view(lambda tx: read(_Tx(tx, self)))

    async def patiently(self, decide: Callable[[Any], Any]) -> Any:
        await trio.lowlevel.checkpoint()
        return self._desk.do(decide)


class _Tx:
    def __init__(self, tx: Any, counted: _Counted) -> None:
        self._tx, self._counted = tx, counted

    def __getattr__(self, name: str) -> Any:
        self._counted.looks += name == "watches"
        return getattr(self._tx, name)


async def test_a_folder_that_goes_has_not_all_the_others_looked_through(tmp_path: Path) -> None:
    wanted = FileWatch(paths=(f"{tmp_path}/in/**/*",))
    desk = Desk(job("j", watch=wanted, max_instances=9))
    counted, watcher = _Counted(desk), Watcher()
    (tmp_path / "in" / "kept").mkdir(parents=True)

    async def until_run(name: str) -> None:
        aside = tmp_path / name
        aside.touch()
        aside.rename(tmp_path / "in" / name)
        with trio.fail_after(30):
            while not any(  # noqa: ASYNC110
                f"/{name}:" in run.origin_key for run in desk.runs("j")
            ):
                await trio.sleep(0.01)

    store: Any = counted
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watcher.serve)
        nursery.start_soon(
            FileWatcher(job("j", watch=wanted), wanted, store, store).serve, watcher
        )
        await until_run("a")
        before = counted.looks
        for no in range(3):
            (tmp_path / "in" / f"gone{no}").mkdir()
            await until_run(f"b{no}")
            (tmp_path / "in" / f"gone{no}").rmdir()
        await until_run("c")
        after = counted.looks
        (tmp_path / "in" / "kept").rename(tmp_path / "away")
        await until_run("d")
        moved = counted.looks
        nursery.cancel_scope.cancel()
    watcher.close()

    assert (before, after) == (1, 1)
    assert moved > after
