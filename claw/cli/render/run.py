"""``runs show``: one run with its attempts."""

from __future__ import annotations

import json

from claw.cli.render import when
from claw.cli.render.runs import exit_of, name_of
from claw.cli.render.status import COLORS, size
from claw.cli.render.table import Column, clean, lay_out
from claw.cli.terminal import GRAY
from claw.model.units import format_duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

_WIDEST = 500
_WORDS = 10
_COLUMNS = (
    Column("ATTEMPT", is_right=True),
    Column("CAUSE"),
    Column("PID", is_right=True),
    Column("EXIT", is_right=True, is_optional=True),
    Column("STARTED", is_optional=True),
    Column("ENDED", is_optional=True),
    Column("CPU", is_right=True, is_optional=True),
    Column("MEMORY", is_right=True, is_optional=True),
    Column("ERROR", is_optional=True, shrinks=True),
)


def render(run: dict[str, Any], style: Style, now: datetime) -> str:
    """Return what is known of a run, line by line, then its attempts."""
    facts = [
        ("run", run["id"]),
        ("job", name_of(run)),
        ("state", style.paint(run["state"], COLORS.get(run["state"], ""))),
        ("waits for" if run.get("waiting_for") else "reason", run.get("reason")),
        ("next try", _next_try(run, now)),
        ("note", run.get("note")),
        ("approval", _approval(run, now)),
        ("dead letter", _dead_letter(run, now)),
        ("command", run.get("command")),
        ("folder", run.get("cwd")),
        ("user", run.get("user")),
        ("origin", run.get("origin")),
        ("parent", run.get("parent")),
        ("depth", run.get("depth") or None),
        ("replay of", run.get("replay_of")),
        ("asked by", run.get("asked_by")),
        ("pid", run.get("pid")),
        ("exit", exit_of(run)),
        ("slot", when.both(run.get("slot_at"), now)),
        ("queued", when.both(run.get("queued_at"), now)),
        ("started", when.both(run.get("started_at"), now)),
        ("ended", when.both(run.get("ended_at"), now)),
        ("took", _took(run)),
        ("result", _result(run)),
        ("arguments", " ".join(run.get("args") or ())),
        ("environment", ", ".join(run.get("env") or ())),
        ("supervisor", run.get("supervisor_pid")),
    ]
    lines = [
        f"{style.paint(f'{name:12}', GRAY)} {value if name == 'state' else clean(str(value))}"
        for name, value in facts
        if value not in (None, "")
    ]
    attempts = [_row(attempt) for attempt in run.get("attempts") or ()]
    if attempts:
        lines += ["", lay_out(_COLUMNS, attempts, style)]
    if run.get("excerpt"):
        words = run["excerpt"].splitlines()[-_WORDS:]
        lines += ["", style.paint("its last words", GRAY), *map(clean, words)]
    return "\n".join(lines)


def _result(run: dict[str, Any]) -> str:
    if run.get("result") is None:
        return ""
    text = json.dumps(run["result"], ensure_ascii=False)
    return clean(text if len(text) <= _WIDEST else f"{text[:_WIDEST]}...")


def _took(run: dict[str, Any]) -> str:
    return "" if run.get("duration") is None else format_duration(run["duration"])


def _next_try(run: dict[str, Any], now: datetime) -> str:
    return when.both(run.get("due_at"), now) if run["state"] == "retry_wait" else ""


def _approval(run: dict[str, Any], now: datetime) -> str:
    """Return what was decided before the run began, by whom, when and why."""
    asked = run.get("approval") or {}
    if not asked.get("decision"):
        return ""
    by = f" by {asked['decided_by']}" if asked.get("decided_by") else ""
    why = f": {asked['reason']}" if asked.get("reason") else ""
    return clean(f"{asked['decision']}{by}, {when.both(asked['decided_at'], now)}{why}")


def _dead_letter(run: dict[str, Any], now: datetime) -> str:
    """Return since when, and why, a run is a dead letter, or what has become of it."""
    if run.get("reinjected_as"):
        return f"reinjected as {run['reinjected_as']}"
    if not run.get("dead_at"):
        return ""
    return f"{run.get('dead_why')}, {when.both(run['dead_at'], now)}"


def _row(attempt: dict[str, Any]) -> list[str]:
    cpu_s = attempt.get("cpu_time")
    return [
        str(attempt["no"]),
        attempt.get("cause") or "",
        str(attempt.get("pid") or ""),
        exit_of(attempt),
        when.local(attempt.get("started_at")),
        when.local(attempt.get("ended_at")),
        "" if cpu_s is None else f"{cpu_s:.2f}s",
        size(attempt.get("max_memory")),
        attempt.get("error") or "",
    ]
