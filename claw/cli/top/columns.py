"""What the tables of jobs, runs, dead letters and definitions show."""

from __future__ import annotations

from claw.cli.render import when
from claw.cli.render.runs import exit_of, name_of
from claw.cli.render.status import COLORS, ending, size
from claw.cli.terminal import RED
from claw.cli.top.listing import Column, Listing
from claw.model import ids
from claw.model.units import format_duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from claw.cli.top.listing import Row

STATES = (
    "fatal", "failed", "unhealthy", "unresponsive", "backoff", "stopping", "starting",
    "waiting", "running", "paused", "stopped", "exited", "disabled", "planned", "scheduled",
    "done",
)  # fmt: skip
"""States of jobs, those first that somebody should look at."""
BUSY = frozenset(STATES[: STATES.index("running") + 1])
"""States in which something runs, or should."""
_URGENCY = {state: at for at, state in enumerate(STATES)}


def jobs() -> Listing:
    """Return the table of jobs."""
    columns = (
        Column("name", lambda job, _: job["name"], key=_name, width=40),
        Column("state", _state, key=lambda job: _URGENCY.get(job["state"], 0), width=12),
        Column("pid", _pid, key=lambda job: job.get("pid"), rank=5, is_right=True),
        Column(
            "cpu%", _load, key=lambda job: job.get("load"),
            width=6, rank=6, is_right=True, is_descending=True,
        ),
        Column(
            "memory", lambda job, _: size(job.get("memory")), key=lambda job: job.get("memory"),
            width=6, rank=7, is_right=True, is_descending=True,
        ),
        Column("up/last", _since, key=_changed_at, width=22, rank=2, is_descending=True),
        Column(
            "restarts", lambda job, _: str(job.get("restarts") or ""),
            key=lambda job: job.get("restarts"), rank=9, is_right=True, is_descending=True,
        ),
        Column("next", _next, key=lambda job: job.get("next_at"), width=11, rank=3),
        Column(
            "queued", lambda job, _: str(job.get("queued") or ""),
            key=lambda job: job.get("queued"), rank=8, is_right=True, is_descending=True,
        ),
        Column("health", lambda job, _: job.get("health") or "", key=_health, rank=10),
        Column(
            "type", lambda job, _: job["type"], key=lambda job: job["type"], rank=11,
            is_chosen=False,
        ),
        Column("tags", _tags, key=_tags_key, width=24, rank=12),
        Column(
            "processes", lambda job, _: str(job.get("processes") or ""),
            key=lambda job: job.get("processes"), rank=13, is_right=True, is_descending=True,
            is_chosen=False,
        ),
        Column("why", lambda job, _: job.get("why") or "", width=-1, rank=4),
        Column(
            "last line", lambda job, _: job.get("last_line") or "", width=-1, rank=14,
            is_chosen=False,
        ),
    )  # fmt: skip
    found = Listing(
        columns, _name, _job_words, "no jobs: `clawctl init` writes some to start from"
    )
    found.sort_by("name")
    return found


def runs() -> Listing:
    """Return the table of runs."""
    columns = (
        Column("run", lambda run, _: ids.short(run["id"])),
        Column("job", lambda run, _: name_of(run), key=name_of, width=40),
        Column("state", _state, key=lambda run: run["state"], width=17),
        Column("exit", lambda run, _: exit_of(run) if run.get("ended_at") else "", rank=5),
        Column("when", _when, key=_run_at, width=11, rank=2, is_descending=True),
        Column(
            "took", _took, key=lambda run: run.get("duration"),
            rank=3, is_right=True, is_descending=True,
        ),
        Column(
            "tries", lambda run, _: str(run["attempt"]) if run.get("attempt", 0) > 1 else "",
            key=lambda run: run.get("attempt"), rank=6, is_right=True, is_descending=True,
        ),
        Column("origin", lambda run, _: run.get("origin") or "", rank=7, width=24),
        Column("reason", lambda run, _: run.get("reason") or "", width=-1, rank=4),
    )  # fmt: skip
    return Listing(columns, _id, _run_words, "no runs", is_newest_first=True)


def dead() -> Listing:
    """Return the table of dead letters."""
    columns = (
        Column("run", lambda run, _: ids.short(run["id"])),
        Column("job", lambda run, _: name_of(run), key=name_of, width=40),
        Column(
            "since", lambda run, now: when.relative(run["dead_at"], now),
            key=lambda run: run["dead_at"], width=11, rank=1, is_descending=True,
        ),
        Column("state", _state, key=lambda run: run["state"], width=12, rank=2),
        Column("exit", lambda run, _: exit_of(run), rank=3),
        Column("tries", lambda run, _: str(run["attempt"]), rank=4, is_right=True),
        Column("arguments", lambda run, _: " ".join(run.get("args") or ()), width=30, rank=5),
        Column("why", lambda run, _: run.get("dead_why") or "", width=-1, rank=2),
    )  # fmt: skip
    return Listing(columns, _id, _run_words, "no dead letters", is_newest_first=True)


