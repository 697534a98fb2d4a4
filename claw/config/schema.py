"""The JSON Schema of claw.toml, for editors: a fold over the table of fields.

Draft 7, which is what TOML language servers read.
"""

import json

from claw.config.fields import (
    BACKUP,
    CHANNEL,
    CONTROL,
    DAEMON,
    HOOK,
    JOB,
    LOCKS,
    POOL,
    RETENTION,
    SECRETS,
)
from claw.config.table import Field, Section
from claw.config.workflowfields import STEP, WORKFLOW
from claw.model.ids import JOB_NAME
from claw.model.workflow import STEP_NAME

Schema = dict[str, object]

_PROGRAMS: Schema = {"not": {"required": ["command", "argv"]}}
"""A job has one of the two, at most: ``[defaults]`` may supply it."""


def schema() -> Schema:
    """Return the schema of a whole configuration file."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "claw",
        "description": "claw.toml and jobs.d/*.toml",
        "type": "object",
        "additionalProperties": False,
        "definitions": {"job": _table(JOB)},
        "properties": {
            "daemon": _table(DAEMON),
            "control": _table(CONTROL),
            "retention": _table(RETENTION),
            "pools": {
                "description": "The pools, by name.",
                "type": "object",
                "additionalProperties": False,
                "patternProperties": {f"^{JOB_NAME.pattern}$": _table(POOL)},
            },
            "locks": _table(LOCKS),
            "secrets": _table(SECRETS),
            "backup": _table(BACKUP),
            "channels": {
                "description": "Where messages go, by name.",
                "type": "object",
                "additionalProperties": False,
                "patternProperties": {f"^{JOB_NAME.pattern}$": _table(CHANNEL)},
            },
            "hooks": {
                "description": "What is told of events.",
                "type": "array",
                "items": _table(HOOK),
            },
            "defaults": {"$ref": "#/definitions/job"},
            "jobs": {
                "description": "The jobs, by name.",
                "type": "object",
                "additionalProperties": False,
                "patternProperties": {
                    f"^{JOB_NAME.pattern}$": {
                        "allOf": [{"$ref": "#/definitions/job"}, _PROGRAMS]
                    }
                },
            },
            "workflows": {
                "description": "The workflows, by name.",
                "type": "object",
                "additionalProperties": False,
                "patternProperties": {f"^{JOB_NAME.pattern}$": _workflow()},
            },
        },
    }


def _workflow() -> Schema:
    steps: Schema = {
        "description": "The steps, by name.",
        "type": "object",
        "additionalProperties": False,
        "minProperties": 1,
        "patternProperties": {f"^{STEP_NAME.pattern}$": _table(STEP)},
    }
    found = _table(WORKFLOW)
    properties = dict(found["properties"])  # type: ignore[call-overload]
    return {**found, "properties": {**properties, "steps": steps}, "required": ["steps"]}


def schema_text() -> str:
    """Return the schema as contrib/claw.schema.json holds it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _table(section: Section) -> Schema:
    properties = {field.name: _property(field) for field in section.fields.values()}
    properties |= {name: _table(table) for name, table in section.tables.items()}
    return {
        "description": section.doc,
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
    }


def _property(field: Field[object]) -> Schema:
    found: Schema = {"description": field.doc, **field.kind.schema}
    if field.written is not None and not field.shown:
        found["default"] = field.written
    return found
