"""What the handlers of requests work with: one small object, filled by `claw.master.app`."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

import trio

from claw.config.managed import Managed
from claw.master.asyncstore import AsyncStore
from claw.master.backup.backups import Backups
from claw.master.confidant import Confidant
from claw.master.control.audit import AuditLog
from claw.master.control.events import EventBus
from claw.master.control.limits import Limits
from claw.master.control.reloads import Reloads
from claw.master.decider import Decider
from claw.master.engine.turn import Turn
from claw.master.init.inherited import Door
from claw.master.locks.backend import Holder
from claw.master.output.watch import Watcher
from claw.master.supervision.refreshing import Bearer
from claw.master.tokens import Tokens
from claw.model.home import Home
from claw.model.job import Config, Job
from claw.store.database import Answer

Json = dict[str, Any]
"""A JSON object, as it is sent."""
T = TypeVar("T")


class ConfigHolder(Protocol):
    """The configuration that is in force."""

    @property
    def current(self) -> Config:
        """What was loaded last."""

    @property
    def place(self) -> str:
        """The folder of the files, or the one file."""

    @property
    def reloads(self) -> Reloads:
        """Told of each time that `current` becomes another."""

    def config_changed(self) -> bool:
        """Tell whether the files on disk differ from what is loaded."""

    def load(self) -> Config:
        """Read the files, and take nothing over.

        Raises:
            ConfigError: With every mistake in them.
        """


class Commit(Protocol):
    """Makes the decisions that clients ask for; see `Dispatcher.ask`."""

    async def __call__(self, asked: Sequence[Callable[[Turn], T]]) -> list[Answer[T]]:
        """Make some, in their order, and return what has come of each once it is on disk."""


class Supervisors(Protocol):
    """The supervisors that the master is connected to."""

    async def call(
        self, sid: str, *, patience_s: float = 5.0, **message: object
    ) -> dict[str, Any]:
        """Send a request and return the answer, waiting so long.

        Raises:
            ClawError: It is not connected, or did not answer.
        """

    def flags(self, sid: str) -> frozenset[str]:
        """Return what is worth saying about one, as ``unresponsive``."""


class SharedLocks(Protocol):
    """The locks that masters share; each call raises `LockTroubleError` if nobody knows."""

    async def look(self, name: str) -> Holder | None:
        """Return who has a lock; None: nobody."""

    async def take_away(self, name: str) -> Holder | None:
        """Make a lock free, whoever has it, and return who that was."""


class Holdings(Protocol):
    """Which processes have which versions of secrets; see `Refreshing`."""

    async def holders(self) -> dict[str, list[Bearer]]:
        """Return them by the secret's name."""

    async def reach(self, name: str) -> tuple[list[str], dict[str, str]]:
        """Have services start their next processes with what a secret is now."""


class Reload(Protocol):
    """Loads the configuration anew, all of it or nothing."""

    async def __call__(
        self,
        *,
        dry_run: bool = False,
        restart: bool = True,
        edit: Callable[[Managed], None] | None = None,
        check: Callable[[Config], None] | None = None,
        by: str = "reload",
    ) -> Json:
        """Return the plan, carried out unless ``dry_run``; see `Reloader`.

        Raises:
            ConfigError: It is refused; nothing has changed.
        """


@dataclass(slots=True, kw_only=True)
class Services:
    """See the module."""

    home: Home
    store: AsyncStore
    config: ConfigHolder
    bus: EventBus
    watcher: Watcher
    audit: AuditLog
    decide: Decider
    commit: Commit  # what clients ask for, along with what else is to be decided
    supervisors: Supervisors
    next_at: Callable[[Job], datetime | None]
    sockets: Callable[[Job], list[Json]]
    found: Callable[[str], str | None]  # by the last look at a run
    watched: Callable[[Job], list[str]]  # what a job watches, in words
    reload: Reload
    request_shutdown: Callable[[str], None]  # auto | stop | detach | renew
    prepare_renewal: Callable[[], Awaitable[str]]  # returns the path of the database's copy
    fork_server_pid: Callable[[], int | None]
    started_at: datetime
    tokens: Tokens
    confidant: Confidant
    holdings: Holdings
    backups: Backups
    metrics_trouble: Callable[[], str | None]  # of the file of them
    limits: Limits = field(default_factory=Limits)
    door: Door = field(default_factory=Door)
    locks: SharedLocks | None = None  # None: nobody shares any

    async def has_changed_files(self) -> bool:
        """Tell whether the configuration on disk differs from what is loaded."""
        return await trio.to_thread.run_sync(self.config.config_changed)
