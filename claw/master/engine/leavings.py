"""What a run leaves behind is stored in the transaction of its attempt's end."""

from claw.master.engine.turn import Turn
from claw.model.evidence import Evidence, Printed
from claw.model.keeping import Budget, FileLogMode, Kept, beginning, ending
from claw.model.run import Run


def keep(turn: Turn, run: Run, attempt: int, evidence: Evidence) -> None:
    """Store an attempt's result, and of its output what its job wants to be kept."""
    if evidence.result is not None:
        turn.tx.put_result(run.id, attempt, evidence.result)
    turn.tx.put_matches(run.id, attempt, evidence.met)
    if turn.config.daemon.file_log_mode is FileLogMode.DISABLED:
        return
    job = turn.config.job(run.job)
    budget = job.output if job is not None else Budget()
    for printed in evidence.printed:
        turn.tx.put_output(_kept(run.id, attempt, printed, budget))


def _kept(run: str, attempt: int, printed: Printed, budget: Budget) -> Kept:
    is_short = printed.is_whole and printed.size <= budget.store
    return Kept(
        run=run,
        attempt=attempt,
        stream=printed.stream,
        size=printed.size,
        begin=printed.begin,
        data=printed.head if is_short else None,
        excerpt=None if is_short else ending(printed.tail, budget.excerpt, printed.size),
        summary=None if is_short else beginning(printed.head, budget.summary, printed.size),
    )
