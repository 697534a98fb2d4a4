"""The keys of a job that clawctl writes beside what it is told."""

from claw.config import kinds
from claw.config.table import Applies, Field


class ManagingKeys:
    """See `claw.config.fields.JobKeys`, which these keys are part of."""

    origin = Field(
        kinds.LINE,
        "",
        "Who made the job, as `cli:1000` for the user with that number, or the run whose child"
        " has; `clawctl job add` writes it. What a run has made takes nothing from"
        " `[defaults]`, and goes over no job of another file.",
        applies=Applies.LIVE,
        shown="its file tells",
    )
