"""The keys of a job that say which events and files start it."""

from claw.config import kinds
from claw.config.kinds import Kind, optional
from claw.config.table import Applies, Field
from claw.model import happening, paths
from claw.model.watching import Word

_MOST = 100


def _pattern(value: object) -> str:
    text = kinds.LINE.parse(value)
    problem = happening.pattern_problem(text)
    if problem is not None:
        raise ValueError(f"{kinds.show(text)} means no event: {problem}")
    return text


def _path(value: object) -> str:
    text = kinds.LINE.parse(value)
    problem = paths.problem(text)
    if problem is not None:
        raise ValueError(f"{kinds.show(text)}: {problem}")
    return text


EVENTS = kinds.list_of(Kind("names or patterns", _pattern, {"type": "string"}), most=_MOST)
PATHS = kinds.list_of(Kind("paths or patterns", _path, {"type": "string"}), most=_MOST)
WORDS = kinds.list_of(kinds.member_of(Word), least=1, most=len(Word))


class EventKeys:
    """See the module; part of `claw.config.fields.JobKeys`."""

    events = Field(
        EVENTS,
        [],
        "Events that start it: names, or patterns like `orders.*`. They come by `clawctl emit`"
        " and by the spool folder, see events.md. Not for `continuous` jobs.",
        applies=Applies.LIVE,
    )


class FileWatchKeys:
    """Files whose changes start the job; a `continuous` job is restarted. See events.md."""

    paths = Field(
        PATHS,
        [],
        "Which files: patterns like `/srv/in/*.csv`, `/srv/in/**/*.csv` for all folders below,"
        " or a folder, for all files in it. A relative one starts from `cwd`, or else from the"
        " folder of the file that defines the job. Names that begin with a dot count where the"
        " pattern says so, and nowhere else.",
        applies=Applies.LIVE,
        shown="needed",
    )
    events = Field(
        optional(WORDS),
        None,
        "What counts: `create`, `close_write` (somebody who wrote to it has closed it),"
        " `moved_to`, `modify`, `delete`.",
        applies=Applies.LIVE,
        shown="`close_write` and `moved_to`; of `continuous` jobs all",
    )
    recursive = Field(
        kinds.SWITCH,
        False,
        "Files in all folders below count, too.",
        applies=Applies.LIVE,
        attr="is_recursive",
    )
    settle = Field(
        optional(kinds.DURATION),
        None,
        "Wait until a file has not changed for so long; of `continuous` jobs until none has.",
        applies=Applies.LIVE,
        attr="settle_s",
        shown="0; of `continuous` jobs 0.5 s",
    )
    existing = Field(
        kinds.one_of("ignore", "run"),
        "ignore",
        "Whether files start the job that were there before it was added.",
        applies=Applies.LIVE,
    )
