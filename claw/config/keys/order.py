"""The keys of a job that are about other jobs, and about how many of it there are."""

from claw.config import kinds
from claw.config.depends import DEPENDS_ON
from claw.config.table import Applies, Field
from claw.model.job import OnFailure, OnRestart

MOST_INSTANCES = 1000
"""Of one job: each is a process with a supervisor of its own."""


class OrderKeys:
    """See the module; part of `claw.config.fields.JobKeys`."""

    instances = Field(
        kinds.integer(1, MOST_INSTANCES),
        1,
        "`continuous` only: how many of it run, as `web@1`, `web@2`, ..., each with its"
        " `CLAW_INSTANCE`, and with `${instance}` filled in in `cwd` and `env`.",
        applies=Applies.LIVE,
    )
    depends_on = Field(
        DEPENDS_ON,
        [],
        'Jobs that have to be there first: `["redis"]`, or `[{ job = "migrate", condition ='
        ' "after_complete", timeout = "5m" }]`. `after_start` (what a name alone means): that'
        " job is ready; `after_complete`: its run has ended well since this one was asked for;"
        " `before_complete`: that job waits until this one has ended well. A run that has"
        " waited longer than `timeout` (0: no limit) is skipped.",
        applies=Applies.LIVE,
    )
    on_dependency_restart = Field(
        kinds.member_of(OnRestart),
        "ignore",
        "With `restart`, a running job is restarted when one that it depends on"
        " (`after_start`) is.",
        applies=Applies.LIVE,
    )
    on_dependency_failure = Field(
        kinds.member_of(OnFailure),
        "ignore",
        "What becomes of a running job when one that it depends on (`after_start`) has failed"
        " for good: `stop` ends it, `fail` ends it as failed.",
        applies=Applies.LIVE,
    )
