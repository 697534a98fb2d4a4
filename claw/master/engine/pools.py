"""What operators say of the queue: held back as a whole, by job or by pool; slots of pools."""

from collections.abc import Mapping
from types import MappingProxyType

from claw.errors import ConflictError, NotFoundError
from claw.master.engine import armed, definitions
from claw.master.engine.turn import Turn
from claw.model import capacity
from claw.model.capacity import Room
from claw.model.effect import Dispatch
from claw.model.job import Config, Job, JobType
from claw.store.queue import PoolOverride
from claw.store.records import Tx

ALL = "all"
_JOB = "job "
_POOL = "pool "


def slots(tx: Tx, config: Config) -> Mapping[str, int]:
    """Return how many slots each pool has: as configured, or as an operator has said since."""
    said = tx.pool_overrides()
    return {
        name: said[name].slots if name in said and said[name].configured == count else count
        for name, count in config.pools
    }


def room(
    tx: Tx,
    config: Config,
    counts: Mapping[str, int],
    granted: Mapping[str, int] = MappingProxyType({}),
    notes: Mapping[str, str] = MappingProxyType({}),
) -> Room:
    """Return what is left of the capacities that jobs share.

    Args:
        tx: The transaction.
        config: The configuration.
        counts: How many runs are active, by job.
        granted: The shared locks that are granted and not used: one of each.
        notes: What to say to those who wait for a lock.
    """
    totals = {capacity.MAX_PARALLEL: config.daemon.max_parallel}
    totals |= {capacity.pool(name): count for name, count in slots(tx, config).items()}
    jobs = [
        (definitions.recall(tx, config, name) or _GONE, count) for name, count in counts.items()
    ]
    return Room(
        totals | dict(granted),
        capacity.held(jobs),
        notes,
        locks_are_shared=config.locks.is_shared,
        paused=paused(tx),
    )


_GONE = Job(name="", argv=())
"""Stands for a job that is no longer in the configuration and still has runs."""


def set_slots(turn: Turn, name: str, count: int, *, by: str) -> None:
    """Give a pool so many slots, until the configured number changes.

    What holds more than that goes on; nothing begins until there is room again.

    Raises:
        NotFoundError: There is no such pool.
    """
    configured = dict(turn.config.pools).get(name)
    if configured is None:
        raise NotFoundError(f"no pool {name!r}", hint="clawctl pool list lists them")
    if configured == count:
        turn.tx.delete_pool(name)
    else:
        turn.tx.put_pool(PoolOverride(name, count, configured, by))
    turn.note("pool.set", why=f"{name}: {count} slots", by=by)
    turn.emit(Dispatch())


def pause(turn: Turn, what: str, *, by: str) -> bool:
    """Have nothing begin of the queue, of a job or of a pool; what runs goes on.

    Args:
        turn: The decision.
        what: As `meant` returns it.
        by: Who wants it.

    Returns:
        False when it was so already.
    """
    if not turn.tx.put_pause(what, by, turn.now):
        return False
    armed.withdraw(turn, "the queue is paused")
    _changed(turn, "queue.paused", what, by)
    return True


def resume(turn: Turn, what: str, *, by: str) -> bool:
    """Take a pause back; False when there was none."""
    if not turn.tx.delete_pause(what):
        return False
    _changed(turn, "queue.resumed", what, by)
    return True


def _changed(turn: Turn, kind: str, what: str, by: str) -> None:
    job = what.removeprefix(_JOB) if what.startswith(_JOB) else None
    turn.note(kind, job=job, why=None if job else what, by=by)
    if job is not None:
        turn.tx.look_again()
    elif what != ALL:  # of the queue as a whole it is said elsewhere, not in each run
        turn.tx.look_again(_capacity(what))
    turn.emit(Dispatch())


def meant(config: Config, name: str | None) -> str:
    """Return what a pause is of: ``all``, ``job NAME`` or ``pool NAME``.

    Raises:
        NotFoundError: Neither a job nor a pool has that name.
        ConflictError: Both have, or the job is a service.
    """
    if name is None:
        return ALL
    kind, _, bare = name.rpartition(":")
    job = config.job(bare) if kind in {"", "job"} else None
    is_pool = kind in {"", "pool"} and bare in dict(config.pools)
    if job is not None and is_pool:
        raise ConflictError(
            f"{bare!r} is a job and a pool", hint=f"say which: job:{bare} or pool:{bare}"
        )
    if job is not None and job.type is JobType.CONTINUOUS:
        raise ConflictError(
            f"job {bare!r} is a service and has no queue", hint=f"clawctl pause {bare}"
        )
    if job is None and not is_pool:
        raise NotFoundError(
            f"no job or pool {name!r}", hint="clawctl pool list; clawctl status"
        )
    return f"{_POOL if is_pool else _JOB}{bare}"


def paused(tx: Tx) -> dict[str, str]:
    """Return the capacities of which nothing is given out, and why."""
    return {
        _capacity(what): words(what, by)
        for what, by in tx.pauses().items()
        if not what.startswith(_JOB)
    }


def _capacity(what: str) -> str:
    return capacity.MAX_PARALLEL if what == ALL else capacity.pool(what.removeprefix(_POOL))


def of_run(tx: Tx, job: Job) -> list[str]:
    """Return all pauses that hold back a run of a job, in words."""
    if job.type is JobType.CONTINUOUS:
        return []
    names = [ALL, f"{_JOB}{job.name}", *([f"{_POOL}{job.pool.name}"] if job.pool else [])]
    said = tx.pauses()
    return [words(what, said[what]) for what in names if what in said]


def held_back(tx: Tx, job: Job) -> str | None:
    """Return why nothing of a job's queue begins; None: nobody holds it back."""
    if job.type is JobType.CONTINUOUS:
        return None
    what = f"{_JOB}{job.name}"
    by = tx.pauses().get(what)
    return None if by is None else words(what, by)


OF_CAPACITIES = ("the queue is paused", "the queue of pool ")
"""How `words` begin of what is no job."""


def words(what: str, by: str) -> str:
    """Return what is said of a pause, and what to type to end it."""
    if what == ALL:
        return f"the queue is paused by {by}: clawctl queue resume"
    kind, _, name = what.partition(" ")
    return f"the queue of {kind} {name} is paused by {by}: clawctl queue resume {name}"
