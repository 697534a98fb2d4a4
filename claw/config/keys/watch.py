"""The keys of a job that are about what goes wrong with it, or does not happen."""

from claw.config import kinds
from claw.config.keys.probe import PAUSE, URL
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


class WatchKeys:
    """See the module; part of `claw.config.fields.JobKeys`."""

    overdue_after = Field(
        optional(kinds.DURATION),
        None,
        "A time of `schedule`, or `run_at`, at which nothing has begun so much later is"
        " `overdue`: because it was forgotten, or because its run waits. Not while the job is"
        " paused, stopped or disabled, nor outside its `hours`; 0: never.",
        applies=Applies.LIVE,
        attr="overdue_after_s",
        shown="5m",
    )
    success_within = Field(
        optional(PAUSE),
        None,
        "With no success for so long the job is `stale`: also when it is paused or disabled,"
        " and when it never succeeded since it was added.",
        applies=Applies.LIVE,
        attr="success_within_s",
        shown="as long as it takes",
    )
    ping = Field(
        optional(URL),
        None,
        "An outside dead-man's switch, as healthchecks.io has them: claw GETs URL`/start` when"
        " a run begins, URL when it has succeeded and URL`/fail` when it has failed for good."
        " Whoever answers there notices when claw itself, or the host, is silent.",
        applies=Applies.LIVE,
    )
