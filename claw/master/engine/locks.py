"""Locks: what the gates know of them, and what becomes of one; see `claw.model.lock`.

A shared lock is asked for, renewed and released by `claw.master.locks.keeper`, outside of any
transaction; what has come of that is decided here.
"""

from collections.abc import Iterable
from datetime import datetime

from claw.errors import NotFoundError
from claw.master.engine import services
from claw.master.engine.turn import Turn
from claw.model import capacity, lock, machine, outcome
from claw.model.effect import Dispatch, LockLeft, LockWanted
from claw.model.job import Job, JobType
from claw.model.lock import Backend, Grant, Hold, Phase
from claw.model.run import Run, State
from claw.model.values import replace


def at_gates(turn: Turn) -> tuple[dict[str, int], dict[str, str]]:
    """Return the shared locks that are granted and not used, and what to say of all others."""
    totals: dict[str, int] = {}
    notes: dict[str, str] = {}
    is_shared = turn.config.locks.is_shared
    for hold in turn.tx.holds():
        name = capacity.lock(hold.name)
        if is_shared and hold.phase is Phase.GRANTED:
            totals[name] = 1
        notes[name] = lock.words(hold.name, hold, is_shared=is_shared)
    return totals, notes


def ask(turn: Turn, lacking: Iterable[tuple[Run, str]]) -> None:
    """Have shared locks asked for, each for the first run that lacks nothing else."""
    asked: set[str] = set()
    for run, name in lacking if turn.config.locks.is_shared else ():
        hold = turn.tx.hold(name)
        if name not in asked and (hold is None or hold.phase is Phase.FREE):
            turn.emit(LockWanted(name, run.id))
        asked.add(name)


def take(turn: Turn, run: Run, job: Job) -> int | None:
    """Give a run that is claimed the lock of its job, and return its fencing number."""
    if not job.lock:
        return None
    hold = turn.tx.hold(job.lock) or Hold(name=job.lock)
    if turn.config.locks.is_shared:
        hold = replace(hold, phase=Phase.HELD, run=run.id, seen=None)
    else:
        hold = Hold(
            name=job.lock,
            phase=Phase.HELD,
            fence=hold.fence + 1,
            run=run.id,
            since=turn.now,
        )
    turn.tx.put_hold(hold)
    return hold.fence


def leave(turn: Turn, run: Run) -> None:
    """Release the lock of a run that has no child any more, if it has one."""
    hold = turn.tx.hold_of(run.id)
    if hold is not None and hold.backend is Backend.DATABASE:
        turn.tx.put_hold(_free(hold))
    elif hold is not None:
        turn.tx.put_hold(replace(hold, phase=Phase.LEAVING, run=None))
        turn.emit(LockLeft(hold.name))
    if run.reason == outcome.LOCK_LOST and run.state is State.FAILED:
        _begin_anew(turn, run)


def _begin_anew(turn: Turn, run: Run) -> None:
    """Have a service that is still wanted wait for its lock again."""
    job = turn.config.job(run.job)
    if job is not None and job.type is JobType.CONTINUOUS:
        services.revive(turn, job, run)


def _free(hold: Hold) -> Hold:
    return Hold(name=hold.name, backend=hold.backend, fence=hold.fence)


# -- what the keeper has learnt ----------------------------------------------------------


def granted(turn: Turn, name: str, grant: Grant, until: datetime) -> None:
    """A shared lock is this master's: a run that waits for it may go."""
    backend = turn.config.locks.backend
    turn.tx.put_hold(
        Hold(
            name=name,
            backend=backend,
            phase=Phase.GRANTED,
            fence=grant.fence,
            handle=grant.handle,
            since=turn.now,
            until=until,
        )
    )
    turn.emit(Dispatch())


def seen(turn: Turn, name: str, run_id: str, text: str) -> bool:
    """Another has a shared lock; tell whether the run still waits for it."""
    hold = turn.tx.hold(name) or Hold(name=name, backend=turn.config.locks.backend)
    run = turn.tx.run(run_id)
    if run is None or run.state is not State.QUEUED:
        return False
    if hold.seen != text and hold.phase is Phase.FREE:
        hold = replace(hold, seen=text)
        turn.tx.put_hold(hold)
        turn.tx.set_waiting_for(run_id, lock.words(name, hold, is_shared=True))
    return True


def renewed(turn: Turn, name: str, handle: str, until: datetime) -> None:
    """A lease was renewed."""
    hold = turn.tx.hold(name)
    if hold is not None and hold.handle == handle:
        turn.tx.put_hold(replace(hold, until=until))


def unused(turn: Turn, name: str, handle: str) -> None:
    """No run has taken a lock that was granted: it is left to others."""
    hold = turn.tx.hold(name)
    if hold is not None and hold.handle == handle and hold.phase is Phase.GRANTED:
        turn.tx.put_hold(replace(hold, phase=Phase.LEAVING))


def freed(turn: Turn, name: str, handle: str) -> None:
    """The others know that this master does not have a lock any more."""
    hold = turn.tx.hold(name)
    if hold is not None and hold.handle == handle and hold.phase is Phase.LEAVING:
        turn.tx.put_hold(_free(hold))
        turn.emit(Dispatch())


def lost(turn: Turn, name: str, handle: str, why: str, by: str = "claw") -> None:
    """A lock is another's, or may be: the run that had it is ended."""
    hold = turn.tx.hold(name)
    if hold is None or hold.handle != handle or hold.phase is Phase.FREE:
        return
    run = None if hold.run is None else turn.tx.run(hold.run)
    if run is not None and run.is_active:
        turn.note("lock.lost", job=run.job, run=run.id, why=f"{name}: {why}", by=by)
        turn.take(run, machine.ask_end(run, why=outcome.LOCK_LOST, by=by))
    if hold.backend is not Backend.DATABASE:
        turn.tx.put_hold(_free(hold))
        turn.emit(Dispatch())


def missing(turn: Turn) -> None:
    """End active runs with a shared lock of which the store does not know any more.

    Nobody can renew it: in one lease it may be another's.
    """
    for run in turn.tx.active_runs() if turn.config.locks.is_shared else ():
        job = turn.config.job(run.job)
        if job is not None and job.lock and turn.tx.hold_of(run.id) is None:
            why = f"{job.lock}: the database does not know of it any more"
            turn.note("lock.lost", job=run.job, run=run.id, why=why, by="claw")
            turn.take(run, machine.ask_end(run, why=outcome.LOCK_LOST, by="claw"))


def release(turn: Turn, name: str, by: str) -> Hold:
    """Take a lock from the run that has it here: its end is asked for.

    Raises:
        NotFoundError: No run of this master has it.
    """
    hold = turn.tx.hold(name)
    if hold is None or hold.run is None or hold.phase is Phase.FREE:
        raise NotFoundError(f"no run here has the lock {name!r}", hint="clawctl lock list")
    lost(turn, name, hold.handle, f"it was taken away by {by}", by)
    return hold
