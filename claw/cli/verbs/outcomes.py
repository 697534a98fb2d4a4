"""What the end of a run means for the exit status of who waited for it."""

from __future__ import annotations

from claw.model import outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def exit_status_of(run: dict[str, Any]) -> int:
    """Return the child's own status; 128 + its signal; 124 timed out; 125 never really run.

    A workflow has no child: when it has failed, it is 1.

    Args:
        run: What ``run.show`` says of a run that is over.
    """
    if run.get("workflow") and not run.get("step") and run["state"] == "failed":
        return 1
    return outcome.exit_status(run["state"], run.get("exit_code"), run.get("signal"))
