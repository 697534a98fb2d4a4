"""The methods about jobs that follow each other."""

from __future__ import annotations

from claw.commands import shapes
from claw.commands.method import reading
from claw.commands.schema import (
    array,
    boolean,
    choice,
    integer,
    nullable,
    number,
    record,
    string,
)

_RULE = record(
    {
        "after": array("the jobs that it follows", shapes.JOB_NAME),
        "on": choice("after which ends", "success", "failure", "complete"),
        "delay_s": number("due so long after the end"),
        "when": nullable(string("what else has to hold")),
        "join": nullable(choice("of several jobs: after all of them, or any", "all", "any")),
        "max_fanout": integer("skipped if it is a later one of those that follow one end"),
    },
    ("after", "on", "delay_s", "when", "join", "max_fanout"),
    description="its trigger; null: it has none",
    is_open=True,
)
_STEP = record(
    {
        "name": string("the step"),
        "job": shapes.JOB_NAME,
        "needs": array("the steps that it needs", string("a step")),
        "on": choice("after which ends of these", "success", "failure", "complete"),
    },
    ("name", "job", "needs", "on"),
    is_open=True,
)
_NODE = record(
    {
        "name": shapes.JOB_NAME,
        "title": string("its name for people"),
        "type": choice("when it runs", *shapes.JOB_TYPES),
        "enabled": boolean("something new of it may begin"),
        "trigger": nullable(_RULE),
        "steps": array("a workflow's, in their order", _STEP),
        "next": array("the jobs that follow it, by name", shapes.JOB_NAME),
    },
    ("name", "title", "type", "enabled", "trigger", "steps", "next"),
    is_open=True,
)

TRIGGERS = (
    reading(
        "job.tree",
        "tell which jobs follow which",
        record({"job": string("only this one and what follows it; left out: all that do")}),
        record(
            {
                "roots": array("where to begin, by name", shapes.JOB_NAME),
                "jobs": array("each once, by name", _NODE),
            },
            ("roots", "jobs"),
            is_open=True,
        ),
    ),
)
