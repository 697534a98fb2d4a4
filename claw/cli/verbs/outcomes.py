"""What the end of a run means for the exit status of who waited for it."""

from __future__ import annotations

from claw.model import outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def exit_status_of(run: dict[str, Any]) -> int:
    """Return the child's own status; 128 + its signal; 124 timed out; 125 never really run.

    Args:
        run: What ``run.show`` says of a run that is over.
    """
    return outcome.exit_status(run["state"], run.get("exit_code"), run.get("signal"))
