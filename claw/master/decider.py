"""Decisions: made in a transaction, committed, and only then acted on."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

import trio

from claw.errors import StoreError
from claw.kernel import clock
from claw.master.asyncstore import AsyncStore
from claw.master.engine import consequences
from claw.master.engine.turn import Turn
from claw.model.effect import Effect
from claw.model.job import Config
from claw.store.records import Tx

_LOG = logging.getLogger("claw.store")
_PAUSE_S = 1.0

T = TypeVar("T")


class Deciding(Protocol):
    """What makes decisions: a `Decider`, or one that makes several at once."""

    async def __call__(self, decide: Callable[[Turn], T]) -> T:
        """Make one, and return what has come of it."""


class Decider:
    """Runs the engine's functions of a `Turn`, each in a transaction of its own."""

    def __init__(
        self,
        store: AsyncStore,
        config: Callable[[], Config],
        perform: Callable[[Sequence[Effect]], Awaitable[None]],
    ) -> None:
        self._store = store
        self.config = config
        self._perform = perform

    async def __call__(
        self,
        decide: Callable[[Turn], T],
        *,
        config: Config | None = None,
        undo: Callable[[], None] | None = None,
    ) -> T:
        """Make a decision and have its effects performed; once begun it is not cancelled.

        Args:
            decide: Makes it, on the store's thread.
            config: Decide with this one; None: with the one in force when its turn comes.
            undo: As for `AsyncStore.write`.

        Raises:
            StoreError: It could not be stored; nothing has happened.
        """
        turns: list[Turn] = []

        def inside(tx: Tx) -> tuple[T, list[Effect]]:
            turn = Turn(tx, config or self.config(), clock.now())
            turns.append(turn)
            value = decide(turn)
            consequences.follow(turn)
            return value, list(turn.effects)

        def take_back() -> None:
            for turn in turns:
                turn.take_back()
            if undo is not None:
                undo()

        with trio.CancelScope(shield=True):
            value, effects = await self._store.write(inside, take_back)
            await self._perform(effects)
        return value

    async def patiently(self, decide: Callable[[Turn], T]) -> T:
        """Make a decision that must be made, whenever the store can take it again."""
        while True:
            try:
                return await self(decide)
            except StoreError as error:
                _LOG.error("cannot store, trying again: %s", error)
                await trio.sleep(_PAUSE_S)
