"""Whether a condition holds on a run that has ended: what its evidence has met, is stored."""

from claw.model.condition import Condition
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
    return condition.text in tx.matches(run.id)
