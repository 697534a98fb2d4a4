"""The methods about runs."""

from __future__ import annotations

from claw.commands import shapes
from claw.commands.calls_batches import BATCHES
from claw.commands.method import FORCE, MAX_PAGE, TARGETS, changing, reading
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
from claw.model.units import MAX_DURATION_S

RUNS = (
    changing(
        "run.submit",
        "ask for one run of a job",
        record(
            {
                "job": shapes.JOB_NAME,
                "at": time("not before then"),
                "delay_s": number(
                    "not before so many seconds have passed", minimum=0, maximum=MAX_DURATION_S
                ),
                "env": shapes.ENVIRONMENT,
                "args": array("appended to the command", string("an argument")),
                "force": FORCE,
                "priority": shapes.PRIORITY,
            },
            ("job",),
        ),
        record({"run": shapes.RUN_ID, "job": shapes.JOB_NAME}, ("run", "job"), is_open=True),
    ),
    *BATCHES,
    changing(
        "run.transient",
        "ask for one run of a command, as the caller",
        record(
            {
                "table": {
                    "type": "object",
                    "description": "keys of a job: argv, cwd, umask, timeout, retry, pool, ...",
                },
                "env": shapes.ENVIRONMENT,
                "name": string("what to call it; left out: after the program"),
                "user": string("as another user; for admins"),
                "after": string("begin when this run has ended well"),
                "at": time("not before then"),
                "delay_s": number(
                    "not before so many seconds have passed", minimum=0, maximum=MAX_DURATION_S
                ),
            },
            ("table",),
        ),
        record({"run": shapes.RUN_ID, "job": shapes.JOB_NAME}, ("run", "job"), is_open=True),
    ),
    changing(
        "run.cancel",
        "end or revoke runs",
        record(
            {
                "targets": TARGETS,
                "why": string("a reason, for the record"),
                "terminate": boolean("end them at once, without their grace period"),
                "descendants": boolean("and what has come of them"),
            },
            ("targets",),
        ),
        record(
            {
                "canceled": array("the runs", shapes.RUN_ID),
                "dropped": integer("so many runs of batches were still to be made"),
            },
            ("canceled",),
            is_open=True,
        ),
    ),
    reading(
        "run.show",
        "tell all about one run",
        record({"run": string("a run, or six or more letters of its id")}, ("run",)),
        shapes.RUN,
    ),
    reading(
        "run.list",
        "list runs, newest first",
        record(
            {
                "job": string("only runs of this job"),
                "state": choice("only runs in this state", *shapes.RUN_STATES),
                "transient": boolean("only of `clawctl run -- CMD`"),
                "since": time("only those asked for since then"),
                "batch": string("only runs of this batch"),
                "parent": string("only what came of this run at once"),
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
    reading(
        "run.wait",
        "wait until a job or run is so far",
        record(
            {
                "target": string("a job or run"),
                "for": choice("what to wait for", "ready", "running", "stopped", "ended"),
                "timeout_s": number("at most so long", minimum=0, maximum=MAX_DURATION_S),
            },
            ("target",),
        ),
        record(
            {"job": shapes.JOB_NAME, "state": string("its state, or the run's")},
            ("job", "state"),
            description="for a run: what run.show says",
            is_open=True,
        ),
    ),
)
