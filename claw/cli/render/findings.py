"""``doctor``: a line for each finding, what to do below it, and the sum."""

from __future__ import annotations

from claw.cli.terminal import GRAY, GREEN, RED, YELLOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

_COLORS = {"pass": GREEN, "warn": YELLOW, "fail": RED, "skip": GRAY}


def render(reply: dict[str, Any], style: Style, _now: datetime) -> str:
    """Return the lines."""
    found = reply["findings"]
    width = max((len(one["check"]) for one in found), default=0)
    lines = []
    for one in found:
        level = style.paint(one["level"].upper(), _COLORS.get(one["level"], ""))
        lines.append(f"{level}  {one['check']:{width}}  {one['text']}")
        if one["fix"]:
            lines.append(f"      {'':{width}}  -> {one['fix']}")
    return "\n".join([*lines, _sum(found)])


def _sum(found: list[dict[str, Any]]) -> str:
    levels = [one["level"] for one in found]
    said = [
        f"{count} {word}{'s' * (count != 1)}"
        for word, level in (("failure", "fail"), ("warning", "warn"))
        if (count := levels.count(level))
    ]
    return ", ".join(said) or "nothing is wrong"
