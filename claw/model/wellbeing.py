"""What is told of a child while it runs: whether it is well, what it says, which one it is."""

from claw.model.fact import Health, Main, Status
from claw.model.run import Attempt, Run
from claw.model.values import replace

Told = Health | Status | Main


def of_run(run: Run, fact: Told) -> Run:
    """Return a run with what is told of its present child."""
    match fact:
        case Health():
            return replace(run, health=fact.state, health_why=fact.why or None)
        case Status():
            return replace(run, status_text=fact.text or None)
        case Main():
            return replace(run, pid=fact.pid)


def of_attempt(attempt: Attempt | None, fact: Told) -> Attempt | None:
    """Return an attempt with what is told of it, None when it is not known."""
    if isinstance(fact, Main) and attempt is not None:
        return replace(attempt, pid=fact.pid, start_ticks=fact.start)
    return attempt


def event(fact: Told) -> tuple[str | None, str | None]:
    """Return the type of the event that a line is worth, and why it happened."""
    if isinstance(fact, Health):
        return f"job.{fact.state}", fact.why or None
    return None, None
