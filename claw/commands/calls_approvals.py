"""The methods about approvals: what is asked of people before runs begin."""

from __future__ import annotations

from claw.commands import shapes
from claw.commands.method import MAX_PAGE, changing, reading
from claw.commands.schema import (
    array,
    boolean,
    choice,
    integer,
    nullable,
    record,
    string,
    time,
)

_DECISION = {
    "run": string("a run, or a batch: six or more letters of its id"),
    "reason": string("why, for the record", maxLength=1000),
}
_DECIDED = record(
    {
        "runs": array(
            "what has become of each",
            record(
                {
                    "run": shapes.RUN_ID,
                    "job": shapes.JOB_NAME,
                    "state": choice("its state now", *shapes.RUN_STATES),
                },
                ("run", "job", "state"),
                is_open=True,
            ),
        )
    },
    ("runs",),
    is_open=True,
)

APPROVALS = (
    reading(
        "approval.list",
        "list the runs that wait until somebody has approved them",
        record(
            {
                "job": string("only of this job"),
                "all": boolean("also what was decided, newest first"),
                "limit": integer("at most so many", minimum=1, maximum=MAX_PAGE),
                "after": string("those that follow this run in the list"),
            }
        ),
        record(
            {
                "approvals": array(
                    "oldest first; with `all` newest first",
                    record(
                        {
                            "run": shapes.RUN_ID,
                            "job": shapes.JOB_NAME,
                            "state": choice("the run's state", *shapes.RUN_STATES),
                            "origin": string("what asked for the run"),
                            "asked_by": nullable(string("who")),
                            "why": string("the same in words"),
                            "due_at": time("when the run is due"),
                            "args": array("its arguments", string("one")),
                            **shapes.APPROVAL,
                        },
                        ("run", "job"),
                        is_open=True,
                    ),
                ),
                "next": nullable(string("ask again with this as `after`; null: no more")),
            },
            ("approvals", "next"),
        ),
    ),
    changing(
        "approval.approve", "let a run begin that waits for it", record(_DECISION, ("run",)),
        _DECIDED,
    ),
    changing(
        "approval.reject", "cancel a run that waits for approval", record(_DECISION, ("run",)),
        _DECIDED,
    ),
)  # fmt: skip