def definitions() -> Listing:
    """Return the table of jobs as they are defined."""
    columns = (
        Column("job", lambda job, _: job["name"], key=_name, width=40),
        Column("type", lambda job, _: job["type"], key=lambda job: job["type"], rank=2),
        Column("enabled", lambda job, _: "" if job["enabled"] else ("no", RED), rank=3),
        Column("schedule", lambda job, _: _schedule(job), key=_schedule, width=24, rank=4),
        Column("tags", _tags, key=_tags_key, width=24, rank=6),
        Column("file", lambda job, _: _place(job), key=_place_key, width=40, rank=7),
        Column("command", lambda job, _: job["command"], width=-1, rank=1),
    )
    found = Listing(columns, _name, _definition_words, "no jobs: `clawctl init` writes some")
    found.sort_by("job")
    return found


def _name(job: Row) -> str:
    return str(job["name"])


def _id(run: Row) -> str:
    return str(run["id"])


def _state(row: Row, _now: datetime) -> tuple[str, str]:
    return row["state"], COLORS.get(row["state"], "")


def _pid(job: Row, _now: datetime) -> str:
    return str(job.get("pid") or "")


def _load(job: Row, _now: datetime) -> str:
    return "" if job.get("load") is None else f"{job['load'] * 100:.1f}"


def _since(job: Row, now: datetime) -> str:
    if job.get("started_at"):
        return f"up {when.relative(job['started_at'], now).removesuffix(' ago')}"
    last = job.get("last")
    if not last:
        return ""
    return f"{ending(last)} {when.relative(last.get('ended_at'), now)}".rstrip()


def _changed_at(job: Row) -> str | None:
    found = job.get("started_at") or (job.get("last") or {}).get("ended_at")
    return None if found is None else str(found)


def _next(job: Row, now: datetime) -> str:
    return when.relative(job.get("next_at"), now)


def _health(job: Row) -> str | None:
    return None if job.get("health") is None else str(job["health"])


def _tags(job: Row, _now: datetime) -> str:
    return ",".join(job["tags"])


def _tags_key(job: Row) -> str | None:
    return ",".join(job["tags"]) or None


def _when(run: Row, now: datetime) -> str:
    return when.relative(_run_at(run), now)


def _run_at(run: Row) -> str:
    return str(run.get("ended_at") or run.get("started_at") or run.get("queued_at") or "")


def _took(run: Row, now: datetime) -> str:
    if run.get("duration") is not None:
        return format_duration(round(run["duration"], 1))
    if not run.get("started_at") or run.get("ended_at"):
        return ""
    return when.relative(run["started_at"], now).removesuffix(" ago")


def _schedule(job: Row) -> str:
    return ", ".join(job.get("schedule") or ()) or job.get("run_at") or ""


def _place(job: Row) -> str:
    # Its folder is the same for nearly all, and told by `clawctl config paths`.
    return f"{str(job['file']).rpartition('/')[2]}:{job['line']}"


def _place_key(job: Row) -> tuple[str, int]:
    return str(job["file"]), int(job["line"])


def _job_words(job: Row) -> list[tuple[str, str]]:
    return [
        ("name", job["name"]), ("title", job.get("title") or ""), ("state", job["state"]),
        ("type", job["type"]), ("why", job.get("why") or ""),
        ("health", job.get("health") or ""),
        *(("tag", tag) for tag in job["tags"]),
    ]  # fmt: skip


def _run_words(run: Row) -> list[tuple[str, str]]:
    return [
        ("run", run["id"]), ("job", name_of(run)), ("state", run["state"]),
        ("origin", run.get("origin") or ""), ("reason", run.get("reason") or ""),
        ("why", run.get("dead_why") or ""), ("args", " ".join(run.get("args") or ())),
    ]  # fmt: skip


def _definition_words(job: Row) -> list[tuple[str, str]]:
    return [
        ("name", job["name"]), ("type", job["type"]), ("command", job["command"]),
        ("schedule", _schedule(job)), ("file", str(job["file"])),
        ("description", job.get("description") or ""), *(("tag", tag) for tag in job["tags"]),
    ]  # fmt: skip
