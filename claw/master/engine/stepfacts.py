"""What the child of a step is told of the steps that it needs, and given of what they left.

=========================  ================================================================
``CLAW_WORKFLOW``          the id of its workflow
``CLAW_STEP``              its own name
``CLAW_STEP_<S>_STATUS``   how the run of step S has ended, or ``skipped``; ``_EXIT``: its exit
                           status, 128 and the number of a signal, empty if it had none
``_OUTPUT_FILE``           what its last attempt printed to standard output
``_RESULT_FILE``           the result that its last attempt left; not set if it left none
=========================  ================================================================
"""

from claw.master.engine import parents, steps
from claw.master.engine.turn import Turn
from claw.model.handout import Handouts, in_capitals
from claw.model.job import Job
from claw.model.run import Run


def hand_out(turn: Turn, _job: Job, run: Run, found: Handouts) -> None:
    """Add what is known of the steps that a run's own step needs."""
    step = steps.step_of(turn.tx, run)
    whole = None if run.lineage.parent is None else turn.tx.run(run.lineage.parent)
    if step is None or whole is None:
        return
    found.tell({"CLAW_WORKFLOW": run.lineage.workflow or whole.id, "CLAW_STEP": step.name})
    rows = steps.present_rows(turn.tx, whole) if step.needs else {}
    for name in step.needs:
        row = rows.get(name)
        needed = None if row is None else turn.tx.run(row.id)
        if needed is not None:
            prefix = f"CLAW_STEP_{in_capitals(name)}_"
            parents.facts(turn.tx, needed, prefix, f"step-{name}", found)
