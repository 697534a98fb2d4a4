"""``up`` and ``down``: a master of a project's own."""

from __future__ import annotations

import os
import sys

from claw.cli import homes, masters, terminal
from claw.cli.console import Console, places
from claw.cli.masters import Project
from claw.cli.render import jsontext, plan
from claw.cli.verbs.daemon import end_master
from claw.config.load import load
from claw.errors import ConflictError, UsageError
from claw.kernel import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.cli.context import Context
    from claw.client.client import Client
    from claw.model.home import Home

_DEFAULT_FILE = "claw.toml"


def up(context: Context) -> int:
    """Run a file's jobs and show their output; again: apply what changed."""
    project = _project(context)
    config = load(project.file, project_dir=project.folder)
    context.home = project.home
    if masters.is_running(project.home):
        cursor = begun = None
        pid = _renew(context, project)
    else:
        begun = places(project.home, [job.name for job in config.jobs])
        project.save()
        pid = masters.start(project.home)
        cursor = _started_at(context.client)
    count = context.call("daemon.status")["jobs"]
    context.client.close()
    context.show({"file": project.file, "jobs": count, "pid": pid, **_how_to_end(context)})
    if context.args["detach"]:
        return 0
    terminal.flush()
    return Console(project.home, cursor, begun, is_json=context.is_json).run()


def down(context: Context) -> int:
    """End what ``up`` runs; jobs that outlived their master, too."""
    place = _home_to_end(context)
    context.home = place
    if not masters.is_running(place):
        if not masters.living_supervisors(place):
            return _show_down(context, "nothing is up here")
        masters.start(place)
    end_master(context, "stop")
    return _show_down(context, "down: all jobs have ended")


def _how_to_end(context: Context) -> dict[str, str]:
    return {"end": "`clawctl down` ends it" if context.args["detach"] else "^C ends it"}


def _show_down(context: Context, text: str) -> int:
    terminal.say(jsontext.render({"what": text}) if context.is_json else text)
    return 0


def _project(context: Context) -> Project:
    """Return the project that is meant, whole.

    Raises:
        UsageError: There is no such file.
    """
    file = os.path.abspath(context.args["file"] or _DEFAULT_FILE)  # noqa: PTH100
    if not os.path.exists(file):  # noqa: PTH110
        raise UsageError(f"there is no {file}", hint="name a file with -f, or write one")
    return Project(os.path.realpath(file), context.args["targets"])


def _renew(context: Context, project: Project) -> int:
    """Apply what changed to a project that is up, and return its master's pid.

    Raises:
        ConflictError: Another file of the same folder is up.
    """
    kept = masters.project_of(project.home)
    if kept is not None and kept.file != project.file:
        raise ConflictError(
            f"{kept.file} is up in this folder", hint=f"`clawctl down -f {kept.file}` first"
        )
    reply = context.call("config.reload")
    if not context.is_json:
        terminal.say(plan.render(reply, terminal.style_of(sys.stdout), clock.now()))
    if project.targets:
        context.call("job.start", targets=list(project.targets))
    pid: int = context.call("daemon.status")["pid"]
    return pid


def _started_at(client: Client) -> int:
    """Return the cursor of the present master's own first event."""
    asked: dict[str, Any] = {"from": 0, "filter": {"type": "daemon.started"}}
    found = 0
    while asked["from"] is not None:
        page = client.call("event.list", **asked)
        found = max([found, *(event["cursor"] for event in page["events"])])
        asked["from"] = page["next"]
    return found


def _home_to_end(context: Context) -> Home:
    """Return the home of the project that a file, or the present folder, belongs to."""
    file = context.args["file"]
    if not file:
        enclosing = homes.enclosing_project(homes.here(), os.geteuid())
        if enclosing is not None:
            return enclosing
    return homes.of_project(os.path.dirname(os.path.realpath(file or _DEFAULT_FILE)))  # noqa: PTH120
