"""The store's two threads: one that writes, one that reads.

Invariant (I1): whoever waits for a write hears of it only after its COMMIT. Many writes
share one transaction (group commit): each runs in a savepoint of its own, so that one that
raises takes back its own changes and no other's. When the transaction itself fails (disk
full, input/output error), all of its writes are answered with `StoreError`, nothing of
them is stored, and the thread goes on with the next ones.

No trio in here: the answer is given to a callback, on the store's thread.
"""

import contextlib
import queue
import sqlite3
import sys
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Self, TypeVar

from claw.errors import StoreError
from claw.model.event import Event
from claw.store import migrate
from claw.store.connect import Tracer, connect, is_damage
from claw.store.records import Tx
from claw.store.statements import Memory

T = TypeVar("T")
GROUP_LIMIT = 256
"""Writes in one transaction at most: the first of them waits for the last."""

CLEAN_STOP = "clean_stop"
"""There from a clean stop to the next start."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What came of a write or a read: a value, or the error that it raised."""

    value: T | None = None
    error: BaseException | None = None

    def unwrap(self) -> T:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]


class _Work(Generic[T]):
    """One function on its way through a thread; it is answered once."""

    __slots__ = ("_answered", "_done", "_fn", "_value")

    def __init__(self, fn: Callable[[Tx], T], done: Callable[[Answer[T]], None]) -> None:
        self._fn = fn
        self._done = done
        self._value: T | None = None
        self._answered = False

    def run(self, tx: Tx) -> None:
        self._value = self._fn(tx)

    def succeed(self) -> None:
        self._answer(Answer(self._value))

    def fail(self, error: BaseException) -> None:
        self._answer(Answer(error=_translated(error)))

    def _answer(self, answer: Answer[T]) -> None:
        if self._answered:
            return
        self._answered = True
        try:
            self._done(answer)
        except Exception:  # noqa: BLE001  the others' answers must still be given
            _report()


def _report() -> None:
    """Let a callback's error be seen without ending the thread."""
    threading.excepthook(
        threading.ExceptHookArgs((*sys.exc_info(), threading.current_thread()))
    )


def _translated(error: BaseException) -> BaseException:
    """Return SQLite's refusals as the store's; a mistake of ours in SQL stays what it is."""
    if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
        return error
    if not isinstance(error, sqlite3.Error):
        return error
    translated = StoreError(
        f"the database cannot store or read: {error}",
        hint="see that its disk has room and can be written",
    )
    translated.__cause__ = error
    return translated


