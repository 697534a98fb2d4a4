"""What the end of a run means for the exit status of who waited for it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TIMED_OUT = 124
NOT_RUN = 125
_SIGNALED = 128


def exit_status_of(run: dict[str, Any]) -> int:
    """Return the child's own status; 128 + its signal; 124 timed out; 125 never really run.

    Args:
        run: What ``run.show`` says of a run that is over.
    """
    if run["state"] == "timed_out":
        return TIMED_OUT
    if run.get("exit_code") is not None:
        return int(run["exit_code"])
    if run.get("signal") is not None:
        return _SIGNALED + int(run["signal"])
    return 0 if run["state"] == "succeeded" else NOT_RUN
