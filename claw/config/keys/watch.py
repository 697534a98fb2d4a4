"""The keys of a job that are about what goes wrong with it, or does not happen."""

from claw.config import kinds
from claw.config.kinds import optional
from claw.config.table import Applies, Field
from claw.model.alerts import AlertKind


class AlertKeys:
    """What is worth an alert: one for each change of a condition, until it is over."""

    on = Field(
        optional(kinds.list_of(kinds.member_of(AlertKind), most=len(AlertKind))),
        None,
        "Which conditions. A job that fails ten times has one `failed` alert, which its next"
        " success ends. Of a `continuous` job `failed` means five failures in a row.",
        applies=Applies.LIVE,
        shown="`fatal`, `overdue`, `stale`, `dead_letter`, `sla`; of services also `failed`",
    )
