"""Runs that are claimed before they are due: what takes them back (`arming` makes them).

Such a run is seen by others as if it were not there yet: its slot has no mark, its job waits
for its time. Whatever changes what it depends on calls `withdraw`; whether the child has begun
by then its supervisor decides (`claw.supervisor.armed`), and its journal tells. A slot's run
that is taken back leaves no row: the slot is decided about when its time has come.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from claw.master.engine.turn import Turn
from claw.model.effect import Dispatch, DispatchAt, Reschedule, Withdraw
from claw.model.job import Job
from claw.model.run import Origin, Run, State
from claw.store.records import Tx

_UNTIL = "armed"
"""Kept: when the last armed run is due. So no decision asks for them while there are none."""

LOOK = timedelta(seconds=0.2)
"""After so long a slot is looked at again of which is not known whether its run has begun."""


def note(tx: Tx, due_at: datetime) -> None:
    """Take note of a run that is armed."""
    until = tx.meta(_UNTIL)
    if until is None or datetime.fromisoformat(until) < due_at:
        tx.put_meta(_UNTIL, due_at.isoformat())


def runs(turn: Turn) -> tuple[Run, ...]:
    """Return the runs that are armed, in order of due time."""
    until = turn.tx.meta(_UNTIL)
    if until is None or datetime.fromisoformat(until) <= turn.now:
        return ()
    return turn.tx.armed_runs(turn.now)


def withdraw(turn: Turn, why: str, job: str | None = None) -> None:
    """Have the armed runs of a job, or all, not begin."""
    for run in runs(turn):
        if run.sid is not None and job in {None, run.job}:
            turn.emit(Withdraw(run.id, run.sid, why))


def apart(turn: Turn, active: Sequence[Run]) -> tuple[list[Run], list[Run]]:
    """Return those of the active runs of a job that have begun, and those that are armed."""
    ahead = [run for run in active if run.is_armed(turn.now)]
    return [run for run in active if run not in ahead], ahead


def held(turn: Turn, due: Sequence[Run], ahead: Sequence[Run]) -> dict[str, str]:
    """Have the armed runs of a job withdrawn that has others due; these wait for that."""
    for run in ahead if due else ():
        turn.emit(DispatchAt(run.due_at))
        if run.sid is not None:
            turn.emit(Withdraw(run.id, run.sid, "another run of its job is due"))
    why = "waits until it is known that the next run of the schedule has not begun"
    return {run.id: why for run in due} if ahead else {}


def take_back(turn: Turn, run: Run, why: str) -> bool:
    """Forget a slot's run that has not begun; False: it is another's, or its slot is over.

    One that somebody has canceled is kept: it says so.
    """
    slot = run.slot_at
    if slot is None or run.origin is not Origin.SCHEDULE or run.attempt != 1:
        return False
    standing = turn.tx.standing(run.job)
    if standing is None:  # its job has been removed: has this been ended with it?
        is_free = run.stop_why is None
    else:
        is_canceled = (run.stop_why or "").startswith("cancel")
        is_early = (standing.scheduled_through or standing.added_at) < slot
        is_free = is_early and not is_canceled
    if not is_free:
        return False
    turn.tx.take_back_run(run.id)
    turn.note("run.withdrawn", job=run.job, run=run.id, why=why)
    turn.emit(Reschedule(run.job), Dispatch())
    return True


def is_undecided(turn: Turn, job: Job, key: str) -> bool:
    """Tell whether a slot has a run of which is not known yet whether it has begun.

    Args:
        turn: The decision.
        job: Whose slot, for which there is no mark yet.
        key: The origin key of the slot.
    """
    run = turn.tx.run_by_origin(Origin.SCHEDULE, key)
    if run is None or run.state is not State.CLAIMED or run.sid is None:
        return False
    turn.emit(Withdraw(run.id, run.sid, f"the slot of {job.name} is decided about"))
    return True
