"""A workflow's own run: its moves. It has no child and no supervisor; its steps' runs have.

::

    what happens                          move
    begin: it passes its gates            queued → claimed → running
    conclude: the last step has ended     running → succeeded, failed
                                          canceled, once its end was asked; timed_out
"""

from datetime import datetime

from claw.model import ids, outcome
from claw.model.effect import Dispatch
from claw.model.machine import Step
from claw.model.outcome import Outcome
from claw.model.run import Phase, Run, State
from claw.model.values import replace
from claw.model.workflow import Verdict

TIMEOUT = "timeout"
"""Why claw ends a workflow that takes too long."""


def is_root(run: Run) -> bool:
    """Tell whether a run is a workflow's own one."""
    return run.lineage.workflow is not None and run.lineage.step is None


def look_at(run: Run) -> str:
    """Return what to type to see how a run has gone."""
    if is_root(run):
        return f"clawctl workflow show {ids.short(run.lineage.workflow or run.id)}"
    return f"clawctl logs {ids.short(run.id)}"


def begin(run: Run, at: datetime) -> tuple[Step, Step]:
    """Have a queued run begin: as one move follows the other at once, both are returned."""
    claimed = replace(
        run,
        state=State.CLAIMED,
        claimed_at=at,
        attempt=run.attempt + 1,
        waiting_for=None,
        phase=Phase.STARTING,
    )
    running = replace(claimed, state=State.RUNNING, started_at=at, phase=Phase.UP)
    return Step(claimed, why=run.cause), Step(running)


def conclude(run: Run, verdict: Verdict, at: datetime) -> Step:
    """End a run whose steps have all ended."""
    result = _result(run, verdict)
    final = replace(
        run,
        state=result.state,
        ended_at=at,
        reason=result.reason,
        phase=None,
        waiting_for=None,
    )
    return Step(final, why=result.reason, by=run.stop_by, effects=(Dispatch(),))


def _result(run: Run, verdict: Verdict) -> Outcome:
    if run.stop_why == TIMEOUT:
        return Outcome(State.TIMED_OUT, TIMEOUT)
    if run.stop_why is not None:
        return outcome.asked(run.stop_why)
    if verdict.is_success:
        return Outcome(State.SUCCEEDED, None)
    return Outcome(State.FAILED, verdict.reason)
