"""The backups of one home: made when asked for and, as ``[backup]`` has it, by themselves."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from typing import Protocol, TypeVar

import trio

from claw.config.keys import backup as keys
from claw.errors import ClawError, RequestError, UsageError
from claw.kernel import clock
from claw.master.backup import places, s3
from claw.master.backup.contents import Source, keys_of
from claw.master.backup.making import make
from claw.master.backup.places import Folder, Place
from claw.master.confidant import Confidant
from claw.master.output.keeper import in_idle_thread
from claw.model import backups
from claw.model.backups import Backup, Settings, Standing
from claw.model.home import Home
from claw.model.job import Config
from claw.secrets.resolving import UnresolvedError

T = TypeVar("T")

_LOG = logging.getLogger("claw.backup")
_AGAIN_S = 300.0
"""After one that failed, if another is not due earlier."""
_LOOK_S = 3600.0


class Holder(Protocol):
    """The configuration in force, and where its files are."""

    @property
    def current(self) -> Config:
        """What was loaded last."""

    @property
    def place(self) -> str:
        """The folder of the files, or the one file."""


class Backups:
    """See the module."""

    def __init__(self, home: Home, config: Holder, confidant: Confidant) -> None:
        self._home = home
        self._config = config
        self._confidant = confidant
        self._one_at_a_time = trio.Lock()
        self._changed = trio.Event()
        self.making: int | None = None
        """So many bytes the one that is being made has taken in; None: none is."""
        self._seen = Standing()
        self._may_be_too_many = False

    @property
    def standing(self) -> Standing:
        """What was seen last of those in the configured place."""
        return replace(self._seen, is_making=self.making is not None)

    @property
    def settings(self) -> Settings:
        """What ``[backup]`` says."""
        return self._config.current.backup

    async def place(self, to: str = "") -> Place:
        """Return where backups are kept.

        Args:
            to: Elsewhere than configured.

        Raises:
            UsageError: That is no place.
            RequestError: What it needs is not there.
        """
        settings = self.settings
        try:
            to = keys.place(to) or settings.to or self._home.backups
        except ValueError as error:
            raise UsageError(str(error)) from None
        if not to.startswith(s3.SCHEME):
            return Folder(to)
        try:
            said = (settings.access_key, settings.secret_key)
            key = await self._confidant.fill_all(said, user="")
        except UnresolvedError as error:
            raise RequestError(f"[backup]: {error}", hint="clawctl secret set NAME") from error
        settings = replace(settings, access_key=key[0], secret_key=key[1])
        return s3.Bucket(to, settings, self._home.backups)

    async def create(self, to: str = "") -> tuple[Backup, Place]:
        """Make a backup; return it with where it is.

        Raises:
            ClawError: It could not be made; nothing is left of it.
        """
        made = await self._create(to, trio.to_thread.run_sync)
        self._changed.set()  # it may be the one that was due
        return made

    async def _create(
        self, to: str, thread: Callable[[Callable[[], Backup]], Awaitable[Backup]]
    ) -> tuple[Backup, Place]:
        place = await self.place(to)
        async with self._one_at_a_time:
            self.making = 0
            try:
                key_file = self._config.current.secrets.key_file
                source = Source(self._home, self._config.place, keys_of(self._home, [key_file]))
                made = await thread(partial(make, source, place, clock.now(), self._take_in))
            finally:
                self.making = None
        return made, place

    def _take_in(self, count: int) -> None:
        self.making = (self.making or 0) + count

    async def all(self, to: str = "") -> tuple[list[Backup], Place]:
        """Return the backups that there are, oldest first, with where they are.

        Raises:
            ClawError: That cannot be found out.
        """
        place = await self.place(to)
        return await _asked(place, place.all), place

    async def fetch(self, word: str, path: str, to: str = "") -> Backup:
        """Copy a backup to a file.

        Raises:
            NotFoundError: There is none that the word means.
            ClawError: It cannot be had.
        """
        place = await self.place(to)
        found = await _asked(place, partial(places.find, place, word))
        await _asked(place, partial(place.fetch, found.name, path))
        return found

    async def prune(
        self, to: str = "", keep_s: float | None = None, *, is_dry: bool = False
    ) -> tuple[list[Backup], int, Place]:
        """Remove those that have served; return them, how many stay, and where.

        Raises:
            ClawError: They cannot all be removed.
        """
        known, place = await self.all(to)
        settings = self.settings
        if keep_s is not None:
            settings = Settings(keep_s=keep_s, rollup_s=settings.rollup_s)
        going = backups.surplus(known, clock.now(), settings)
        for one in () if is_dry else going:
            await _asked(place, partial(place.remove, one.name))
        return going, len(known) - len(going), place

    # -- by themselves -------------------------------------------------------------------------

    def reconfigured(self) -> None:
        """Take note that ``[backup]`` may say something else now."""
        self._changed.set()

    async def serve(self, tell: Callable[[str | None], Awaitable[None]]) -> None:
        """Make them when they are due, until cancelled.

        Args:
            tell: Called after each look, with why one that is due could not be made; None: the
                newest is young enough.
        """
        while True:
            self._changed = trio.Event()
            pause_s = await self._step(tell)
            with trio.move_on_after(pause_s):
                await self._changed.wait()

    async def _step(self, tell: Callable[[str | None], Awaitable[None]]) -> float:
        """Make one if it is due; return after how many seconds to look again."""
        every_s, why = self.settings.every_s, None
        what = "the one that is due cannot be made"
        try:
            left_s = await self._left_s(every_s)
            if left_s <= 0:
                await self._make_due()
                left_s = every_s
            if self._may_be_too_many and every_s:
                what = "older ones cannot be removed"
                await self._prune_due()
        except (ClawError, OSError) as error:
            why = error.message if isinstance(error, ClawError) else str(error)
            if not every_s:
                _LOG.debug("backups cannot be looked at: %s", why)
                why, left_s = None, _LOOK_S  # nobody has asked for any
            else:
                why = f"{what}: {why}"
                _LOG.warning("backups: %s", why)
                left_s = min(every_s, _AGAIN_S)
        self._seen = replace(self._seen, failure=why)
        await tell(why)
        return min(left_s, _LOOK_S)

    async def _left_s(self, every_s: float) -> float:
        """Look at those there are; return in how many seconds the next one is due."""
        known, _place = await self.all()
        last_at = known[-1].at if known else None
        self._seen = replace(self._seen, last_at=last_at, was_looked_at=True)
        if not every_s:
            return _LOOK_S
        age_s = (clock.now() - known[-1].at).total_seconds() if known else -1.0
        return every_s - age_s if age_s >= 0 else 0.0  # one of the future counts for nothing

    async def _make_due(self) -> None:
        made, place = await self._create("", in_idle_thread)
        self._seen = replace(self._seen, last_at=made.at)
        self._may_be_too_many = True
        _LOG.info("backup %s in %s, %d KiB", made.id, place.shown, made.size >> 10)

    async def _prune_due(self) -> None:
        gone, _left, place = await self.prune()
        self._may_be_too_many = False
        _LOG.info("%d older backups removed from %s", len(gone), place.shown)


async def _asked(place: Place, ask: Callable[[], T]) -> T:
    try:
        return await trio.to_thread.run_sync(ask)
    except OSError as error:
        raise RequestError(
            f"{place.shown}: {error.strerror or error}",
            hint="see that it is there and the daemon's user may use it",
        ) from error
