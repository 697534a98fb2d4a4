"""What a job's file watch makes of notices, on real folders and a real inotify."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio

from claw.master.inputs.filewatch import FileWatcher
from claw.master.output import watch as notices
from claw.master.output.watch import Watcher
from claw.model.watching import FileWatch
from tests.kit.deadfolder import dead_folder
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


async def _aside(look: Callable[[], Any]) -> Any:
    return await trio.to_thread.run_sync(look, abandon_on_cancel=True)


async def test_a_folder_that_never_answers_holds_up_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "dead").mkdir()
    (tmp_path / "alive").mkdir()
    watcher = Watcher()
    with dead_folder(tmp_path / "dead"), watcher.watching() as watch:
        async with trio.open_nursery() as nursery:
            add = watch.add_aside
            nursery.start_soon(add, f"{tmp_path}/dead/in", notices.FILES, _aside)
            nursery.start_soon(watcher.serve)
            assert await add(f"{tmp_path}/alive", notices.FILES, _aside)
            (tmp_path / "alive/new").touch()
            with trio.fail_after(30):
                assert await watch.wait() == frozenset({f"{tmp_path}/alive/new"})
            nursery.cancel_scope.cancel()
    watcher.close()


async def test_a_folder_is_watched_though_another_lets_go_of_it_meanwhile(
    tmp_path: Path,
) -> None:
    watcher, asked = Watcher(), 0

    async def slowly(look: Callable[[], Any]) -> Any:
        nonlocal asked
        asked += 1
        found = look()
        if asked == 1:
            watcher.detach(other)
        await trio.lowlevel.checkpoint()
        return found

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watcher.serve)
        with watcher.watching(str(tmp_path)) as other, watcher.watching() as watch:
            assert await watch.add_aside(str(tmp_path), notices.FILES, slowly)
            (tmp_path / "new").touch()
            with trio.fail_after(30):
                assert await watch.wait() == frozenset({f"{tmp_path}/new"})
        nursery.cancel_scope.cancel()
    watcher.close()

    assert asked == 2
