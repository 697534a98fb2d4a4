"""``workflow graph``: the steps of a workflow, drawn, or as text for Graphviz or Mermaid."""

from __future__ import annotations

import json
import sys

from claw.cli.drawing import Box, draw
from claw.cli.render.status import COLORS
from claw.cli.terminal import GRAY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

    Step = dict[str, Any]

_MOST = 60
"""More steps are no picture any more."""

_MARKS = {
    "succeeded": "✓", "failed": "✗", "timed_out": "✗", "crashed": "✗", "canceled": "✗",
    "running": "▸", "claimed": "▸", "retry_wait": "↻", "queued": "…",
    "awaiting_approval": "?", "skipped": "✗", "missed": "✗", "left out": "-", None: "○",
}  # fmt: skip
_PLAIN_MARKS = {
    "succeeded": "ok", "failed": "!!", "timed_out": "!!", "crashed": "!!", "canceled": "!!",
    "running": ">>", "claimed": ">>", "retry_wait": "~~", "queued": "..",
    "awaiting_approval": "??", "skipped": "!!", "missed": "!!", "left out": "--", None: "  ",
}  # fmt: skip
_FILLS = {
    "succeeded": "palegreen", "failed": "lightcoral", "timed_out": "lightcoral",
    "crashed": "lightcoral", "canceled": "lightcoral", "running": "lightblue",
    "claimed": "lightblue", "retry_wait": "khaki", "queued": "khaki",
    "awaiting_approval": "khaki",
}  # fmt: skip


def render(reply: dict[str, Any], style: Style, _now: datetime) -> str:
    """Return the drawing; where there is no room for it, a list."""
    found = drawing_of(reply, style, is_unicode=_is_unicode())
    if found is not None:
        return found
    return "\n".join(
        f"{step['name']}{' needs ' if step['needs'] else ''}{', '.join(step['needs'])}"
        for step in reply["steps"]
    )


def drawing(reply: dict[str, Any], style: Style) -> str | None:
    """Return the drawing; None: there is no room for it, or it would tell nothing."""
    return drawing_of(reply, style, is_unicode=_is_unicode())


def drawing_of(reply: dict[str, Any], style: Style, *, is_unicode: bool) -> str | None:
    """Return the drawing, with letters of one kind or the other."""
    steps = {step["name"]: step for step in reply["steps"]}
    if len(steps) > _MOST:
        return None
    boxes = [
        Box(name, _label(step, is_unicode=is_unicode), step["needs"])
        for name, step in steps.items()
    ]

    def paint(name: str, label: str) -> str:
        state = _state(steps[name])
        return style.paint(label, COLORS.get(str(state), GRAY))

    lines = draw(boxes, width=style.width, is_unicode=is_unicode, paint=paint)
    return None if lines is None else "\n".join(lines)


def _is_unicode() -> bool:
    encoding = getattr(sys.stdout, "encoding", None) or ""
    return encoding.lower().replace("-", "") in {"utf8", "utf16", "utf32"}


def _state(step: Step) -> str | None:
    return "left out" if step["left_out"] else step["state"]


def _label(step: Step, *, is_unicode: bool) -> str:
    marks = _MARKS if is_unicode else _PLAIN_MARKS
    mark = marks.get(_state(step), "○" if is_unicode else "  ")
    text = f"{mark} {step['name']}" if is_unicode else f"[{mark}] {step['name']}"
    return text + _condition(step)


def _condition(step: Step) -> str:
    parts = [] if step["on"] == "success" else [f"on {step['on']}"]
    parts += [step["when"]] if step["when"] else []
    return f" ({', '.join(parts)})" if parts else ""


def dot(reply: dict[str, Any]) -> str:
    """Return the steps as Graphviz reads them."""
    lines = [f"digraph {json.dumps(reply['job'])} {{", "  node [shape=box, style=filled];"]
    for step in reply["steps"]:
        fill = _FILLS.get(str(_state(step)), "white")
        label = f"{step['name']}{_condition(step)}"
        lines.append(
            f"  {json.dumps(step['name'])} [label={json.dumps(label)}, fillcolor={fill}];"
        )
    for step in reply["steps"]:
        lines += [
            f"  {json.dumps(need)} -> {json.dumps(step['name'])};" for need in step["needs"]
        ]
    return "\n".join([*lines, "}"])


def mermaid(reply: dict[str, Any]) -> str:
    """Return the steps as Mermaid reads them."""
    numbers = {step["name"]: f"s{no}" for no, step in enumerate(reply["steps"])}
    lines = ["graph TD"]
    for step in reply["steps"]:
        label = f"{step['name']}{_condition(step)}".replace('"', "#quot;")
        lines.append(f'  {numbers[step["name"]]}["{label}"]')
    for step in reply["steps"]:
        arrow = "-->" if step["on"] == "success" else f"-- {step['on']} -->"
        lines += [f"  {numbers[one]} {arrow} {numbers[step['name']]}" for one in step["needs"]]
    for step in reply["steps"]:
        fill = _FILLS.get(str(_state(step)))
        if fill:
            lines.append(f"  style {numbers[step['name']]} fill:{fill}")
    return "\n".join(lines)
