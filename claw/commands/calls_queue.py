"""The methods about what waits: the queue and the pools."""

from __future__ import annotations

from claw.commands import shapes
from claw.commands.method import ADMIN, MAX_PAGE, TARGETS, changing, reading
from claw.commands.schema import array, boolean, integer, nullable, number, record, string, time
from claw.model.units import MAX_DURATION_S

_MOST_SLOTS = 100_000
_WHAT = string("a job or a pool, as job:NAME or pool:NAME if it is both; left out: all")
_PAUSED = array("what is held back, in words", string("one line"))
_HOLDER = record(
    {"run": shapes.RUN_ID, "job": shapes.JOB_NAME, "slots": integer("how many it has")},
    ("run", "job", "slots"),
    is_open=True,
)
_POOL = record(
    {
        "name": string("the pool"),
        "slots": integer("how many it has"),
        "configured": integer("how many are configured"),
        "held": integer("how many are taken"),
        "holders": array("by whom", _HOLDER),
        "waiting": integer("how many runs wait whose jobs use it"),
        "paused_by": nullable(string("who holds it back")),
    },
    ("name", "slots", "held", "holders", "waiting"),
    is_open=True,
)
_WAITING = record(
    {
        "place": integer("from 1"),
        "run": shapes.RUN_ID,
        "job": shapes.JOB_NAME,
        "priority": shapes.PRIORITY,
        "level": integer("how urgent it is by now; 0 is the most"),
        "due_at": time("not before then"),
        "batch": nullable(string("its batch")),
        "why": string("why it waits"),
    },
    ("place", "run", "job", "priority", "due_at", "why"),
    is_open=True,
)
_CHANGED = record(
    {
        "what": string("all, job NAME or pool NAME"),
        "changed": boolean("false: it was so already"),
    },
    ("what", "changed"),
    is_open=True,
)

QUEUE = (
    reading(
        "queue.list",
        "list what waits, in the order in which it would go",
        record(
            {
                "job": string("only of this job"),
                "pool": string("only of jobs that use this pool"),
                "limit": integer("at most so many", minimum=1, maximum=MAX_PAGE),
            }
        ),
        record(
            {
                "runs": array("in their order", _WAITING),
                "total": integer("how many there are"),
                "paused": _PAUSED,
            },
            ("runs", "total", "paused"),
            is_open=True,
        ),
    ),
    changing(
        "queue.pause",
        "have nothing begin but services; what runs goes on",
        record({"what": _WHAT}),
        _CHANGED,
    ),
    changing(
        "queue.resume", "take a pause of the queue back", record({"what": _WHAT}), _CHANGED
    ),
    changing(
        "queue.clear",
        "revoke what waits",
        record(
            {
                "targets": TARGETS,
                "all": boolean("without targets: those too whose own time is to come"),
                "why": string("a reason, for the record"),
            }
        ),
        record(
            {
                "canceled": array("the runs", shapes.RUN_ID),
                "later": integer("how many stay, for their own time is to come"),
                "left": integer("how many are left: a request deals with 5000 at most"),
                "dropped": integer("so many runs of batches were still to be made"),
            },
            ("canceled", "later", "left"),
            is_open=True,
        ),
    ),
    reading(
        "queue.budgets",
        "tell how much of everything that is bounded is used",
        record({}),
        record(
            {
                "open": integer("open runs"),
                "max_queue": integer("how many there may be"),
                "to_come": integer("runs of large batches that are still to be made"),
                "running": integer("runs that are active, services not counted"),
                "max_parallel": integer("how many there may be"),
                "jobs": array("those with open runs", record({}, is_open=True)),
                "pools": array("all of them", _POOL),
                "paused": _PAUSED,
                "hot": array("what is nearly used up", string("one line")),
            },
            (
                "open",
                "max_queue",
                "to_come",
                "running",
                "max_parallel",
                "jobs",
                "pools",
                "paused",
                "hot",
            ),
            is_open=True,
        ),
    ),
    reading(
        "pool.list",
        "list the pools and who holds their slots",
        record({}),
        record({"pools": array("by name", _POOL)}, ("pools",), is_open=True),
    ),
    changing(
        "pool.set",
        "set a pool's slots, until the configured number changes",
        record(
            {
                "pool": string("the pool"),
                "slots": integer("how many", minimum=1, maximum=_MOST_SLOTS),
            },
            ("pool", "slots"),
        ),
        record({"pool": string("it"), "slots": integer("its slots")}, ("pool", "slots")),
        role=ADMIN,
    ),
    reading(
        "run.stale",
        "list runs that run or wait much longer than usual",
        record(
            {
                "older_s": number(
                    "that run or wait longer than this", minimum=0, maximum=MAX_DURATION_S
                )
            }
        ),
        record({"runs": array("oldest first", shapes.RUN)}, ("runs",), is_open=True),
    ),
)
