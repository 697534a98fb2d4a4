"""What is said of a run that waits for another attempt."""

from datetime import datetime

from claw.model.run import Run
from claw.model.units import format_duration


def retry_why(run: Run, now: datetime) -> str:
    """Return how its last attempt ended, and when the next one begins."""
    if run.due_at <= now:
        return f"{run.waiting_for}, now"
    return f"{run.waiting_for}, in {format_duration((run.due_at - now).total_seconds())}"
