"""``config show``: the configuration, as TOML that means the same."""

from __future__ import annotations

import json

from claw.cli.terminal import GRAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

    Table = dict[str, Any]


def render(reply: dict[str, Any], style: Style, _now: datetime) -> str:
    """Return the daemon's tables, then those of channels, jobs and workflows."""
    lines = [style.paint(f"# {file}", GRAY) for file in reply["files"]]
    daemon = dict(reply["daemon"])
    others = {name: daemon.pop(name) for name in ("control", "retention") if name in daemon}
    for name, values in {"daemon": daemon, **others}.items():
        lines += _table(name, values)
    lines += _table("locks", reply["locks"])
    lines += _table("defaults", reply["defaults"]) if reply["defaults"] else []
    for table in ("pools", "channels"):
        for name, values in reply[table].items():
            lines += _table(f"{table}.{_key(name)}", values)
    for values in reply["hooks"]:
        lines += ["", "[[hooks]]", *_table("hooks", values)[2:]]
    for table in ("jobs", "workflows"):
        for name, values in reply[table].items():
            own = dict(values)
            lines += ["", style.paint(f"# {own.pop('defined_at')}", GRAY)]
            lines += _table(f"{table}.{_key(name)}", own)[1:]
    return "\n".join(lines).strip()


def _table(name: str, values: Table) -> list[str]:
    inner = {key: value for key, value in values.items() if _is_section(key, value)}
    lines = ["", f"[{name}]"]
    lines += [
        f"{_key(key)} = {as_toml_value(value)}"
        for key, value in values.items()
        if value is not None and key not in inner
    ]
    for key, value in inner.items():
        lines += _table(f"{name}.{_key(key)}", value)
    return lines


_INLINE = frozenset({"env", "headers"})
"""Tables that are written as values: their keys are whatever somebody calls them."""


def _is_section(key: str, value: object) -> bool:
    return isinstance(value, dict) and key not in _INLINE


def as_toml_value(value: object) -> str:
    """Return a value as TOML has it, on one line."""
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(key)} = {as_toml_value(one)}" for key, one in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(as_toml_value(one) for one in value)}]"
    # A JSON string is a TOML basic string; DEL alone has to be escaped besides.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    is_bare = name.replace("-", "").replace("_", "").isalnum() and name.isascii()
    return name if is_bare else json.dumps(name)
