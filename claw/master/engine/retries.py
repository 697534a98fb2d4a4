"""Runs that wait for another attempt: back to the queue when it is due."""

from claw.master.engine.turn import Turn
from claw.model import machine
from claw.model.effect import Dispatch

AT_ONCE = 500
"""So many are put back in one transaction; the next pass has the others."""


def resume(turn: Turn) -> None:
    """Put the runs back in the queue whose wait for another attempt is over."""
    due = turn.tx.due_retries(turn.now, AT_ONCE)
    for run in due:
        turn.take(run, machine.resume(run))
    if len(due) == AT_ONCE:
        turn.emit(Dispatch())
