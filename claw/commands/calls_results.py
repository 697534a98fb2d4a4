"""The methods about what runs leave behind."""

from __future__ import annotations

from claw.commands import shapes
from claw.commands.method import ADMIN, changing, reading
from claw.commands.schema import boolean, choice, integer, nullable, record, string

_RUN = string("a run, or six or more letters of its id")
_ATTEMPT = integer("number of the attempt; left out: the last, or all", minimum=1)

RESULTS = (
    changing(
        "job.purge",
        "forget all runs of a job, with their output and events",
        record(
            {"job": string("the job"), "force": boolean("end runs that are open first")},
            ("job",),
        ),
        record(
            {
                "job": shapes.JOB_NAME,
                "runs": integer("so many are forgotten"),
                "events": integer("so many are forgotten"),
            },
            ("job", "runs", "events"),
            is_open=True,
        ),
        role=ADMIN,
    ),
    changing(
        "run.set_result",
        "hand back a value, for the children of runs",
        record({"value": {"description": "any JSON value"}}, ("value",)),
        record({"run": shapes.RUN_ID}, ("run",), is_open=True),
    ),
    reading(
        "run.result",
        "tell the value that a run's child has handed back",
        record({"run": _RUN, "attempt": _ATTEMPT}, ("run",)),
        record(
            {
                "run": shapes.RUN_ID,
                "job": shapes.JOB_NAME,
                "result": {"description": "the value"},
            },
            ("run", "result"),
            is_open=True,
        ),
    ),
    reading(
        "run.output",
        "read what a run has printed, a piece at a time",
        record(
            {
                "run": _RUN,
                "attempt": _ATTEMPT,
                "stream": choice("which output", "stdout", "stderr"),
                "from": string("`next` of the piece before"),
            },
            ("run", "stream"),
        ),
        record(
            {
                "run": shapes.RUN_ID,
                "text": string("the piece"),
                "source": choice("where it comes from", "file", "database", "none"),
                "path": nullable(string("the file, when it comes from one")),
                "next": nullable(string("ask again with this as `from`; null: no more")),
            },
            ("run", "text", "source", "next"),
            is_open=True,
        ),
    ),
)
