"""The keys of a job that say when it runs, beside its schedule."""

from claw.config import hours, kinds
from claw.config.table import Applies, Field


class TimeKeys:
    """See the module; part of `claw.config.fields.JobKeys`."""

    jitter = Field(
        kinds.DURATION,
        "0s",
        "Each run by `schedule` or `run_at` begins up to so much later than its time. How much"
        " is different for each host, job and time, and always the same for the three: a"
        " hundred hosts do not all begin at 03:00.",
        applies=Applies.LIVE,
        attr="jitter_s",
    )
    error_backoff = Field(
        kinds.SWITCH,
        False,
        "While runs fail one after the other, times of the schedule are skipped: those within"
        " 30 s, 1 m, 5 m, 15 m, and then always 1 h, of the last failure. A success ends it.",
        applies=Applies.LIVE,
    )
    hours = Field(
        kinds.optional(hours.HOURS),
        None,
        'When runs may begin: `{ days = "mon-fri", from = "08:00", to = "18:00", timezone ='
        ' "Europe/Berlin", outside = "skip" }`. `from` later than `to` spans midnight, and'
        " belongs to the day it begins on; `24:00` is the end of the day. `outside` says what"
        " becomes of a run that would begin at another time, also of one that makes up for a"
        " missed time: it is skipped, waits for the hours to begin, or runs and raises an"
        " alert.",
        applies=Applies.LIVE,
        shown="at any time",
    )
    ttl = Field(
        kinds.optional(kinds.DURATION),
        None,
        "So long after the run of a `oneshot` job is over, however it ended, the job is"
        " removed, if it was made with clawctl; one that is written in a file is stopped."
        " Its history stays.",
        applies=Applies.LIVE,
        attr="ttl_s",
        shown="it stays",
    )
    delete_after_run = Field(
        kinds.SWITCH,
        False,
        "As `ttl`, at once after the run.",
        applies=Applies.LIVE,
    )
