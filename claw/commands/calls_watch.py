"""The methods about what is promised of jobs."""

from __future__ import annotations

from claw.commands.method import JOB_TARGETS, reading
from claw.commands.schema import (
    array,
    choice,
    integer,
    nullable,
    number,
    record,
    string,
    time,
)  # fmt: skip

_BUDGET = record(
    {
        "period": choice("how long it is for", "day", "week", "month"),
        "failures": integer("so many may be"),
        "spent": integer("so many were"),
        "left": integer("so many are left"),
        "resets_at": time("when it begins anew"),
    },
    is_open=True,
)

_SCORE = record(
    {
        "job": string("its name"),
        "since": time("what is counted from then on"),
        "passes": integer("runs that passed"),
        "fails": integer("runs that failed"),
        "rate": nullable(number("of a hundred runs that passed; null: there was none")),
        "wanted": nullable(number("what is promised of that")),
        "in_a_row": integer("the last runs that failed"),
        "budget": nullable(_BUDGET),
        "broken": array("what is broken, or nearly so", string("a sentence")),
        "runs": array(
            "the last runs that are over, newest first",
            record(
                {
                    "run": string("its id"),
                    "verdict": choice("what it is to the promise", "pass", "fail", "none"),
                    "why": string("and why"),
                },
                is_open=True,
            ),
        ),
    },
    description="how far a promise is kept",
    is_open=True,
)

WATCH = (
    reading(
        "job.sla",
        "tell how far jobs keep what is promised of them",
        record({"targets": JOB_TARGETS}),
        record({"jobs": array("those of which something is promised", _SCORE)}, ("jobs",)),
    ),
    reading(
        "incident.subject",
        "tell which job and runs a report about a job or run is about",
        record({"target": string("a job or run")}, ("target",)),
        record(
            {"job": string("the job"), "runs": array("newest first", string("its id"))},
            ("job", "runs"),
        ),
    ),
    reading(
        "incident.journals",
        "tell which supervisors had a run",
        record({"run": string("its whole id")}, ("run",)),
        record({"sids": array("oldest first", string("a supervisor"))}, ("sids",)),
    ),
    reading(
        "incident.journal",
        "read a supervisor's journal, a piece at a time",
        record(
            {
                "sid": string("the supervisor"),
                "offset": integer("from this byte on", minimum=0),
                "run": string("only what is about this run, by its whole id"),
            },
            ("sid", "offset"),
        ),
        record(
            {
                "text": string("its lines"),
                "next": nullable(integer("go on from here; null: no more")),
            },
            ("text", "next"),
        ),
    ),
)
