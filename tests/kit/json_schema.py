"""The part of JSON Schema draft 7 that claw's own schema of claw.toml uses."""

import re
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
_KNOWN = frozenset(
    [
        "$schema",
        "title",
        "description",
        "definitions",
        "default",
        "$ref",
        "allOf",
        "anyOf",
        "not",
        "type",
        "enum",
        "const",
        "pattern",
        "minLength",
        "minimum",
        "maximum",
        "items",
        "minItems",
        "properties",
        "patternProperties",
        "additionalProperties",
        "required",
    ]
)


def accepts(schema: dict[str, Any], value: Any, root: dict[str, Any] | None = None) -> bool:
    """Tell whether a schema accepts a value, as tomllib or json give it."""
    root = schema if root is None else root
    unknown = schema.keys() - _KNOWN
    assert not unknown, f"the checker does not know {unknown}"
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/definitions/")
        return accepts(root["definitions"][name], value, root)
    return (
        all(accepts(one, value, root) for one in schema.get("allOf", []))
        and ("anyOf" not in schema or any(accepts(one, value, root) for one in schema["anyOf"]))
        and not ("not" in schema and accepts(schema["not"], value, root))
        and _is_of_type(schema.get("type"), value)
        and ("enum" not in schema or value in schema["enum"])
        and ("const" not in schema or value == schema["const"])
        and _fits(schema, value)
        and _holds(schema, value, root)
    )


def _is_of_type(wanted: str | list[str] | None, value: Any) -> bool:
    names = [wanted] if isinstance(wanted, str) else wanted or list(_TYPES)
    return any(
        isinstance(value, _TYPES[name]) and (name == "boolean") == isinstance(value, bool)
        for name in names
    )


def _fits(schema: dict[str, Any], value: Any) -> bool:
    if isinstance(value, str):
        return len(value) >= schema.get("minLength", 0) and (
            re.search(schema.get("pattern", ""), value) is not None
        )
    if isinstance(value, int | float):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True


def _holds(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    if isinstance(value, list):
        return len(value) >= schema.get("minItems", 0) and all(
            accepts(schema.get("items", {}), item, root) for item in value
        )
    if isinstance(value, dict):
        return set(schema.get("required", [])) <= value.keys() and all(
            _member(schema, key, item, root) for key, item in value.items()
        )
    return True


def _member(schema: dict[str, Any], key: str, value: Any, root: dict[str, Any]) -> bool:
    if key in schema.get("properties", {}):
        return accepts(schema["properties"][key], value, root)
    for pattern, inner in schema.get("patternProperties", {}).items():
        if re.search(pattern, key):
            return accepts(inner, value, root)
    others = schema.get("additionalProperties", True)
    return others if isinstance(others, bool) else accepts(others, value, root)
