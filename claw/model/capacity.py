"""Capacities: what the runs of several jobs share, and have to wait for.

One idea for the daemon's ``max_parallel``, for pools and for locks: a run asks for amounts of
named capacities, and what is held of one is the sum over the active runs that ask for it.
There is no row of who holds what, so nothing that is dead can hold anything.

Runs are served in order. Each takes what it asks for in the order of `wanted`; where one
capacity has too little left, the run waits, nobody behind it is served from that one, and
what it has taken up to there stays reserved for it. So nobody who asks for much is overtaken
for ever by those who ask for little, and two who wait never hold each other up. A run that
asks for more than there is at all (a pool has shrunk) waits without reserving anything.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from claw.model.job import Job, JobType

MAX_PARALLEL = "max_parallel"
"""The daemon's: one for each run with a child, but for those of services."""

_POOL = "pool "
_LOCK = "lock "


class Kind(StrEnum):
    """What sort of capacity a name is of."""

    MAX_PARALLEL = "max_parallel"
    POOL = "pool"
    LOCK = "lock"


def pool(name: str) -> str:
    """Return the capacity of a pool."""
    return _POOL + name


def lock(name: str) -> str:
    """Return the capacity of a lock: there is one of it."""
    return _LOCK + name


def kind(name: str) -> Kind:
    """Tell what sort of capacity a name is of."""
    return Kind(name.partition(" ")[0])


def wanted(job: Job) -> tuple[tuple[str, int], ...]:
    """Return what a run of a job asks for, in the order in which it is taken."""
    found = []
    if job.lock:  # first: while nobody knows whose it is, nothing else is kept for the run
        found.append((lock(job.lock), 1))
    if job.pool is not None:
        found.append((pool(job.pool.name), job.pool.slots))
    if job.type is not JobType.CONTINUOUS and job.workflow is None:
        found.append((MAX_PARALLEL, 1))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Lack:
    """What a run waits for."""

    name: str  # of the capacity
    why: str


class Room:
    """What is left of each capacity while runs are served, in order."""

    def __init__(
        self,
        totals: Mapping[str, int],
        held: Mapping[str, int],
        notes: Mapping[str, str] = MappingProxyType({}),
        *,
        locks_are_shared: bool = False,
        paused: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Take note of how much there is of each, and how much of it is held.

        A lock that ``totals`` does not name is there once, or nobody knows where; a pool that
        it does not name is gone from the configuration, and nothing is left of it.

        Args:
            totals: How much there is; of a shared lock one, once it is granted.
            held: How much of it is held.
            notes: What to say to those who wait for a lock.
            paused: Capacities of which nothing is given out, and why.
            locks_are_shared: Other masters may have those that ``totals`` does not name.
        """
        self._totals = totals
        self._held = dict(held)
        self._notes = notes
        self._least_locks = 0 if locks_are_shared else 1
        self._paused = paused
        self._shut = set(paused)

    def total(self, name: str) -> int:
        """Return how much there is of a capacity."""
        return self._totals.get(name, self._least_locks if name.startswith(_LOCK) else 0)

    def is_shared(self, name: str) -> bool:
        """Tell whether a capacity is a lock that other masters may have."""
        return name.startswith(_LOCK) and not self._least_locks

    def free(self, name: str) -> int:
        """Return how much is left of a capacity; 0 when somebody waits for it."""
        if name in self._shut:
            return 0
        return max(self.total(name) - self._held.get(name, 0), 0)

    def take(self, wants: Iterable[tuple[str, int]]) -> Lack | None:
        """Serve the next run in order; return what it lacks, None: it may go."""
        for name, amount in wants:
            if amount > self.free(name):
                if amount <= self.total(name):
                    self._shut.add(name)
                return Lack(name, self._words(name, amount))
            self._held[name] = self._held.get(name, 0) + amount
        return None

    def lack(self, name: str, amount: int) -> Lack | None:
        """Tell what is lacking when so much of a capacity is asked for, taking nothing."""
        return None if amount <= self.free(name) else Lack(name, self._words(name, amount))

    def has_rest(self, wants: Iterable[tuple[str, int]], lacking: str) -> bool:
        """Tell whether a run that lacks one capacity would get all others, taking nothing."""
        return all(amount <= self.free(name) for name, amount in wants if name != lacking)

    def _words(self, name: str, amount: int) -> str:
        return self._paused.get(name) or self._lacking(name, amount)

    def _lacking(self, name: str, amount: int) -> str:
        total, held = self.total(name), min(self._held.get(name, 0), self.total(name))
        if name == MAX_PARALLEL:
            return f"{name}: {total} runs are active, as many as the daemon may have"
        if name.startswith(_LOCK):
            return self._notes.get(name) or self._of_a_lock(name)
        slots = "slot" if total == 1 else "slots"
        if amount > total:
            return f"{name}: it has {total} {slots}, and {amount} are needed"
        if held + amount <= total:
            return f"{name}: a run before this one waits for more of its {total} {slots}"
        if total == 1:
            return f"{name}: its only slot is taken"
        return f"{name}: {held} of its {total} slots are taken, {_are(amount)} needed"

    def _of_a_lock(self, name: str) -> str:
        words = "another run holds it" if self._least_locks else "it is being asked for"
        return f"waits for {name}: {words}"


def _are(amount: int) -> str:
    return "1 is" if amount == 1 else f"{amount} are"


def busy(job: Job, room: Room) -> str | None:
    """Return why a run of a job gets no slot of its pool now; None: it would."""
    if job.pool is None:
        return None
    lack = room.lack(pool(job.pool.name), job.pool.slots)
    return None if lack is None else lack.why


def held(jobs: Iterable[tuple[Job, int]]) -> dict[str, int]:
    """Return how much is held of each capacity.

    Args:
        jobs: Those with active runs, and how many each has.
    """
    found: dict[str, int] = {}
    for job, count in jobs:
        for name, amount in wanted(job):
            found[name] = found.get(name, 0) + amount * count
    return found
