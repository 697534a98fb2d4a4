"""docs/reference/protocol.md: a hand-written head, methods out of `claw.commands.methods`."""

from pathlib import Path
from typing import Any

from claw.commands.method import Method
from claw.commands.methods import METHODS

_HEAD = Path(__file__).with_name("protocol.head.md")
Schema = dict[str, Any]


def protocol_page() -> str:
    """Return the page."""
    parts = [_HEAD.read_text(encoding="utf-8").rstrip()]
    parts += [_method(method) for method in METHODS.values()]
    return "\n\n".join(parts) + "\n"


def _method(method: Method) -> str:
    first = f"{method.summary[0].upper()}{method.summary[1:]}. Role: {method.role}."
    parts = [f"### `{method.name}`", first]
    if method.params["properties"]:
        parts.append(_table("parameter", method.params))
    if method.result.get("properties"):
        parts.append(_table("result", method.result))
    for name, schema in method.sends.items():
        parts.append(f"Sends `{name}`:")
        parts.append(_table("field", schema))
    return "\n\n".join(parts)


def _table(title: str, schema: Schema) -> str:
    required = schema.get("required", ())
    lines = [f"| {title} | type | meaning |", "| --- | --- | --- |"]
    for name, inner in schema["properties"].items():
        must = title == "parameter" and name in required
        label = f"**`{name}`**" if must else f"`{name}`"
        lines.append(f"| {label} | {_type(inner)} | {_meaning(inner)} |")
    return "\n".join(lines)


def _type(schema: Schema) -> str:
    """Return a type in a few words: ``list of string``, ``time or null``."""
    names = schema.get("type", "any")
    names = [names] if isinstance(names, str) else names
    return " or ".join(_type_name(name, schema) for name in names)


def _type_name(name: str, schema: Schema) -> str:
    if name == "array":
        return f"list of {_type(schema['items'])}"
    return "time" if schema.get("format") == "date-time" else name


def _meaning(schema: Schema) -> str:
    """Return what a value means: its description, its words, its fields."""
    text = schema.get("description", "")
    if "enum" in schema:
        text += ": " + ", ".join(f"`{word}`" for word in schema["enum"])
    inner = schema.get("items", schema)
    if inner.get("properties"):
        text += ": " + ", ".join(f"`{name}`" for name in inner["properties"])
    return str(text).replace("|", "\\|")
