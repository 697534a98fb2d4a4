"""The methods about workflows."""

from __future__ import annotations

from claw.commands import shapes
from claw.commands.method import MAX_PAGE, changing, reading
from claw.commands.schema import (
    array,
    boolean,
    choice,
    integer,
    nullable,
    number,
    record,
    string,
    time,
)

_MOST_JOBS = 1000
_STEP_NAME = string("a step")
_WORKFLOW_ID = string("the workflow: the id of its first run")
_STATE = nullable(choice("as a run's; null: it has not begun", *shapes.RUN_STATES))
_ON = choice("after which ends of what it needs it begins", "success", "failure", "complete")
_STEP = record(
    {
        "name": _STEP_NAME,
        "job": string("what it runs"),
        "needs": array("the steps that have to end first", _STEP_NAME),
        "on": _ON,
        "when": nullable(string("a condition on what it needs")),
        "state": _STATE,
        "left_out": boolean("it was skipped by the workflow itself, which is no bad end"),
        "run": nullable(shapes.RUN_ID),
        "attempt": integer("its last attempt; 0: none yet"),
        "exit_code": nullable(integer("of its child")),
        "signal": nullable(integer("that ended its child")),
        "reason": nullable(string("why it ended so, or what it waits for")),
        "started_at": nullable(time("when it began")),
        "ended_at": nullable(time("when it ended")),
        "duration": nullable(number("how long it ran, in seconds")),
        "kept": boolean("it counts as an earlier run of the workflow left it"),
    },
    ("name", "job", "needs", "on", "state", "run"),
    is_open=True,
)
_HEAD = {
    "id": nullable(_WORKFLOW_ID),
    "job": string("its name"),
    "run": nullable(shapes.RUN_ID),
    "state": _STATE,
    "reason": nullable(string("why it ended so, or what it waits for")),
    "asked_by": nullable(string("who asked for it")),
    "queued_at": nullable(time("when it was asked for")),
    "started_at": nullable(time("when it began")),
    "ended_at": nullable(time("when it ended")),
    "duration": nullable(number("how long it ran, in seconds")),
}
_LISTED = record(
    {
        **_HEAD,
        "steps": integer("how many it has"),
        "done": integer("how many of them have ended"),
        "running": integer("how many of them run"),
        "bad": integer("how many of them ended badly"),
    },
    ("id", "job", "run", "state", "steps", "done"),
    is_open=True,
)
_SHOWN = record(
    {
        **_HEAD,
        "runs": array("its own runs, oldest first: several once it was retried", shapes.RUN_ID),
        "params": record({}, is_open=True),
        "max_parallel": integer("so many steps at once; 0: all that can"),
        "on_failure": choice("what a bad end means", "stop", "continue"),
        "steps": array("in the order of the definition", _STEP),
    },
    ("id", "job", "state", "steps"),
    is_open=True,
)
_SUBMITTED = record(
    {"run": shapes.RUN_ID, "job": shapes.JOB_NAME, "workflow": _WORKFLOW_ID},
    ("run", "job", "workflow"),
    is_open=True,
)
_TARGET = string("its name, its id, or a run of it, by six or more letters")

WORKFLOWS = (
    changing(
        "workflow.compose",
        "run jobs as a chain, a group or a chord",
        record(
            {
                "kind": choice("what they are", "chain", "group", "chord"),
                "jobs": array(
                    "in their order", shapes.JOB_NAME, minItems=1, maxItems=_MOST_JOBS
                ),
                "callback": string("chord: the job that runs when all have ended"),
                "on": choice(
                    "chord: after which ends; default complete",
                    "success",
                    "failure",
                    "complete",
                ),
                "on_failure": choice("what a bad end means", "stop", "continue"),
                "name": string("what to call it"),
                "env": shapes.ENVIRONMENT,
            },
            ("kind", "jobs"),
        ),
        _SUBMITTED,
    ),
    reading(
        "workflow.list",
        "list workflows, newest first",
        record(
            {
                "job": string("only of this name"),
                "limit": integer("at most so many", minimum=1, maximum=MAX_PAGE),
                "before": string("only runs older than this one"),
            }
        ),
        record(
            {
                "workflows": array("newest first", _LISTED),
                "next": nullable(string("ask again with this as `before`; null: no more")),
            },
            ("workflows", "next"),
        ),
    ),
    reading(
        "workflow.show",
        "tell all about a workflow, by its name or id",
        record({"workflow": _TARGET}, ("workflow",)),
        _SHOWN,
    ),
    changing(
        "workflow.retry",
        "run a workflow again from a step on, and keep the rest",
        record(
            {
                "workflow": _TARGET,
                "from": string("the step; left out: all that ended badly"),
            },
            ("workflow",),
        ),
        _SUBMITTED,
    ),
)
