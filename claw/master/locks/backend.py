"""What a place where locks are kept has to do, and what it says."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from claw.errors import ClawError
from claw.model.lock import Claimant, Grant


class LockTroubleError(ClawError):
    """Nobody knows just now who has a lock: it cannot be asked."""

    code = "lock_trouble"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who has a lock, as far as is on record.

    Attributes:
        owner: The master.
        host: Its host.
        run: Its run.
        fence: The number of its grant.
        until: When its lease ends, if it is not renewed; None: not known.
    """

    owner: str
    host: str
    run: str
    fence: int
    until: datetime | None

    @property
    def words(self) -> str:
        """Who it is, for people."""
        until = "" if self.until is None else f" until {self.until.astimezone():%H:%M:%S}"
        return f"held by {self.host}, run {self.run[-6:]}{until}"


class Backend(Protocol):
    """A place where locks are kept. Each call may be cancelled at any time.

    Every method raises `LockTroubleError` when the place cannot be asked.
    """

    async def acquire(self, name: str, claimant: Claimant) -> Grant | Holder:
        """Take a lock, or return who has it."""

    async def renew(self, name: str, claimant: Claimant, grant: Grant) -> bool:
        """Renew a lease; False: the lock is not the claimant's any more."""

    async def release(self, name: str, grant: Grant) -> None:
        """Let go of a lock; nothing, when it is not the claimant's any more."""

    async def look(self, name: str) -> Holder | None:
        """Return who has a lock; None: nobody."""

    async def take_away(self, name: str) -> Holder | None:
        """Make a lock free, whoever has it, and return who that was."""
