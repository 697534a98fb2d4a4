"""The page of ``Enter``: all that is known of a job, a run or a definition."""

from __future__ import annotations

from claw.cli.render import definition, plan, run, runs, table, when
from claw.cli.render.status import size
from claw.cli.terminal import Style

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

    from claw.cli.top.news import Json

_LABEL = 12


def lines_of(
    about: tuple[str, str], parts: Json | None, width: int, now: datetime
) -> list[str]:
    """Return the lines of a page.

    Args:
        about: What it is about, as kind and name.
        parts: Answers of the master by method, or ``error``; None: they have not come yet.
        width: Of the screen.
        now: The time.
    """
    if parts is None:
        return ["..."]
    if "error" in parts:
        return [parts["error"]]
    style = Style(is_terminal=True, has_color=False, width=width)
    return _LINES[about[0]](parts, style, now)


def _job(parts: Json, style: Style, now: datetime) -> list[str]:
    lines = [table.clean(line) for line in parts["job.why"]["lines"]]
    for job in parts["job.status"]["jobs"]:
        lines += ["", *_facts(job, now)]
    found = parts["run.list"]["runs"]
    if found:
        lines += ["", "last runs", *runs.render(parts["run.list"], style, now).splitlines()]
    if parts.get("job.definition"):
        toml = parts["job.definition"]["toml"].rstrip().splitlines()
        lines += ["", "definition", *map(table.clean, toml)]
    return lines


def _facts(job: Json, now: datetime) -> list[str]:
    cpu_s = job.get("cpu_time")
    facts = [
        ("job", job["name"]),
        ("called", job.get("title")),
        ("is for", job.get("description")),
        ("type", job["type"]),
        ("state", job["state"]),
        ("pid", job.get("pid")),
        ("started", when.both(job.get("started_at"), now)),
        ("next", when.both(job.get("next_at"), now)),
        ("restarts", job.get("restarts")),
        ("health", job.get("health")),
        ("says", job.get("status_text")),
        ("processor", None if cpu_s is None else f"{cpu_s:.1f}s"),
        ("memory", size(job.get("memory"))),
        ("processes", job.get("processes")),
        ("queued", job.get("queued")),
        ("sockets", " ".join(one["address"] for one in job.get("sockets") or ())),
        ("tags", ", ".join(job["tags"])),
        ("last line", job.get("last_line")),
    ]
    return [f"{name:{_LABEL}} {table.clean(str(value))}" for name, value in facts if value]


def _run(parts: Json, style: Style, now: datetime) -> list[str]:
    return run.render(parts["run.show"], style, now).splitlines()


def _definition(parts: Json, style: Style, now: datetime) -> list[str]:
    found = parts["job.definition"]
    shown = definition.render(found, style, now).splitlines()
    return [*shown, "", *map(table.clean, found["toml"].rstrip().splitlines())]


def _plan(parts: Json, style: Style, now: datetime) -> list[str]:
    return plan.render(parts["config.reload"], style, now).splitlines()


_LINES = {"job": _job, "run": _run, "definition": _definition, "plan": _plan}
