"""The idempotency ledger: keys that stand for work, claimed once; see `claw.model.idem`."""

from datetime import timedelta

from claw.errors import ConflictError, DeniedError, NotFoundError
from claw.master.engine.turn import Turn
from claw.model import idem, ids, machine
from claw.model.idem import Claimant, Entry
from claw.model.job import Job, JobType
from claw.model.retry import Delivery
from claw.model.run import Run, State

_PRUNED = 100
"""So many expired keys are forgotten at each claim: the ledger never grows by what is over."""
_MOST_REPLAYS = 100


def key_of(turn: Turn, run: Run) -> str:
    """Return the key of a run's work; one that repeats another run has that one's."""
    for _ in range(_MOST_REPLAYS):
        repeated = None if run.replay_of is None else turn.tx.run(run.replay_of)
        if repeated is None:
            break
        run = repeated
    return idem.key_of(run)


def known(turn: Turn, key: str) -> Entry | None:
    """Return who has a key; None: it is free."""
    entry = turn.tx.idem(key)
    return None if entry is None or entry.is_expired(turn.now) else entry


def claim(
    turn: Turn, key: str, who: Claimant, kept: timedelta = idem.KEPT
) -> tuple[Entry, bool]:
    """Claim a key; return what the ledger says of it now, and whether the caller has it.

    Raises:
        DeniedError: A run claims the key of another run's work.
    """
    _refuse_foreign(turn, key, who)
    entry, is_claimed = idem.claim(turn.tx.idem(key), key, who, turn.now, kept)
    if is_claimed:
        turn.tx.put_idem(entry)
        turn.tx.prune_idem(turn.now, _PRUNED)
    return entry, is_claimed


def _refuse_foreign(turn: Turn, key: str, who: Claimant) -> None:
    """Let no run keep another from its work: those keys can be foretold."""
    if who.run is None or not idem.is_own(key):
        return
    run = turn.run(who.run)
    if key != key_of(turn, run):
        raise DeniedError(
            f"{key} has the form of the keys of runs, and is not that of this one",
            hint="choose another key, or use $CLAW_IDEMPOTENCY_KEY",
        )


def release(turn: Turn, key: str, who: Claimant) -> Entry:
    """Forget a key, so that it can be claimed again; of a run's keys, its own alone.

    Raises:
        NotFoundError: It is free.
        ConflictError: A run releases what it has not claimed.
    """
    entry = known(turn, key)
    if entry is None:
        raise NotFoundError(
            f"nobody has claimed {key!r}", hint="clawctl idem status lists the keys"
        )
    if who.run is not None and entry.run != who.run:
        owner = f"run {ids.short(entry.run)}" if entry.run else entry.by
        raise ConflictError(f"{key!r} belongs to {owner}, not to this run")
    turn.tx.delete_idem(key)
    return entry


def turn_away(turn: Turn, job: Job, run: Run) -> bool:
    """Skip a run whose work another has done, or is doing: one that repeats that other.

    Just of jobs with at-least-once delivery, whose runs claim their keys; not with --force.
    """
    if not _claims(job) or run.forced:
        return False
    entry = known(turn, key_of(turn, run))
    if entry is None or entry.run == run.id:
        return False
    who = entry.by if entry.run is None else f"run {ids.short(entry.run)}"
    what = "claimed" if entry.done_at is None else "already done"
    why = f"{what} by {who}: clawctl idem release {entry.key}"
    turn.take(run, machine.turn_away(run, why=why, at=turn.now))
    return True


def begin(turn: Turn, job: Job, run: Run) -> str:
    """Return the key of a run that is about to begin, claimed if its job has that."""
    key = key_of(turn, run)
    if _claims(job):
        claim(turn, key, Claimant(run=run.id, by=run.asked_by or str(run.origin)))
    return key


def _claims(job: Job) -> bool:
    at_least_once = job.delivery_guarantee is Delivery.AT_LEAST_ONCE
    return at_least_once and job.type is not JobType.CONTINUOUS


def settle(turn: Turn, run: Run) -> None:
    """Keep what a run has claimed that succeeded; release it otherwise. Called at its end."""
    if run.state is State.SUCCEEDED:
        turn.tx.finish_idem(run.id, turn.now)
    else:
        turn.tx.release_idem(run.id)
