"""The methods about what jobs are: shown, and changed through managed.toml."""

from __future__ import annotations

from claw.commands import shapes
from claw.commands.method import ADMIN, JOB_TARGETS, Method, changing, reading
from claw.commands.schema import (
    array,
    boolean,
    integer,
    mapping,
    nullable,
    record,
    string,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.commands.schema import Schema

_LISTED = {
    "name": shapes.JOB_NAME,
    "type": string("manual, continuous, scheduled or oneshot"),
    "enabled": boolean("whether it begins things"),
    "tags": array("its tags", string("a tag")),
    "schedule": array("when it runs", string("an expression")),
    "run_at": nullable(string("when a oneshot job runs")),
    "command": string("as written"),
    "description": string("what it is"),
    "origin": nullable(string("who made it, if clawctl did: cli:UID")),
    "file": string("where it is defined"),
    "line": integer("and on which line"),
}
_TABLE: Schema = {"type": "object", "description": "its keys, as a file has them"}
_JOBS = mapping("their tables, by name", _TABLE)
_HOW = {
    "dry_run": boolean("only say what would be done"),
    "restart": boolean("false: restart no service to take it in"),
}
_DONE = record(
    {
        "jobs": array("those that were changed", shapes.JOB_NAME),
        "file": string("managed.toml"),
        "toml": string("what it says of them now"),
        "dry_run": boolean("whether nothing was done"),
        "plan": record({}, description="as config.reload answers", is_open=True),
        "left": array(
            "those that were not updated",
            record({"job": string("its name"), "why": string("the reason")}, is_open=True),
        ),
    },
    ("jobs", "file", "toml", "plan"),
    is_open=True,
)
_TAGS = array("tags", string("a tag"), minItems=1)
_CHANGE: Schema = {
    "description": "`KEY=VALUE`, `KEY+=VALUE`, `KEY-=VALUE` or `KEY=`; or the same in parts",
    "type": ["string", "object"],
    "properties": {
        "key": {"type": "string"},
        "op": {"enum": ["=", "+=", "-=", "unset"]},
        "value": {},
    },
    "required": ["key"],
    "additionalProperties": False,
}


def _edit(name: str, summary: str, params: Schema, needed: tuple[str, ...]) -> Method:
    return changing(name, summary, record({**params, **_HOW}, needed), _DONE, role=ADMIN)


DEFINITIONS = (
    reading(
        "job.list",
        "list the jobs and where they are defined",
        record({"targets": JOB_TARGETS}),
        record({"jobs": array("by name", record(_LISTED, is_open=True))}, ("jobs",)),
    ),
    reading(
        "job.definition",
        "tell what a job is, and who says so",
        record({"job": shapes.JOB_NAME}, ("job",)),
        record(
            {
                **_LISTED,
                "values": array(
                    "each value",
                    record(
                        {
                            "key": string("with dots"),
                            "value": {"description": "as the file has it"},
                            "by": string("file, managed or defaults"),
                            "file": string("which one says it"),
                            "line": integer("on which line"),
                        },
                        is_open=True,
                    ),
                ),
                "table": _TABLE,
                "toml": string("the merged job as a file would have it"),
                "managed": nullable(string("what managed.toml says of it")),
            },
            ("name", "values", "toml"),
            is_open=True,
        ),
    ),
    Method(
        "job.validate",
        "tell whether jobs would be taken, together with all others",
        role=ADMIN,
        params=record({"jobs": _JOBS}, ("jobs",)),
        result=_DONE,
    ),
    _edit(
        "job.add",
        "add jobs, all or none",
        {
            "jobs": _JOBS,
            "update": boolean(
                "also change those that were imported from the same file and not changed since"
            ),
            "unnamed": array(
                "those whose names were made for them: what was imported from the same file "
                "and says the same is the same job, and keeps its name",
                shapes.JOB_NAME,
            ),
        },
        ("jobs",),
    ),
    _edit(
        "job.set",
        "change some keys of jobs",
        {"targets": JOB_TARGETS, "changes": array("in order", _CHANGE, minItems=1)},
        ("targets", "changes"),
    ),
    _edit(
        "job.replace",
        "replace what managed.toml says of a job",
        {
            "job": shapes.JOB_NAME,
            "table": _TABLE,
            "was": string("refuse unless this is what it says, as `managed` had it"),
        },
        ("job", "table"),
    ),
    _edit(
        "job.remove",
        "remove jobs that were added; their history stays",
        {
            "targets": JOB_TARGETS,
            "override": boolean("what managed.toml says over jobs of other files"),
        },
        ("targets",),
    ),
    _edit(
        "job.tag",
        "give jobs more tags",
        {"targets": JOB_TARGETS, "tags": _TAGS},
        ("targets", "tags"),
    ),
    _edit(
        "job.untag",
        "take tags from jobs",
        {"targets": JOB_TARGETS, "tags": _TAGS},
        ("targets", "tags"),
    ),
    _edit("job.enable", "have jobs begin things again", {"targets": JOB_TARGETS}, ("targets",)),
    _edit(
        "job.disable",
        "have jobs begin nothing new",
        {"targets": JOB_TARGETS},
        ("targets",),
    ),
)
