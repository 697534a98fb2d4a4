"""The store as the master's tasks see it: the same writes and reads, awaited.

The functions run on the store's threads. A task that is cancelled while it waits only stops
waiting: a write that was asked for still happens, so whatever has to follow a write is put
under a shield together with it.
"""

import contextlib
from collections.abc import Callable
from typing import Generic, TypeVar

import trio

from claw.errors import StoreError
from claw.store.database import Answer, Database
from claw.store.records import Tx

T = TypeVar("T")


class _Waiter(Generic[T]):
    """Carries one answer from a store's thread to a task."""

    def __init__(self, undo: Callable[[], None] | None = None) -> None:
        self._undo = undo
        self._token = trio.lowlevel.current_trio_token()
        self._answered = trio.Event()
        self._answer: Answer[T] | None = None

    def on_answer(self, answer: Answer[T]) -> None:
        """Take the answer; called on any thread, or inline before `wait`."""
        self._answer = answer
        if answer.error is not None and self._undo is not None:
            self._undo()
        with contextlib.suppress(trio.RunFinishedError):  # nobody is left to hear it
            self._token.run_sync_soon(self._answered.set)

    async def wait(self) -> T:
        await self._answered.wait()
        assert self._answer is not None  # noqa: S101
        return self._answer.unwrap()


class AsyncStore:
    """trio's face of a `Database`, which the caller opens and closes."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.trouble: str | None = None  # why the last write could not be stored

    async def write(self, fn: Callable[[Tx], T], undo: Callable[[], None] | None = None) -> T:
        """Run a function in a transaction; return its value once that is on disk.

        Args:
            fn: The function.
            undo: Called on the store's thread, before a later transaction begins, when
                nothing was stored: takes back what the function did beside its ``tx``.

        Raises:
            StoreError: It could not be stored. Any other error is the function's own.
        """
        waiter: _Waiter[T] = _Waiter(undo)
        self.database.write(fn, waiter.on_answer)
        try:
            value = await waiter.wait()
        except StoreError as error:
            self.trouble = error.message
            raise
        self.trouble = None
        return value

    async def read(self, fn: Callable[[Tx], T]) -> T:
        """Run a function that only reads, on one consistent state; raises as `write`."""
        waiter: _Waiter[T] = _Waiter()
        self.database.read(fn, waiter.on_answer)
        return await waiter.wait()
