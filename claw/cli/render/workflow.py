"""``workflow show``: how it stands, its steps as a drawing, and each with what it has done."""

from __future__ import annotations

from claw.cli.render import flowgraph, when
from claw.cli.render.runs import exit_of
from claw.cli.render.status import COLORS
from claw.cli.render.table import Cell, Column, clean, lay_out
from claw.cli.terminal import GRAY
from claw.model import ids
from claw.model.units import format_duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

_COLUMNS = (
    Column("STEP"),
    Column("STATE"),
    Column("RUN", is_optional=True),
    Column("JOB", is_optional=True),
    Column("EXIT", is_right=True, is_optional=True),
    Column("WHEN", is_optional=True),
    Column("TOOK", is_right=True, is_optional=True),
    Column("TRIES", is_right=True, is_optional=True),
    Column("NEEDS", is_optional=True),
    Column("REASON", is_optional=True, shrinks=True),
)


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return all about a workflow."""
    parts = [_head(reply, style, now)]
    drawn = flowgraph.drawing(reply, style)
    parts += ["", drawn] if drawn else []
    rows = [_row(step, reply["job"], now, is_drawn=bool(drawn)) for step in reply["steps"]]
    return "\n".join([*parts, "", lay_out(_COLUMNS, rows, style)])


def _head(reply: dict[str, Any], style: Style, now: datetime) -> str:
    if reply["run"] is None:
        return f"workflow {reply['job']} has never run: clawctl run {reply['job']}"
    state = style.paint(reply["state"], COLORS.get(reply["state"], ""))
    text = f"workflow {ids.short(reply['id'])} {reply['job']} {state}"
    if reply["reason"]:
        text += f": {clean(reply['reason'])}"
    at = reply["ended_at"] or reply["started_at"] or reply["queued_at"]
    text += f", {when.relative(at, now)}"
    if reply["duration"] is not None:
        text += f", took {format_duration(round(reply['duration'], 1))}"
    if len(reply["runs"]) > 1:
        text += f", run {len(reply['runs'])} times: {ids.short(reply['run'])} is the last"
    return text


def state_of(step: dict[str, Any]) -> str:
    """Return how a step stands, for people."""
    if step["state"] is None:
        return "to come"
    return "left out" if step["left_out"] else str(step["state"])


def _row(
    step: dict[str, Any], workflow: str, now: datetime, *, is_drawn: bool
) -> list[Cell | str]:
    state = state_of(step)
    took, tries = step["duration"], step["attempt"]
    at = step["ended_at"] or step["started_at"]
    return [
        step["name"],
        Cell(state, COLORS.get(state, GRAY)),
        "" if step["run"] is None or step["left_out"] else ids.short(step["run"]),
        "" if step["job"] in {step["name"], f"{workflow}.{step['name']}"} else step["job"],
        exit_of(step),
        "" if step["left_out"] else when.relative(at, now),
        format_duration(round(took, 1)) if took is not None else "",
        str(tries) if tries > 1 else "",
        "" if is_drawn else " ".join(step["needs"]),
        step["reason"] or "",
    ]


def progress(step: dict[str, Any]) -> str:
    """Return what is worth saying of a step that has begun, '' when it has not."""
    state = step["state"]
    if state in {None, "queued", "claimed"} and not step["reason"]:
        return ""
    text = f"{step['name']}: {state_of(step).replace('_', ' ')}"
    if state == "running":
        tries = f", attempt {step['attempt']}" if step["attempt"] > 1 else ""
        return f"{text}{tries}: clawctl logs {ids.short(step['run'])}"
    took = step["duration"]
    parts = [text]
    if took is not None:
        parts.append(format_duration(round(took, 1)))
    if step["reason"]:
        parts.append(clean(step["reason"]))
    return ", ".join(parts)


def how_far(reply: dict[str, Any]) -> str:
    """Return how far a workflow is, on one line."""
    steps = reply["steps"]
    done = sum(step["ended_at"] is not None or step["left_out"] for step in steps)
    busy = [step["name"] for step in steps if step["state"] in {"claimed", "running"}]
    text = f"{reply['job']}: {done} of {len(steps)} steps done"
    return f"{text}, now {', '.join(busy)}" if busy else text
