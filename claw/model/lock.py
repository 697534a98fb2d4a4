"""Locks: at most one run at a time, over all masters that share them; and the rules of leases.

A lock that is kept in this master's own database is a capacity (`claw.model.capacity`): it is
held by the active run of a job that wants it. One that masters share is granted to a master for
the time of a *lease*, which it renews for as long as its run is active. Each grant has a
**fencing number**, greater than that of any grant of the lock before it: whoever is told it
(``CLAW_LOCK_FENCE``) can turn away one that lost the lock and does not know it yet.

A master takes itself to hold a lock for one lease from the moment at which it *began* its last
good renewal. Who waits for the lock takes it over when what is on record has not changed for
that lease, counted from the moment at which they had *read* it, by their own clock. So the
clocks of two hosts need not agree; they only have to run equally fast.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from claw.model.values import replace


class Backend(StrEnum):
    """Where it is kept who has a lock."""

    DATABASE = "database"
    FOLDER = "folder"
    ETCD = "etcd"
    POSTGRES = "postgres"


@dataclass(frozen=True, slots=True, kw_only=True)
class Locks:
    """The ``[locks]`` table."""

    backend: Backend = Backend.DATABASE
    lease_s: float = 30.0
    folder: str = ""
    endpoints: tuple[str, ...] = ()
    prefix: str = "claw/locks/"
    ca: str = ""
    cert: str = ""
    key: str = ""
    dsn: str = ""
    table: str = "claw_locks"

    @property
    def is_shared(self) -> bool:
        """Whether other masters take part."""
        return self.backend is not Backend.DATABASE


class Phase(StrEnum):
    """What this master has of a lock."""

    FREE = "free"  # nothing
    GRANTED = "granted"  # a grant that no run has used yet
    HELD = "held"  # a run has it
    LEAVING = "leaving"  # the run is over; the others are to be told


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What this master knows of a lock; a row of the store.

    Attributes:
        name: The lock.
        backend: Where the grant is on record.
        phase: What this master has.
        fence: The number of the last grant that it had.
        run: Who has it, of this master's runs.
        handle: Names the grant to its backend.
        since: Of the grant.
        until: When it ends, if it is not renewed; by this host's clock.
        seen: In words, who else had it when it was last asked for.
    """

    name: str
    backend: Backend = Backend.DATABASE
    phase: Phase = Phase.FREE
    fence: int = 0
    run: str | None = None
    handle: str = ""
    since: datetime | None = None
    until: datetime | None = None
    seen: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A lock was granted."""

    fence: int
    handle: str  # names the grant to its backend


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimant:
    """Who asks for a lock.

    Attributes:
        owner: The master: the same after a restart, and no other master's.
        host: Its host, for people.
        run: For which run, for people.
        lease_s: How long a grant is to last without a renewal.
    """

    owner: str
    host: str
    run: str
    lease_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is on record of a lock, where there is no server that could judge leases."""

    fence: int = 0
    owner: str = ""  # empty: nobody has it
    host: str = ""
    run: str = ""
    handle: str = ""
    beat: int = 0  # counts the renewals
    lease_s: float = 0.0
    until: str = ""  # by the owner's clock, for people


@dataclass(frozen=True, slots=True)
class Sight:
    """A record as one who waits has seen it, and since when it has been like that."""

    record: Record
    since_s: float  # by the clock of the one who waits


@dataclass(slots=True)
class Waiting:
    """What one who waits for locks has seen of them; by name."""

    sights: dict[str, Sight] = field(default_factory=dict)

    def is_over(self, name: str, record: Record, now_s: float) -> bool:
        """Tell whether the lease on record is over, as far as can be known.

        Args:
            name: The lock.
            record: As it was just read.
            now_s: The time after it was read.
        """
        seen = self.sights.get(name)
        if seen is None or seen.record != record:
            self.sights[name] = Sight(record, now_s)
            return False
        return now_s - seen.since_s > record.lease_s


def grant(record: Record, claimant: Claimant, handle: str) -> Record:
    """Return the record of a new grant."""
    return Record(
        fence=record.fence + 1,
        owner=claimant.owner,
        host=claimant.host,
        run=claimant.run,
        handle=handle,
        lease_s=claimant.lease_s,
    )


def acquire(record: Record, claimant: Claimant, handle: str, *, is_over: bool) -> Record | None:
    """Return the record of a grant, or None when another has the lock.

    What is on record for the claimant itself is a grant that it never came to know of.
    """
    if record.owner and record.owner != claimant.owner and not is_over:
        return None
    return grant(record, claimant, handle)


def renew(record: Record, handle: str) -> Record | None:
    """Return the record with the lease renewed; None when the grant was lost."""
    return replace(record, beat=record.beat + 1) if _is_of(record, handle) else None


def release(record: Record, handle: str) -> Record | None:
    """Return the record of a free lock; None when there is nothing to release."""
    return Record(fence=record.fence) if _is_of(record, handle) else None


def _is_of(record: Record, handle: str) -> bool:
    return bool(record.owner) and record.handle == handle


def words(name: str, hold: Hold | None, *, is_shared: bool) -> str:
    """Return why a run waits for a lock of which this master has no grant for it."""
    if hold is not None and hold.phase is not Phase.FREE:
        words = "it is just being let go" if hold.phase is Phase.LEAVING else "just granted"
        holder = f"held by run {hold.run[-6:]}" if hold.run else words
        return f"waits for lock {name}: {holder}"
    if not is_shared:
        return f"waits for lock {name}: another run holds it"
    seen = hold.seen if hold is not None and hold.seen else "it is being asked for"
    return f"waits for lock {name}: {seen}"
