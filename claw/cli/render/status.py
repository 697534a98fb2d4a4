"""``status``: jobs, what they are doing, since when, and what comes next."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.table import Cell, Column, lay_out
from claw.cli.terminal import GRAY, GREEN, RED, YELLOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from claw.cli.terminal import Style

    Job = dict[str, Any]

COLORS = {
    "running": GREEN, "done": GREEN, "succeeded": GREEN,
    "starting": YELLOW, "backoff": YELLOW, "stopping": YELLOW, "waiting": YELLOW,
    "unresponsive": YELLOW, "queued": YELLOW, "claimed": YELLOW,
    "unhealthy": RED, "fatal": RED, "failed": RED, "crashed": RED, "timed_out": RED,
    "stopped": GRAY, "paused": GRAY, "disabled": GRAY, "exited": GRAY, "canceled": GRAY,
    "skipped": GRAY,
}  # fmt: skip
"""Colours of the states of jobs and runs; a state that is not here has none."""

NO_JOBS = "no jobs: `clawctl init` writes a configuration to start from"

_COLUMNS = (
    Column("NAME"),
    Column("STATE"),
    Column("PID", is_right=True),
    Column("UPTIME/LAST"),
    Column("RESTARTS", is_right=True, is_optional=True),
    Column("NEXT", is_optional=True),
    Column("QUEUED", is_right=True, is_optional=True),
    Column("CPU", is_right=True, is_optional=True),
    Column("MEMORY", is_right=True, is_optional=True),
    Column("HEALTH", is_optional=True),
    Column("SOCKETS", is_optional=True),
    Column("PING", is_optional=True),
    Column("WHY", is_optional=True, shrinks=True),
    Column("SAYS", is_optional=True, shrinks=True),
    Column("LAST LINE", is_optional=True, shrinks=True),
)


def render(reply: dict[str, Any], style: Style, now: datetime) -> str:
    """Return the jobs of ``job.status`` as a table."""
    jobs = reply["jobs"]
    if not jobs:
        return NO_JOBS
    return lay_out(_COLUMNS, [_row(job, now) for job in jobs], style)


def _row(job: Job, now: datetime) -> list[Cell | str]:
    return [
        job["name"],
        Cell(job["state"], COLORS.get(job["state"], "")),
        _text(job.get("pid")),
        _since(job, now),
        _text(job.get("restarts") or None),
        when.relative(job.get("next_at"), now),
        _text(job.get("queued") or None),
        _cpu(job.get("cpu_time")),
        size(job.get("memory")),
        _text(job.get("health")) if "memory" in job else "",
        _sockets(job),
        _ping(job, now),
        _text(job.get("why")),
        _text(job.get("status_text")) if "memory" in job else "",
        _text(job.get("last_line")),
    ]


def _sockets(job: Job) -> str:
    """Return where claw listens for a job, for those who ask for more than the least."""
    if "last_line" not in job:
        return ""
    shown = job.get("sockets") or ()
    return " ".join(one["address"] + ("" if one["open"] else " (closed)") for one in shown)


def _ping(job: Job, now: datetime) -> str:
    """Return how the last call to a job's dead-man's switch went, if more is asked for."""
    ping = job.get("ping")
    if not ping or "last_line" not in job:
        return ""
    if ping["done_at"] is None:
        return f"{ping['kind']}, on its way"
    how = "failed" if ping["problem"] else "sent"
    return f"{ping['kind']} {how} {when.relative(ping['done_at'], now)}"


def _since(job: Job, now: datetime) -> str:
    """Return how long a job has been up, or else how its last run ended, and when."""
    if job.get("uptime") is not None:
        return f"up {when.span(job['uptime'])}"
    last = job.get("last")
    if not last:
        return ""
    return f"{ending(last)} {when.relative(last.get('ended_at'), now)}".rstrip()


def ending(run: dict[str, Any]) -> str:
    """Return how a run ended: ``failed (exit 3)``, ``failed (signal 9)``, ``succeeded``."""
    state = str(run["state"])
    if run.get("signal") is not None:
        return f"{state} (signal {run['signal']})"
    if run.get("exit_code"):
        return f"{state} (exit {run['exit_code']})"
    return state


def size(count: int | None) -> str:
    """Return bytes in the largest fitting unit: ``512K``, ``1.5M``."""
    if count is None:
        return ""
    value, units = float(count), "BKMGT"
    for unit in units[:-1]:
        if value < 1000:  # noqa: PLR2004
            return f"{value:.3g}{unit}"
        value /= 1024
    return f"{value:.3g}{units[-1]}"


def _cpu(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.1f}s"


def _text(value: object) -> str:
    return "" if value is None else str(value)
