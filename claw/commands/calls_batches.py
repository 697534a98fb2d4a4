"""The methods about runs that belong together."""

from __future__ import annotations

from claw.commands import shapes
from claw.commands.method import FORCE, changing, reading
from claw.commands.schema import (
    array,
    boolean,
    integer,
    mapping,
    nullable,
    number,
    record,
    string,
    time,
)
from claw.model.units import MAX_DURATION_S

PER_REQUEST = 2000
"""So many runs a request has at most: what takes long to read and store holds up others."""
_ARGS = array("appended to the command", string("an argument"))
_ID = string("the id of the batch")

BATCHES = (
    changing(
        "run.submit_batch",
        "ask for many runs of one job, all or none",
        record(
            {
                "job": shapes.JOB_NAME,
                "runs": array(
                    "what each has of its own, in the order in which they go",
                    record({"args": _ARGS, "env": shapes.ENVIRONMENT}),
                    minItems=1,
                    maxItems=PER_REQUEST,
                ),
                "at": time("not before then"),
                "delay_s": number(
                    "not before so many seconds have passed", minimum=0, maximum=MAX_DURATION_S
                ),
                "env": shapes.ENVIRONMENT,
                "args": _ARGS,
                "force": FORCE,
                "priority": shapes.PRIORITY,
                "more": boolean(
                    "more of them follow in another request, which names the batch: it is "
                    "asked for once the last is answered, and forgotten when nothing has "
                    "followed for ten minutes"
                ),
                "batch": string("the batch that the first request was answered with"),
            },
            ("job", "runs"),
        ),
        record(
            {
                "batch": _ID,
                "job": shapes.JOB_NAME,
                "count": integer("how many runs there are, so far"),
                "queued": integer(
                    "how many of them wait, the others are duplicates; of a batch in several "
                    "requests: all, each is made when the queue has room, and may be one then"
                ),
            },
            ("batch", "job", "count", "queued"),
            is_open=True,
        ),
    ),
    reading(
        "run.batch",
        "tell how far a batch is",
        record({"batch": string("its id, or six or more letters of it")}, ("batch",)),
        record(
            {
                "batch": _ID,
                "job": nullable(shapes.JOB_NAME),
                "asked_at": time("when it was asked for"),
                "total": integer("how many runs it has"),
                "done": integer("how many are over"),
                "running": integer("how many run"),
                "failed": integer("how many are over and have not succeeded"),
                "left_s": nullable(number("how long the others will take, at this pace")),
                "states": mapping("how many runs are in each state", integer("a number")),
            },
            ("batch", "total", "done", "running", "failed", "left_s", "states"),
            is_open=True,
        ),
    ),
    changing(
        "run.retry",
        "run again what has failed, as new runs",
        record(
            {"targets": array("runs, and batches", string("an id"), minItems=1)}, ("targets",)
        ),
        record(
            {
                "batch": nullable(_ID),
                "runs": array("the new runs", shapes.RUN_ID),
            },
            ("batch", "runs"),
            is_open=True,
        ),
    ),
)
