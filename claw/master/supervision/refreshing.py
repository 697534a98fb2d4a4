"""Another value of a secret reaches supervisors, which start processes by themselves.

A supervisor has the environment of its job since it was launched. It is told the other one, and
whoever may replace it has other memory with the launch: first the fork server, then the
supervisor, last the master's copy. One that is killed in between begins its next process with
what it has, old or new; `clawctl secret list` tells which.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass

import trio

from claw.errors import ClawError
from claw.kernel import memory
from claw.master.asyncstore import AsyncStore
from claw.master.confidant import Confidant
from claw.master.supervision import launches
from claw.master.supervision.fostering import Fostering
from claw.master.supervision.links import Links
from claw.model import reference
from claw.model.reference import Reference, Source
from claw.model.run import Attempt
from claw.store.records import Tx
from claw.wire.supervision import MEMORY, Launch


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """A process that runs with some version of a secret."""

    run: str
    job: str
    version: int
    is_service: bool


class Refreshing:
    """See the module."""

    def __init__(
        self, store: AsyncStore, fostering: Fostering, links: Links, confidant: Confidant
    ) -> None:
        self._store = store
        self._fostering = fostering
        self._links = links
        self._confidant = confidant
        self._reaching = trio.Lock()

    async def holders(self) -> dict[str, list[Bearer]]:
        """Return who runs with which version of each secret."""
        live = await self._store.read(Tx.live_attempts)
        found: dict[str, list[Bearer]] = {}
        for launch in await self._launches(live.keys()):
            for name, version in _held(launch, live[launch.run]).items():
                holder = Bearer(
                    run=launch.run,
                    job=launch.job,
                    version=version,
                    is_service=launch.is_service,
                )
                found.setdefault(name, []).append(holder)
        return found

    async def learn(self) -> None:
        """Get to know the secrets of what runs already, so that none of them is shown."""
        live = await self._store.read(Tx.live_attempts)
        for launch in await self._launches(live.keys()):
            self._confidant.redactor.add(launch.secrets, of=f"launch {launch.sid}")

    async def reach(self, name: str) -> tuple[list[str], dict[str, str]]:
        """Have services start their next processes with what a secret is now.

        One at a time: what was looked up first must not come last, and what others have
        changed in a launch stays.

        Returns:
            The jobs that will, and of each other one a sentence on why not.
        """
        async with self._reaching:
            return await self._reach(name)

    async def _reach(self, name: str) -> tuple[list[str], dict[str, str]]:
        live = await self._store.read(Tx.live_attempts)
        reached: dict[str, None] = {}
        troubles: dict[str, str] = {}
        for launch in await self._launches(live.keys()):
            if not (launch.is_service and _refers(launch, name)):
                continue
            try:
                await self._refresh(launch)
            except (ClawError, OSError) as error:
                why = error.message if isinstance(error, ClawError) else str(error)
                troubles[launch.job] = (
                    f"{launch.job} keeps the older value until it is restarted: {why}"
                )
            else:
                reached[launch.job] = None
        return list(reached), troubles

    async def _launches(self, runs: Collection[str]) -> list[Launch]:
        """Return the launches of such runs that refer to something."""
        held: list[bytes] = []
        for kept in self._fostering.copies.all.values():
            try:
                held.append(memory.read(kept[MEMORY]))
            except (KeyError, OSError):
                continue
        found = await trio.to_thread.run_sync(_decode, held)
        return [one for one in found if one.run in runs]

    async def _refresh(self, launch: Launch) -> None:
        """Give one supervisor, and who may replace it, what its launch refers to now."""
        identity = launch.identity
        found = await self._confidant.look_up(
            reference.of_all(launch.refers.values()),
            for_another=identity is not None and identity[0] != os.geteuid(),
        )
        former = launch.encode()
        phase = await self._links.call(launch.sid, op="hello")
        launches.fill(launch, launch.refers, found, int(phase["attempt"]) + 1)
        await self._fostering.renew_memory(launch)
        try:
            answer = await self._links.call(launch.sid, op="refresh", launch=launch.values())
        except Exception:  # it keeps what it had, so that is what is told, and handed on
            await self._fostering.renew_memory(Launch.decode(former))
            raise
        if int(answer["attempt"]) + 1 != launch.held[-1][0]:  # another process began meanwhile
            launch.held[-1][0] = int(answer["attempt"]) + 1
            await self._fostering.renew_memory(launch)


def _decode(held: list[bytes]) -> list[Launch]:
    found = []
    for data in held:
        if b"${" not in data:
            continue
        try:
            launch = Launch.decode(data)
        except (ValueError, KeyError, TypeError):  # it is just being written anew
            continue
        if launch.refers:
            found.append(launch)
    return found


def _held(launch: Launch, attempt: Attempt) -> dict[str, int]:
    """Return the versions of secrets that an attempt has."""
    if attempt.ended_at is not None:  # between two processes nobody has any
        return {}
    found: dict[str, int] = {}
    for first, versions in launch.held:
        if first <= attempt.no:
            found = versions
    return found


def _refers(launch: Launch, name: str) -> bool:
    wanted = Reference(Source.SECRET, name)
    return any(wanted in reference.references(text) for text in launch.refers.values())
