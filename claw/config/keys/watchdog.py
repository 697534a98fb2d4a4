"""The keys of ``[jobs.X.watchdog]``."""

from claw.config import kinds
from claw.config.command import COMMAND
from claw.config.kinds import optional
from claw.config.table import Applies, Field


class WatchdogKeys:
    """A check that runs by the job's `schedule`, in place of a `command`."""

    check = Field(
        optional(COMMAND),
        None,
        'What looks. Exit status 0: it goes on, or with JSON like `{"status": "done"}` it is'
        " finished; 1: it is stuck; 2: try later; any other: the check itself has failed. It"
        " has 60 s, if `timeout` of the job says nothing else.",
        shown="it has to be there",
    )
    timeout = Field(
        kinds.DURATION,
        "0",
        "What is not finished so long after the job was added, enabled or started is stuck; 0:"
        " never.",
        applies=Applies.LIVE,
        attr="timeout_s",
    )
    on_stuck = Field(
        kinds.LINE,
        "",
        "A job that is begun whenever the check finds it stuck.",
        applies=Applies.LIVE,
        shown="none",
    )
    self_destruct = Field(
        kinds.SWITCH,
        True,
        "When what is watched is finished the job goes, as with `delete_after_run`.",
        applies=Applies.LIVE,
    )
