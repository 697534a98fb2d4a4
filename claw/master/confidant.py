"""Whom the master asks for what is kept elsewhere; remembers what must not be shown.

Whoever keeps a secret may take long to answer, or for ever (a keyring that waits for a person):
it is asked on a thread, for a bounded time, and so holds up only who needs the answer.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import trio

from claw.kernel import accounts
from claw.model import reference, uses
from claw.model.home import Home
from claw.model.job import Config
from claw.model.redact import Redactor
from claw.model.reference import Reference, Source
from claw.secrets.resolving import Resolver, UnresolvedError
from claw.secrets.secretfile import SecretsError
from claw.secrets.vault import Vault, vault_of

T = TypeVar("T")
Filling = Callable[[str, Mapping[Reference, str]], str]

_PATIENCE_S = 10.0
KEEPING_S = 60.0
"""Patience with a value's keeping or forgetting, of which the end has to be known: longer than
a keyring may take for each question of those that this is made of."""
_LEARNING_S = 3.0
_AT_ONCE = 4
"""Questions under way; threads of those that nobody waits for any more are among them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What references stand for, and which versions of secrets that are."""

    values: dict[Reference, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)


class Confidant:
    """See the module.

    Attributes:
        vault: Keeps claw's own secrets; blocks, see `ask`.
        redactor: Knows each value that was looked up and is not to be shown.
    """

    def __init__(self, vault: Vault, environment: Mapping[str, str]) -> None:
        self.vault = vault
        self._resolver = Resolver(environment, vault.value)
        self.redactor = Redactor()
        self._threads = trio.CapacityLimiter(_AT_ONCE)

    async def ask(self, question: Callable[[], T], patience_s: float = _PATIENCE_S) -> T:
        """Return what a question to whoever keeps secrets is answered.

        Raises:
            SecretsError: No answer comes in time.
        """
        with trio.move_on_after(patience_s):
            try:
                return await trio.to_thread.run_sync(
                    question, abandon_on_cancel=True, limiter=self._threads
                )
            except RuntimeError as error:  # no room for a thread
                raise SecretsError(str(error), is_passing=True) from error
        raise SecretsError(
            f"who keeps secrets gives no answer in {patience_s:g} s", is_passing=True
        )

    async def look_up(self, wanted: Iterable[Reference], *, for_another: bool) -> Found:
        """Return what each reference stands for; see `Resolver.resolve`.

        Raises:
            UnresolvedError: One stands for nothing, or nobody answers.
        """
        asked = tuple(dict.fromkeys(wanted))
        return await self._find(asked, partial(self._look, asked, for_another=for_another))

    async def _find(self, asked: tuple[Reference, ...], look: Callable[[], Found]) -> Found:
        if not asked:
            return Found()
        try:
            return await self.ask(look)
        except SecretsError as error:
            names = ", ".join(map(str, asked))
            raise UnresolvedError(
                f"{names}: {error.message}", is_passing=error.is_passing
            ) from error

    def _look_for(self, user: str, asked: tuple[Reference, ...]) -> Found:
        """Look up what a launch of a job of a user would, '' being claw's own."""
        is_anothers = bool(user) and accounts.user_id(user) != os.geteuid()
        return self._look(asked, for_another=is_anothers)

    def _look(self, asked: tuple[Reference, ...], *, for_another: bool) -> Found:
        names = [one.name for one in asked if one.source is Source.SECRET]
        while True:
            before = self._versions(names)
            values = self._resolver.resolve(asked, for_another=for_another)
            for one, value in values.items():
                if one.is_hidden:
                    self.redactor.add([value], of=str(one))
            if self._versions(names) == before:
                return Found(values=values, versions=before)

    def _versions(self, names: list[str]) -> dict[str, int]:
        if not names:
            return {}
        known = self.vault.entries()
        return {name: known[name].version for name in names if name in known}

    async def fill(self, text: str, *, user: str) -> str:
        """Return a text with what it refers to filled in; see `fill_all`.

        Raises:
            UnresolvedError: Something is not there.
        """
        return (await self.fill_all([text], user=user))[0]

    async def fill_url(self, url: str, *, user: str) -> str:
        """Return a URL filled in, see `fill_all` and `claw.model.reference.fill_url`.

        Raises:
            UnresolvedError: Something is not there.
        """
        return (await self.fill_all([url], user=user, by=reference.fill_url))[0]

    async def fill_all(
        self, texts: Iterable[str], *, user: str, by: Filling = reference.fill
    ) -> list[str]:
        """Return several texts, filled in.

        Args:
            texts: What was configured.
            by: What puts values into a text.
            user: Whom the job runs as that says so, and may learn the values thereby: it
                chooses who answers at an address. Empty: as claw does, or it is no job's.

        Raises:
            UnresolvedError: Something is not there, or is not for that user.
        """
        said = list(texts)
        asked = tuple(dict.fromkeys(reference.of_all(said)))
        found = await self._find(asked, partial(self._look_for, user, asked))
        return [by(text, found.values) for text in said]

    async def learn(self, config: Config) -> None:
        """Get to know what a configuration refers to, so that none of it is shown.

        What was printed while no master was there is looked at after this. Who does not
        answer is not waited for long.
        """
        asked = {(one.reference, one.user): None for one in uses.all_of(config)}
        if not any(one.is_hidden for one, _user in asked):
            return
        try:
            await self.ask(partial(self._learn, tuple(asked)), _LEARNING_S)
        except SecretsError:
            return

    def _learn(self, asked: tuple[tuple[Reference, str], ...]) -> None:
        for one, user in asked:
            try:
                self._look_for(user, (one,))
            except (UnresolvedError, SecretsError):
                continue


def confidant_of(
    home: Home,
    config: Callable[[], Config],
    passphrase: bytes = b"",
    environment: Mapping[str, str] = os.environ,
) -> Confidant:
    """Return the master's; see `vault_of`."""
    vault = vault_of(home, lambda: config().secrets, environment, passphrase)
    return Confidant(vault, environment)
