"""Whether a condition holds on a run that has ended, as the store has it.

Its exit and its result are there as they are; of its output only which conditions it has met,
of those that somebody had on it when it ended.
"""

from claw.model.condition import Condition, Kind
from claw.model.run import Run
from claw.store.records import Tx


def holds(tx: Tx, run: Run, condition: Condition | None) -> bool:
    """Tell whether a condition holds on a run; one of which nothing is known does not.

    Args:
        tx: The transaction.
        run: It has ended.
        condition: None: none is set, which always holds.
    """
    if condition is None:
        return True
    if condition.is_of_exit:
        return condition.is_met_by_exit(run.exit_code, run.signal)
    if condition.kind is Kind.JSON:
        return condition.is_met_by_result(tx.result(run.id, run.attempt))
    return condition.text in tx.matches(run.id)
