"""The methods about dead letters."""

from __future__ import annotations

from claw.commands import shapes
from claw.commands.method import ADMIN, MAX_PAGE, changing, reading
from claw.commands.schema import array, boolean, integer, nullable, number, record, string
from claw.model.units import MAX_DURATION_S

_CHOICE = {
    "runs": array("these, by six or more letters of their ids", string("a run")),
    "job": string("all of this job"),
    "all": boolean("all there are"),
}
_LEFT = boolean("whether there are more: a request deals with 500 at most")

DLQ = (
    reading(
        "dlq.list",
        "list dead letters, newest first",
        record(
            {
                "job": string("only of this job"),
                "limit": integer("at most so many", minimum=1, maximum=MAX_PAGE),
                "before": string("only runs older than this one"),
            }
        ),
        record(
            {
                "runs": array("newest first", shapes.RUN),
                "next": nullable(string("ask again with this as `before`; null: no more")),
            },
            ("runs", "next"),
        ),
    ),
    changing(
        "dlq.reinject",
        "have dead letters done again, as new runs",
        record(
            {
                **_CHOICE,
                "env": shapes.ENVIRONMENT,
                "args": array("instead of what they had", string("an argument")),
            }
        ),
        record(
            {
                "reinjected": array(
                    "the new runs",
                    record(
                        {
                            "run": shapes.RUN_ID,
                            "of": string("the dead letter"),
                            "job": shapes.JOB_NAME,
                        },
                        ("run", "of", "job"),
                        is_open=True,
                    ),
                ),
                "left": _LEFT,
            },
            ("reinjected", "left"),
            is_open=True,
        ),
    ),
    changing(
        "dlq.purge",
        "forget that runs are dead letters; they stay in the history",
        record(
            {
                **_CHOICE,
                "older_than_s": number(
                    "only those that have been one for so long",
                    minimum=0,
                    maximum=MAX_DURATION_S,
                ),
            }
        ),
        record(
            {"purged": array("the runs", shapes.RUN_ID), "left": _LEFT},
            ("purged", "left"),
            is_open=True,
        ),
        role=ADMIN,
    ),
)
