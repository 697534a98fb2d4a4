"""The keys of ``[jobs.X.trigger]``, and the kind of a condition."""

from claw.config import kinds
from claw.config.kinds import Kind, optional, plain, show, unlike
from claw.config.table import Applies, Field
from claw.model import condition, ids
from claw.model.condition import Condition
from claw.model.trigger import MAX_FANOUT, Join, On

_MOST = 100
_MOST_CHILDREN = 100_000


def _condition(value: object) -> Condition:
    return condition.parse(plain(value))


CONDITION = Kind(
    "condition",
    _condition,
    {"type": "string", "pattern": "^(contains|regex|exit|json):"},
)


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise unlike("the name of a job", value)
    problem = ids.name_problem(value)
    if problem:
        raise ValueError(f"{show(value)} is no job's name: {problem}")
    return value


def _names(value: object) -> tuple[str, ...]:
    found = _LIST.parse([value] if isinstance(value, str) else value)
    twice = next((name for name in found if found.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"{show(twice)} is there twice: keep one of them")
    return found


_LIST = kinds.list_of(Kind("job's name", _name, {"type": "string"}), least=1, most=_MOST)
_NAMES = Kind("name or list", _names, {"anyOf": [{"type": "string"}, dict(_LIST.schema)]})


class TriggerKeys:
    """After which jobs' ends this one runs; see workflows.md. Not for `continuous` jobs."""

    after = Field(
        optional(_NAMES),
        None,
        'The job whose runs it follows, or several: `["fetch", "scan"]`.',
        applies=Applies.LIVE,
        shown="it has to be said",
    )
    on = Field(
        kinds.member_of(On),
        "success",
        "After which ends: the run has succeeded; it has failed for good (after its last"
        " attempt, timed out and crashed ones too); or it has ended, canceled or not, after it"
        " had begun.",
        applies=Applies.LIVE,
    )
    delay = Field(
        kinds.DURATION,
        "0s",
        "The run is due so long after the end.",
        applies=Applies.LIVE,
        attr="delay_s",
    )
    when = Field(
        optional(CONDITION),
        None,
        "What else has to hold: `contains:TEXT` and `regex:PATTERN` on what the last attempt"
        " has printed (the first and the last MiB of each stream; `^` and `$` are the ends of"
        " lines, and a search that takes longer than 2 s finds nothing), `exit:3` or"
        " `exit:3,4`, `json:status=done` on the result that it left.",
        applies=Applies.LIVE,
        shown="nothing",
    )
    join = Field(
        kinds.member_of(Join),
        "all",
        "Of several jobs: one run after all of them have ended so, or one after each.",
        applies=Applies.LIVE,
    )
    max_fanout = Field(
        kinds.integer(1, _MOST_CHILDREN),
        MAX_FANOUT,
        "When one end begins more jobs than that, in the order of their names, this one is"
        " skipped if it comes later.",
        applies=Applies.LIVE,
    )
