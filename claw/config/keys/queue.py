"""The keys of a job's place in the queue, and ``[pools.NAME]``."""

from collections.abc import Callable

from claw.config import kinds
from claw.config.kinds import Kind, MistakesError, Step, nearest, optional, show, unlike
from claw.config.table import Applies, Field
from claw.model import dedup
from claw.model.ids import JOB_NAME
from claw.model.job import Overlap
from claw.model.pool import OnPoolBusy, PoolUse
from claw.model.run import Priority

MOST_SLOTS = 100_000
_SLOTS = kinds.integer(1, MOST_SLOTS)
_WORD = kinds.one_of(*(one.name.lower() for one in Priority))
_make_use: Callable[..., PoolUse] = PoolUse


def pool_name(value: object) -> str:
    """Return the name of a pool.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, str):
        raise unlike("the name of a pool", value)
    if not JOB_NAME.fullmatch(value):
        raise ValueError(
            f"{show(value)} is no name for a pool: letters, digits and . _ - only, at most 64"
        )
    return value


def _pool(value: object) -> PoolUse:
    if isinstance(value, str):
        return _make_use(pool_name(value))
    if not isinstance(value, dict):
        raise unlike('a pool\'s name, or a table like { name = "gpu", slots = 2 },', value)
    if "name" not in value:
        raise ValueError('the table names no pool: write { name = "NAME", slots = 2 }')
    wrong: list[tuple[tuple[Step, ...], str]] = []
    found: dict[str, object] = {}
    for key, given in value.items():
        if key not in _POOL_KEYS:
            wrong.append(((key,), f"unknown key{nearest(key, [*_POOL_KEYS])}"))
            continue
        try:
            found[key] = _POOL_KEYS[key].parse(given)
        except ValueError as error:
            wrong.append(((key,), str(error)))
    if wrong:
        raise MistakesError(wrong)
    return _make_use(**found)


_POOL_KEYS: dict[str, Kind[object]] = {
    "name": Kind("name", pool_name, {"type": "string"}),
    "slots": _SLOTS,  # type: ignore[dict-item]
}
POOL = Kind(
    "name or table",
    _pool,
    {
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "slots": dict(_SLOTS.schema),
                },
                "required": ["name"],
                "additionalProperties": False,
            },
        ]
    },
)
PRIORITY = Kind(
    _WORD.label,
    lambda value: Priority[_WORD.parse(value).upper()],
    _WORD.schema,
)


class DaemonQueueKeys:
    """See the module; part of `claw.config.fields.DaemonKeys`."""

    max_parallel = Field(
        kinds.integer(1, 100_000),
        64,
        "Runs at once over all jobs; `continuous` jobs are not counted. More runs wait.",
        applies=Applies.LIVE,
    )
    max_queue = Field(
        kinds.integer(1, 10_000_000),
        10000,
        "Open runs in all; beyond it requests are refused as `saturated`.",
        applies=Applies.LIVE,
    )
    priority_aging = Field(
        kinds.DURATION,
        "5m",
        "A run that has waited so long is one level of `priority` more urgent; 0: never.",
        applies=Applies.LIVE,
        attr="priority_aging_s",
    )


class QueueKeys:
    """See the module; part of `claw.config.fields.JobKeys`."""

    max_instances = Field(
        kinds.integer(1, 10_000),
        1,
        "Runs of this job at once.",
        applies=Applies.LIVE,
    )
    on_overlap = Field(
        optional(kinds.member_of(Overlap)),
        None,
        "What becomes of a run that would be one too many: it is skipped, waits its turn, or"
        " ends the one that runs and takes its place.",
        applies=Applies.LIVE,
        shown="`skip` for scheduled jobs, else `queue`",
    )
    max_queued = Field(
        optional(kinds.integer(0, 1_000_000)),
        None,
        "Runs of this job that may wait; 0: only `daemon.max_queue` bounds them.",
        applies=Applies.LIVE,
        shown="1 for scheduled jobs, else 0",
    )
    max_pending_approvals = Field(
        kinds.integer(1, 100_000),
        10,
        "So many runs of the job may wait for `approval`. What is asked for beyond that is"
        " refused; what comes by itself is skipped.",
        applies=Applies.LIVE,
    )
    priority = Field(
        PRIORITY,
        "normal",
        "Which of the runs that wait goes first. A wait of `daemon.priority_aging` raises a run"
        " by one level, so that none waits for ever.",
        applies=Applies.LIVE,
    )
    pool = Field(
        optional(POOL),
        None,
        'The pool of `[pools.NAME]` of which each run of the job takes a slot: `"database"`, or'
        ' several: `{ name = "gpu", slots = 2 }`.',
        applies=Applies.LIVE,
    )
    on_pool_busy = Field(
        kinds.member_of(OnPoolBusy),
        "queue",
        "What becomes of a run that finds too few slots free: it waits, or it is skipped. What"
        " makes up for a missed time, or is tried again, always waits.",
        applies=Applies.LIVE,
    )


def _key(value: object) -> str:
    text = kinds.LINE.parse(value)
    problem = dedup.key_problem(text)
    if problem:
        raise ValueError(problem)
    return text


class DedupKeys:
    """Of two runs that ask for the same thing within a window the second is skipped.

    Tries of one run, restarts and what is run again on purpose never count.
    """

    window = Field(
        kinds.DURATION,
        "0",
        "How long after a run was asked for another one is the same; 0: never.",
        applies=Applies.LIVE,
        attr="window_s",
    )
    key = Field(
        Kind("text", _key, {"type": "string"}),
        "",
        "What makes two runs the same, with `${1}` for an argument, `${*}` for all of them,"
        " `${NAME}` for a variable: `${1} ${REGION}`.",
        applies=Applies.LIVE,
        shown="all arguments and variables of the run",
    )


class PoolKeys:
    """Slots that the runs of several jobs share. In claw.toml only."""

    slots = Field(
        _SLOTS,
        1,
        "How many there are; with 1, the runs of all its jobs go one after the other.",
        applies=Applies.LIVE,
    )