class Database:
    """The store of one home. See the module for what it promises.

    Made by `claw.store.damage.open_or_rebuild`, which migrates first. All methods may be
    called from any thread.
    """

    def __init__(
        self,
        path: str,
        *,
        inline: bool = False,
        tracer: Tracer | None = None,
        on_events: Callable[[tuple[Event, ...]], None] | None = None,
    ) -> None:
        """Open a migrated database.

        Args:
            path: Of the file; ``:memory:`` only inline.
            inline: No threads: functions run, and are answered, within the call.
            tracer: Called with the text of each statement.
            on_events: Called after each COMMIT, in order and before the callbacks, with the
                events that it stored.
        """
        self._path = path
        self._tracer = tracer
        self._on_events = on_events
        self._damaged = False
        self._closed = False
        self._gate = threading.Lock()
        self._writer = connect(path, tracer=tracer)
        self._memory = Memory()  # the writer's
        self._is_writer_gone = False
        self._writes: queue.SimpleQueue[_Work[object] | None] = queue.SimpleQueue()
        self._reads: queue.SimpleQueue[_Work[object] | None] = queue.SimpleQueue()
        self._threads: tuple[threading.Thread, ...] = ()
        if inline:
            self._reader = self._writer
            weakref.finalize(self, self._writer.close)  # few of those are closed by anybody
            return
        self._reader = connect(path, tracer=tracer, read_only=True)
        self._threads = (
            threading.Thread(target=self._serve_writes, name="store-writer", daemon=True),
            threading.Thread(target=self._serve_reads, name="store-reader", daemon=True),
        )
        for thread in self._threads:
            thread.start()

    @classmethod
    def inline(cls, at: datetime, path: str = ":memory:") -> Self:
        """Return a new, migrated database without threads, for tests."""
        database = cls(path, inline=True)
        migrate.apply(database._writer, at)
        return database

    @property
    def is_damaged(self) -> bool:
        """Whether SQLite has met a damaged page since the start: restart to rebuild."""
        return self._damaged

    def write(self, fn: Callable[[Tx], T], done: Callable[[Answer[T]], None]) -> None:
        """Run a function in a transaction and answer once it is on disk.

        The function must be quick and touch nothing but its ``tx``: others wait for it.
        """
        self._enqueue(self._writes, self._write_group, _Work(fn, done))

    def read(self, fn: Callable[[Tx], T], done: Callable[[Answer[T]], None]) -> None:
        """Run a function that only reads, on one consistent state of the database."""
        self._enqueue(self._reads, self._read_one, _Work(fn, done))

    def transact(self, fn: Callable[[Tx], T]) -> T:
        """Write and wait: for start-up, tests, and whoever may block.

        Raises:
            StoreError: It could not be stored. Any other error is the function's own.
        """
        return self._wait(self.write, fn)

    def view(self, fn: Callable[[Tx], T]) -> T:
        """Read and wait; raises as `transact` does."""
        return self._wait(self.read, fn)

    def close(self) -> None:
        """Finish what was asked, fold the write-ahead log into the file, and let go."""
        with self._gate:
            if self._closed:
                return
            self._closed = True
            for line in (self._reads, self._writes):
                line.put(None)
        for thread in self._threads:
            thread.join()
        if self._threads:
            self._reader.close()
        self._end_cleanly()
        self._writer.close()

    def _end_cleanly(self) -> None:
        if self._damaged:
            return
        with contextlib.suppress(sqlite3.Error):  # nothing is lost: the next start looks closer
            Tx(self._writer).put_meta(CLEAN_STOP, "1")
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _wait(
        self,
        how: Callable[[Callable[[Tx], T], Callable[[Answer[T]], None]], None],
        fn: Callable[[Tx], T],
    ) -> T:
        answers: queue.SimpleQueue[Answer[T]] = queue.SimpleQueue()
        how(fn, answers.put)
        return answers.get().unwrap()

    def _enqueue(
        self,
        line: "queue.SimpleQueue[_Work[object] | None]",
        inline: "Callable[[list[_Work[object]]], None]",
        work: "_Work[T]",
    ) -> None:
        item: _Work[object] = work  # type: ignore[assignment]
        with self._gate:
            closed = self._closed
            if not closed and self._threads:
                line.put(item)
        if closed:
            work.fail(StoreError("the store is closed"))
        elif not self._threads:
            inline([item])

    def _serve_writes(self) -> None:
        while group := _next_group(self._writes):
            self._write_group(group)

    def _serve_reads(self) -> None:
        while (work := self._reads.get()) is not None:
            self._read_one([work])

    def _read_one(self, works: "list[_Work[object]]") -> None:
        for work in works:
            try:
                self._reader.execute("BEGIN")
                try:
                    tx = Tx(self._reader)
                    work.run(tx)
                    tx.settle()  # a reader that has something to write is refused
                finally:
                    if self._reader.in_transaction:
                        self._reader.execute("ROLLBACK")
            except BaseException as error:  # noqa: BLE001  it is the asker's error
                self._note(error)
                work.fail(error)
            else:
                work.succeed()

    def _write_group(self, group: "list[_Work[object]]") -> None:
        try:
            self._reconnect()
            self._memory.shrink()
            tx = Tx(self._writer, self._memory)
            self._writer.execute("BEGIN IMMEDIATE")
            if len(group) == 1:
                kept = group
                self._run(group[0], tx)  # it fails with its transaction
            else:
                kept = [work for work in group if self._try(work, tx)]
            self._writer.execute("COMMIT")
        except BaseException as error:  # noqa: BLE001  each of them hears of it
            self._note(error)
            self._memory.forget()
            for work in group:
                work.fail(error)
            self._reset()
            return
        if tx.events_appended and self._on_events is not None:
            try:
                self._on_events(tuple(tx.events_appended))
            except Exception:  # noqa: BLE001  as for any callback
                _report()
        for work in kept:
            work.succeed()

    @staticmethod
    def _run(work: "_Work[object]", tx: Tx) -> None:
        work.run(tx)
        tx.settle()

    def _try(self, work: "_Work[object]", tx: Tx) -> bool:
        """Run one write in its savepoint and tell whether it stands."""
        seen = len(tx.events_appended)
        self._writer.execute("SAVEPOINT work")
        try:
            self._run(work, tx)
        except BaseException as error:
            self._note(error)
            tx.forget()
            del tx.events_appended[seen:]
            if not self._writer.in_transaction:
                # SQLITE_FULL, SQLITE_IOERR: SQLite took back the whole transaction.
                raise
            self._writer.execute("ROLLBACK TO work")
            self._writer.execute("RELEASE work")
            work.fail(error)
            return False
        self._writer.execute("RELEASE work")
        return True

    def _note(self, error: BaseException) -> None:
        if is_damage(error):
            self._damaged = True

    def _reset(self) -> None:
        """Leave the failed transaction, if need be with its connection; never raises.

        An error in here would end the thread, and all later writes would wait for ever.
        """
        try:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
        except Exception:  # noqa: BLE001  the next group says what is wrong, if it still is
            self._is_writer_gone = True
            with contextlib.suppress(sqlite3.Error):
                self._writer.close()

    def _reconnect(self) -> None:
        """Open the writer's connection anew if the last failure took it."""
        if self._is_writer_gone:
            self._writer = connect(self._path, tracer=self._tracer)
            self._is_writer_gone = False


def _next_group(line: "queue.SimpleQueue[_Work[object] | None]") -> "list[_Work[object]]":
    """Wait for a write and return it with those that stand behind it; [] at the end."""
    first = line.get()
    group: list[_Work[object]] = []
    while first is not None:
        group.append(first)
        if len(group) == GROUP_LIMIT:
            break
        try:
            first = line.get_nowait()
        except queue.Empty:
            break
    else:
        if group:
            line.put(None)  # seen in passing: it ends the thread the next time
    return group
