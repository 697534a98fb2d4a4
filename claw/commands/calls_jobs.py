"""The methods about jobs."""

from __future__ import annotations

from claw.commands import shapes
from claw.commands.method import (
    ADMIN,
    FORCE,
    JOB_TARGETS,
    TARGETS,
    Method,
    changing,
    on_targets,
    reading,
)
from claw.commands.schema import (
    array,
    boolean,
    choice,
    integer,
    mapping,
    nullable,
    record,
    string,
    time,
)

_NEXT = record(
    {
        "job": shapes.JOB_NAME,
        "type": string("its type"),
        "timezone": string("the zone of its schedule"),
        "schedule": array("its expressions", string("one")),
        "fires": array(
            "the next slots, those whose run waits already first",
            record(
                {
                    "slot_at": time("the fire time"),
                    "begins_at": nullable(time("when its run begins; null: it will not")),
                    "run": nullable(string("the run that stands for it already")),
                    "why": nullable(string("jitter, hours, a pause: in words")),
                },
                ("slot_at", "begins_at"),
            ),
        ),
    },
    ("job", "fires"),
    is_open=True,
)
_COUNT = integer("instances", minimum=1, maximum=1000)

JOBS = (
    reading(
        "job.status",
        "tell how jobs are doing",
        record(
            {
                "targets": array("which jobs; all when left out", string("a target")),
                "tag": string("only jobs with this tag"),
                "type": choice("only jobs of this type", *shapes.JOB_TYPES),
                "state": string("only jobs in this state"),
                "text": string("only jobs with this text in name, description or command"),
                "verbose": boolean("with use of processor and memory, and the last line"),
            }
        ),
        record({"jobs": array("by name", shapes.JOB), "warnings": shapes.WARNINGS}, ("jobs",)),
    ),
    on_targets("job.start", "release from stop or pause, and start", force=FORCE),
    on_targets(
        "job.stop",
        "end the runs and begin none until started",
        force=boolean("with SIGKILL at once, without the job's grace period"),
    ),
    on_targets(
        "job.restart",
        "end the child and start it anew, instances in turn",
        force=FORCE,
        batch=integer("so many instances at a time; 1 when left out", minimum=1),
        all_at_once=boolean("all instances at once"),
    ),
    changing(
        "job.scale",
        "have so many instances of services",
        record(
            {
                "counts": mapping(
                    "how many, by job", integer("instances", minimum=1, maximum=1000)
                )
            },
            ("counts",),
        ),
        shapes.ACTED,
    ),
    on_targets("job.pause", "begin nothing new; what runs goes on"),
    on_targets("job.resume", "take up what was paused"),
    changing(
        "job.signal",
        "send a signal to the children",
        record(
            {"signal": string("a name such as HUP, or a number"), "targets": TARGETS},
            ("signal", "targets"),
        ),
        shapes.ACTED,
    ),
    changing(
        "job.reload",
        "have the children read their settings again",
        record({"targets": TARGETS}, ("targets",)),
        shapes.ACTED,
    ),
    Method(
        "job.attach",
        "let this connection type at a child",
        role=ADMIN,
        params=record({"target": string("a job, an instance, or a run")}, ("target",)),
        result=record(
            {
                "job": string("the job, or the instance"),
                "run": shapes.RUN_ID,
                "pid": nullable(integer("the child")),
                "tty": boolean("whether it runs on a terminal"),
            },
            ("job", "run", "tty"),
        ),
        is_mutating=True,
    ),
    Method(
        "job.type",
        "give an attached child something to read",
        role=ADMIN,
        params=record(
            {
                "run": shapes.RUN_ID,
                "data": string(
                    "each letter stands for the byte of its number", maxLength=65536
                ),
            },
            ("run", "data"),
        ),
        result=record(
            {"taken": integer("bytes that there was room for; send the others again later")},
            ("taken",),
        ),
    ),
    Method(
        "job.resize",
        "say how large the terminal of an attached child is",
        role=ADMIN,
        params=record(
            {
                "run": shapes.RUN_ID,
                "rows": integer("its height", minimum=1, maximum=65535),
                "columns": integer("its width", minimum=1, maximum=65535),
            },
            ("run", "rows", "columns"),
        ),
        result=record({}),
    ),
    reading(
        "job.search",
        "find jobs by a text",
        record({"text": string("in name, description, command or tag")}, ("text",)),
        record(
            {
                "jobs": array(
                    "those that have it",
                    record(
                        {
                            "name": shapes.JOB_NAME,
                            "description": string("what it is"),
                            "command": string("as written"),
                            "tags": array("its tags", string("a tag")),
                            "file": string("where it is defined"),
                        },
                        is_open=True,
                    ),
                )
            },
            ("jobs",),
        ),
    ),
    reading(
        "job.why",
        "explain a state, cause by cause, and what to type next",
        record({"target": string("a job or run"), "at": time("how it was then")}, ("target",)),
        record({"lines": array("the explanation", string("one line"))}, ("lines",)),
    ),
    reading(
        "job.next",
        "foresee the next times of jobs, as things are",
        record(
            {
                "targets": JOB_TARGETS,
                "count": integer("so many of each; 5 when left out", minimum=1, maximum=1000),
            },
            ("targets",),
        ),
        record({"jobs": array("in the order asked for", _NEXT)}, ("jobs",)),
    ),
)
