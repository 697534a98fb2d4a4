"""The keys of a job's output, a part of the table that `claw.config.fields` has."""

from claw.config import kinds
from claw.config.table import Applies, Field
from claw.model.job import LogFormat, OnFull, Sink, Stderr


class LogKeys:
    """The output of a job's process."""

    to = Field(
        kinds.list_of(kinds.member_of(Sink), least=1, most=3),
        ["file"],
        "Where it goes: `file`; `stdout`, the daemon's own, for containers; `journal`,"
        " systemd's. Without `file` the file is but a buffer, emptied as it is passed on.",
        applies=Applies.LIVE,
    )
    max_size = Field(
        kinds.size(least=4096),
        "50M",
        "A file that has grown so large is closed at the end of a line, and the next begun;"
        " 0: never.",
        applies=Applies.NEXT,
    )
    max_age = Field(
        kinds.DURATION,
        "0",
        "The same for a file that was begun so long ago; 0: never.",
        applies=Applies.NEXT,
        attr="max_age_s",
    )
    keep = Field(
        kinds.integer(1, 100_000),
        3,
        "So many closed files are kept.",
        applies=Applies.NEXT,
    )
    compress = Field(
        kinds.SWITCH,
        True,
        "Compress closed files with gzip, in the background.",
        applies=Applies.LIVE,
    )
    timestamps = Field(
        kinds.SWITCH,
        False,
        "Show and forward each line with its time; the file has the bytes as they came.",
        applies=Applies.LIVE,
    )
    format = Field(
        kinds.member_of(LogFormat),
        "raw",
        "How lines are shown and forwarded: as they are, or each as a JSON object.",
        applies=Applies.LIVE,
    )
    mask_secrets = Field(
        kinds.SWITCH,
        False,
        "Show and forward lines with `****` in place of each secret that claw knows; the file"
        " has the bytes as they came. What claw itself stores of output is always masked.",
        applies=Applies.LIVE,
    )
    on_full = Field(
        kinds.member_of(OnFull),
        "drop",
        "When the disk is full: `drop` what finds no room, counted, or `block` the job until"
        " there is room.",
        applies=Applies.NEXT,
    )
    stderr = Field(
        kinds.member_of(Stderr),
        "merge",
        "`merge` keeps the order of both streams in one file; `separate` writes a second file;"
        " `discard` throws it away.",
    )
    mode = Field(
        kinds.octal(needed=0o600, needed_why="claw itself could not write and read it"),
        "0640",
        "Permissions of the output files.",
    )
