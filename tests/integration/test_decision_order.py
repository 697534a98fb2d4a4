"""Decisions are made in the order in which they were asked for, a reload among them."""

import contextlib
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import pytest
import trio

from claw.kernel import clock
from claw.master.asyncstore import AsyncStore
from claw.master.configuration import Configuration, Reloader
from claw.master.decider import Decider
from claw.master.engine import services
from claw.master.engine.sync import sync
from claw.master.engine.turn import Turn
from claw.model.effect import Effect
from claw.model.job import Config
from claw.store.damage import open_or_rebuild
from claw.store.database import Database
from claw.store.records import Tx

PATIENCE_S = 20.0


class Master:
    """The deciding parts of a master, and the file that they were told of."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.file = folder / "claw.toml"
        self.configure("old")
        self.configuration = Configuration(str(self.file))
        self.configuration.current = self.configuration.load()
        self.database = database
        self.decide = Decider(AsyncStore(database), self.configuration.get, self._perform)
        self.reload = Reloader(self.configuration, self.decide, self._on_change)

    def configure(self, job: str) -> None:
        self.file.write_text(f'[jobs.{job}]\ncommand = "true"\n')

    async def begin(self) -> None:
        """Make the standings fit the configuration, as a start does."""
        await self.decide(lambda turn: services.begin(turn, clock.boot_id()))
        await self.decide(lambda turn: sync(turn, start=False))

    def names(self) -> list[str]:
        """Return the jobs of the configuration in force."""
        return [job.name for job in self.configuration.current.jobs]

    async def _perform(self, _effects: Sequence[Effect]) -> None:
        """Effects are of no interest here."""

    def _on_change(self, _config: Config) -> None:
        """Nor are the parts of a master that follow its configuration."""


@pytest.fixture(name="master")
def _master(tmp_path: Path) -> Iterator[Master]:
    database = open_or_rebuild(str(tmp_path / "claw.db"), clock.now()).database
    yield Master(tmp_path, database)
    database.close()


@contextlib.asynccontextmanager
async def _busy_store(database: Database) -> AsyncIterator[None]:
    """Keep the store's writer busy for as long as the block lasts."""
    entered, leave = trio.Event(), threading.Event()
    token = trio.lowlevel.current_trio_token()

    def inside(_tx: Tx) -> None:
        token.run_sync_soon(entered.set)
        assert leave.wait(PATIENCE_S)

    database.write(inside, lambda _answer: None)
    await entered.wait()
    try:
        yield
    finally:
        leave.set()


async def _in_line(database: Database, count: int) -> None:
    """Wait until so many writes stand in line."""
    with trio.fail_after(PATIENCE_S):
        while database._writes.qsize() < count:  # noqa: ASYNC110
            await trio.sleep(0.005)


async def test_what_was_asked_before_a_reload_is_decided_by_the_old_configuration(
    master: Master,
) -> None:
    database = master.database
    await master.begin()
    seen: list[tuple[list[str], list[str]]] = []

    def look(turn: Turn) -> None:
        seen.append(([job.name for job in turn.config.jobs], sorted(turn.tx.standings())))

    master.configure("new")
    async with trio.open_nursery() as nursery, _busy_store(database):
        nursery.start_soon(master.decide, look)
        await _in_line(database, 1)
        nursery.start_soon(master.reload)
        await _in_line(database, 2)
        nursery.start_soon(master.decide, look)
        await _in_line(database, 3)

    assert seen == [(["old"], ["old"]), (["new"], ["new"])]
    assert master.names() == ["new"]


async def test_a_reload_that_cannot_be_stored_has_not_happened_for_what_comes_next(
    master: Master,
) -> None:
    database = master.database
    await master.begin()
    seen: list[list[str]] = []

    def fail_commit(tx: Tx) -> None:
        seen.append(master.names())
        tx._connection.execute("PRAGMA defer_foreign_keys = ON")
        tx._connection.execute(
            "INSERT INTO supervisors VALUES ('s', 'nobody', 'j', 0, 0, 0, 0, '', '', NULL)"
        )

    async def reload() -> None:
        with pytest.raises(sqlite3.IntegrityError):
            await master.reload()

    master.configure("new")
    async with trio.open_nursery() as nursery, _busy_store(database):
        nursery.start_soon(reload)
        await _in_line(database, 1)
        # Answered after the reload, and still before any other decision.
        database.write(fail_commit, lambda _answer: seen.append(master.names()))

    await master.decide(lambda turn: seen.append([job.name for job in turn.config.jobs]))
    assert seen == [["new"], ["old"], ["old"]]
