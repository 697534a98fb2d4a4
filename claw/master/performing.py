"""What decisions lead to: each kind of effect, and who acts on it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from claw.model.effect import Effect

E = TypeVar("E")


class Performer:
    """Hands each effect to those that asked for its kind; called by `Decider`."""

    def __init__(self) -> None:
        self._acts: dict[type, list[Callable[[Any], None]]] = {}

    def on(self, kind: type[E], act: Callable[[E], None]) -> None:
        """Have all effects of a kind acted on; ``act`` is quick, starts tasks if need be."""
        self._acts.setdefault(kind, []).append(act)

    async def __call__(self, asked: Sequence[Effect]) -> None:
        """Act on effects in their order, once the decision is on disk."""
        for effect in asked:
            for act in self._acts.get(type(effect), ()):
                act(effect)
