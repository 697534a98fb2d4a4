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
    """Return the daemon's tables, then those of the jobs."""
    lines = [style.paint(f"# {file}", GRAY) for file in reply["files"]]
    daemon = dict(reply["daemon"])
    others = {name: daemon.pop(name) for name in ("control", "retention") if name in daemon}
    for name, values in {"daemon": daemon, **others}.items():
        lines += _table(name, values)
    for name, values in reply["jobs"].items():
        job = dict(values)
        place = job.pop("defined_at")
        lines += ["", style.paint(f"# {place}", GRAY)]
        lines += _table(f"jobs.{_key(name)}", job)[1:]
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


def _is_section(key: str, value: object) -> bool:
    return isinstance(value, dict) and key != "env"


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
