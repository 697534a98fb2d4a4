"""The keys of what is kept of runs that are over."""

from claw.config import kinds
from claw.config.table import Applies, Field
from claw.model.keeping import FileLogMode


class DaemonResultKeys:
    """See the module; part of `claw.config.fields.DaemonKeys`."""

    file_log_mode = Field(
        kinds.member_of(FileLogMode),
        "keep",
        "What becomes of the output of a run that is over, services aside. `keep`: what is"
        " within the job's `output.store` is copied to the database, and the file stays;"
        " `delete`: the file goes once all of it is in the database; `disabled`: nothing is"
        " copied.",
        applies=Applies.LIVE,
    )


class OutputKeys:
    """What is kept of the output of a run, for each stream. Not for `continuous` jobs."""

    store = Field(
        kinds.size(least=128),
        "64K",
        "Output up to this size is kept in the database, larger output only in its file;"
        " at most 1M; 0: none.",
        applies=Applies.LIVE,
    )
    excerpt = Field(
        kinds.size(least=64),
        2000,
        "So many bytes of its end are shown with a run that failed; whole characters.",
        applies=Applies.LIVE,
    )
    summary = Field(
        kinds.size(least=64),
        5000,
        "So many bytes of its beginning are kept of larger output, too; whole characters.",
        applies=Applies.LIVE,
    )


class RetentionKeys:
    """How long what is over is remembered. In claw.toml only."""

    runs = Field(
        kinds.integer(1, 10_000_000),
        1000,
        "So many runs of each job that succeeded are kept, with their output.",
        applies=Applies.LIVE,
        attr="keep_runs",
    )
    run_age = Field(
        kinds.DURATION,
        "90d",
        "Runs that ended in another way are kept so long; 0: for ever.",
        applies=Applies.LIVE,
        attr="keep_run_age_s",
    )
    events = Field(
        kinds.DURATION,
        "180d",
        "Events are kept so long; 0: for ever.",
        applies=Applies.LIVE,
        attr="keep_events_s",
    )
    deliveries = Field(
        kinds.DURATION,
        "30d",
        "Messages that were sent, dropped or given up are listed so long, the last 1000 of each"
        " channel and kind of end at most; 0: as long as that.",
        applies=Applies.LIVE,
        attr="keep_deliveries_s",
    )
    dead_letters = Field(
        kinds.DURATION,
        "365d",
        "A run that is a dead letter is kept so long after its end; 0: for ever.",
        applies=Applies.LIVE,
        attr="keep_dead_letters_s",
    )
