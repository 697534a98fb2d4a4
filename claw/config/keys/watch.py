"""The keys of a job that are about what goes wrong with it, or does not happen."""

from claw.config import kinds
from claw.config.budget import BUDGET, PERCENT, PERIOD
from claw.config.keys.channels import CHANNEL
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
        shown="`fatal`, `overdue`, `stale`, `dead_letter`, `sla`, `approval`; of services also"
        " `failed`",
    )
    channel = Field(
        CHANNEL,
        "",
        "The channel that is told of them; without one they are only shown.",
        applies=Applies.LIVE,
    )
    to = Field(kinds.LINE, "", "As for a hook.", applies=Applies.LIVE)


class SlaKeys:
    """What is promised of a job. Each run passes or fails; `clawctl sla` keeps the score."""

    success_rate = Field(
        optional(PERCENT),
        None,
        "So many of a hundred runs within `period` pass.",
        applies=Applies.LIVE,
        shown="nothing is promised",
    )
    tolerance = Field(
        optional(kinds.DURATION),
        None,
        "A run that begins so much later than its time fails.",
        applies=Applies.LIVE,
        attr="tolerance_s",
        shown="as late as it may be",
    )
    max_duration = Field(
        optional(kinds.DURATION),
        None,
        "A run that takes longer fails; it is not ended for that, which `timeout` does.",
        applies=Applies.LIVE,
        attr="max_duration_s",
        shown="as long as it takes",
    )
    max_consecutive_failures = Field(
        optional(kinds.integer(0, 1_000_000)),
        None,
        "At most so many runs fail in a row.",
        applies=Applies.LIVE,
        shown="any number",
    )
    error_budget = Field(
        optional(BUDGET),
        None,
        'At most so many runs fail in each day, week or month: `{ period = "week", failures ='
        " 3 }`. An alert comes when it is nearly spent, and another when it is.",
        applies=Applies.LIVE,
        shown="none",
    )
    period = Field(
        PERIOD,
        "7d",
        "How far back `success_rate` looks; not to before the job got its schedule.",
        applies=Applies.LIVE,
        attr="period_s",
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
