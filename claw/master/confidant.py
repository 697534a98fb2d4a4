"""Whom the master asks for what is kept elsewhere; remembers what must not be shown.

Whoever keeps a secret may take long to answer, or for ever (a keyring that waits for a person):
it is asked on a thread, for a bounded time, and so holds up only who needs the answer.
"""

from collections.abc import Iterable, Mapping
from functools import partial

import trio

from claw.model import reference
from claw.model.redact import Redactor
from claw.model.reference import Reference
from claw.secrets import keeper
from claw.secrets.resolving import Resolver, UnresolvedError

_PATIENCE_S = 10.0
_AT_ONCE = 4
"""Questions under way; threads of those that nobody waits for any more are among them."""


class Confidant:
    """See the module.

    Attributes:
        redactor: Knows each value that was looked up and is not to be shown.
    """

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self.redactor = Redactor()
        self._threads = trio.CapacityLimiter(_AT_ONCE)

    async def values(
        self, wanted: Iterable[Reference], *, for_another: bool = False
    ) -> dict[Reference, str]:
        """Return what each reference stands for; see `Resolver.resolve`.

        Raises:
            UnresolvedError: One stands for nothing, or nobody answers.
        """
        asked = tuple(wanted)
        if not asked:
            return {}
        look = partial(self._resolver.resolve, asked, for_another=for_another)
        with trio.move_on_after(_PATIENCE_S):
            try:
                found = await trio.to_thread.run_sync(
                    look, abandon_on_cancel=True, limiter=self._threads
                )
            except RuntimeError as error:  # no room for a thread
                raise UnresolvedError(f"{asked[0]}: {error}", is_passing=True) from error
            self.redactor.add(value for one, value in found.items() if one.is_hidden)
            return found
        names = ", ".join(map(str, asked))
        raise UnresolvedError(f"{names}: no answer in {_PATIENCE_S:g} s", is_passing=True)

    async def fill(self, text: str) -> str:
        """Return a text with what it refers to filled in.

        Raises:
            UnresolvedError: Something is not there.
        """
        return (await self.fill_all([text]))[0]

    async def fill_all(self, texts: Iterable[str]) -> list[str]:
        """Return several texts, filled in.

        Raises:
            UnresolvedError: Something is not there.
        """
        said = list(texts)
        values = await self.values(reference.of_all(said))
        return [reference.fill(text, values) for text in said]


def confidant_of(environment: Mapping[str, str]) -> Confidant:
    """Return the master's.

    Args:
        environment: The daemon's.
    """
    return Confidant(Resolver(environment, keeper.of_none))
