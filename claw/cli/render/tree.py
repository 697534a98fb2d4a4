"""``job tree``: jobs, and below each its steps and the jobs that follow it."""

from __future__ import annotations

from claw.model.units import format_duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

NONE = "no job follows another: [jobs.NAME.trigger] says after which one a job runs"


def render(reply: dict[str, Any], _style: Style, _now: datetime) -> str:
    """Return a tree for each job with which one begins."""
    nodes = {one["name"]: one for one in reply["jobs"]}
    lines: list[str] = []
    seen: set[str] = set()
    for root in reply["roots"]:
        node = nodes[root]
        mark = f" {marks(node)}" if node["trigger"] else ""
        lines += [f"{root}{_state(node)}{mark}", *_steps(node, "")]
        lines += _below(node, nodes, seen, "")
    return "\n".join(lines) or NONE


def _below(
    node: dict[str, Any], nodes: dict[str, dict[str, Any]], seen: set[str], lead: str
) -> Iterator[str]:
    """Yield the lines of what follows a job; what is drawn already only by name."""
    for name in node["next"]:
        one, is_last = nodes[name], name == node["next"][-1]
        is_known = name in seen and bool(one["next"])
        seen.add(name)
        above = "  (see above)" if is_known else ""
        branch = "└─ " if is_last else "├─ "
        yield f"{lead}{branch}{name}{_state(one)} {marks(one)}{above}"
        if not is_known:
            beneath = lead + ("   " if is_last else "│  ")
            yield from _steps(one, beneath)
            yield from _below(one, nodes, seen, beneath)


def _steps(node: dict[str, Any], lead: str) -> Iterator[str]:
    """Yield the lines of a workflow's steps, before those of what follows it."""
    bar = "│" if node["next"] else " "
    for step in node["steps"]:
        needs = f" needs {', '.join(step['needs'])}" if step["needs"] else ""
        on = f" [on:{step['on']}]" if step["needs"] and step["on"] != "success" else ""
        job = "" if step["job"].endswith(f".{step['name']}") else f" = {step['job']}"
        yield f"{lead}{bar}  · {step['name']}{job}{needs}{on}"


def _state(node: dict[str, Any]) -> str:
    return "" if node["enabled"] else " (disabled)"


def marks(node: dict[str, Any]) -> str:
    """Return what is drawn beside a job that follows others."""
    rule = node["trigger"]
    words = [f"[on:{rule['on']}]"]
    if rule["delay_s"]:
        words.append(f"(+{format_duration(rule['delay_s'])})")
    if rule["when"]:
        words.append(f"when {rule['when']}")
    if len(rule["after"]) > 1:
        words.append(f"{rule['join']} of {', '.join(rule['after'])}")
    return " ".join(words)
