"""The keys of a job that say what its children are told of earlier runs."""

from claw.config import kinds
from claw.config.table import Applies, Field
from claw.model.context import LOOKED_AT, Context


class ContextKeys:
    """See `claw.config.fields.JobKeys`, which these keys are part of."""

    context = Field(
        kinds.member_of(Context),
        "none",
        "What a child finds of earlier runs in `$CLAW_CONTEXT_FILE`: nothing, `recent` ones,"
        " or with `hybrid` these and those of the last 50 that are most like what the run is"
        " asked for.",
        applies=Applies.LIVE,
    )
    context_limit = Field(
        kinds.integer(1, LOOKED_AT),
        5,
        "So many runs at most.",
        applies=Applies.LIVE,
    )
