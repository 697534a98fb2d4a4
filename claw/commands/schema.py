"""The part of JSON Schema (2020-12) that claw's own methods need: builders and a checker.

A schema is plain data, so that ``rpc.discover`` and the documents show the very thing
that requests are held against.
"""

from __future__ import annotations

from datetime import datetime

from claw.commands.nearest import did_you_mean
from claw.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Schema = dict[str, Any]


def string(description: str, **more: object) -> Schema:
    """Return the schema of a text."""
    return {"type": "string", "description": description, **more}


def choice(description: str, *words: str) -> Schema:
    """Return the schema of one of some words."""
    return {"type": "string", "description": description, "enum": list(words)}


def time(description: str) -> Schema:
    """Return the schema of an ISO 8601 time with its offset."""
    return {"type": "string", "format": "date-time", "description": description}


def integer(description: str, **more: object) -> Schema:
    """Return the schema of a whole number."""
    return {"type": "integer", "description": description, **more}


def number(description: str, **more: object) -> Schema:
    """Return the schema of a number; durations are seconds."""
    return {"type": "number", "description": description, **more}


def boolean(description: str) -> Schema:
    """Return the schema of true or false."""
    return {"type": "boolean", "description": description}


def array(description: str, items: Schema, **more: object) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "description": description, "items": items, **more}


def mapping(description: str, values: Schema) -> Schema:
    """Return the schema of an object with keys of any name."""
    return {"type": "object", "description": description, "additionalProperties": values}


def nullable(schema: Schema) -> Schema:
    """Return the same schema, null included."""
    return {**schema, "type": [schema["type"], "null"]}


def record(
    properties: Mapping[str, Schema],
    required: tuple[str, ...] = (),
    *,
    description: str = "",
    is_open: bool = False,
) -> Schema:
    """Return the schema of an object with these keys.

    Args:
        properties: Schemas by key.
        required: Keys that must be there.
        description: What it is.
        is_open: Whether further keys are allowed, as in replies, which may grow.
    """
    schema: Schema = {"type": "object", "properties": dict(properties)}
    if description:
        schema["description"] = description
    if required:
        schema["required"] = list(required)
    if not is_open:
        schema["additionalProperties"] = False
    return schema


def check(value: object, schema: Schema, where: str) -> None:
    """Hold a value against a schema.

    Args:
        value: What came.
        schema: What is asked for.
        where: What to call the value in an error.

    Raises:
        UsageError: It does not fit; says where, and the nearest known name of a key.
    """
    _check_type(value, schema, where)
    if "enum" in schema and value is not None and value not in schema["enum"]:
        listed = ", ".join(schema["enum"])
        hint = did_you_mean(str(value), schema["enum"])
        raise UsageError(f"{where} is one of {listed}, not {_show(value)}", hint=hint)
    if isinstance(value, dict):
        _check_object(value, schema, where)
    elif isinstance(value, list):
        _check_array(value, schema, where)
    elif isinstance(value, str):
        _check_text(value, schema, where)
    elif isinstance(value, int | float):
        _check_range(value, schema, where)


def _check_type(value: object, schema: Schema, where: str) -> None:
    wanted = schema.get("type")
    if wanted is None:
        return
    names = [wanted] if isinstance(wanted, str) else wanted
    if not any(_is_of(value, name) for name in names):
        words = " or ".join(_WORDS[name] for name in names)
        raise UsageError(f"{where} has to be {words}, not {_show(value)}")


def _is_of(value: object, name: str) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    return isinstance(value, _TYPES[name])


_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
_WORDS = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def _check_object(value: dict[str, object], schema: Schema, where: str) -> None:
    known: Mapping[str, Schema] = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    for key in schema.get("required", ()):
        if key not in value:
            raise UsageError(f"{where} lacks {key!r}", hint=known[key].get("description", ""))
    for key, inner in value.items():
        if key in known:
            check(inner, known[key], f"{where}: {key!r}")
        elif others is False:
            raise UsageError(f"{where} has no {key!r}", hint=_known_keys(key, known))
        elif isinstance(others, dict):
            check(inner, others, f"{where}: {key!r}")


def _known_keys(key: str, known: Mapping[str, Schema]) -> str:
    if not known:
        return "it takes no parameters"
    return did_you_mean(key, known) or f"it knows {', '.join(known)}"


def _check_array(value: list[object], schema: Schema, where: str) -> None:
    if len(value) < schema.get("minItems", 0):
        raise UsageError(f"{where} is empty")
    most = schema.get("maxItems")
    if most is not None and len(value) > most:
        raise UsageError(f"{where} has at most {most} entries, not {len(value)}")
    for index, item in enumerate(value):
        check(item, schema.get("items", {}), f"{where}[{index}]")


def _check_text(value: str, schema: Schema, where: str) -> None:
    most = schema.get("maxLength")
    if most is not None and len(value) > most:
        raise UsageError(f"{where} is at most {most} letters long, not {len(value)}")
    if schema.get("format") == "date-time" and not _is_aware_time(value):
        hint = "write 2026-12-24T09:00:00+00:00"
        raise UsageError(f"{where} is no ISO 8601 time with its offset: {value!r}", hint=hint)


def _is_aware_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _check_range(value: float, schema: Schema, where: str) -> None:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and value < least:
        raise UsageError(f"{where} is at least {least}, not {_show(value)}")
    if most is not None and value > most:
        raise UsageError(f"{where} is at most {most}, not {_show(value)}")


def _show(value: object) -> str:
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "an object"
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


_SHOWN = 60
