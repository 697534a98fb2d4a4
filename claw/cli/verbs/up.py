"""``up`` and ``down``: a master of a project's own."""

from __future__ import annotations

import os

from claw.cli import homes, masters, terminal
from claw.cli.console import Console, places
from claw.cli.masters import Project
from claw.cli.render import plan
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
    what = f"{count} job{'s' * (count != 1)} of {project.file}, daemon {pid}"
    if context.args["detach"]:
        terminal.say(f"up: {what}; `clawctl down` ends it")
        return 0
    terminal.say(f"-- up: {what}; ^C ends it")
    terminal.flush()
    return Console(project.home, cursor, begun).run()


def down(context: Context) -> int:
    """End what ``up`` runs; jobs that outlived their master, too."""
    place = _home_to_end(context)
    context.home = place
    if not masters.is_running(place):
        if not masters.living_supervisors(place):
            terminal.say("nothing is up here")
            return 0
        masters.start(place)
    end_master(context, "stop")
    terminal.say("down: all jobs have ended")
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
    style = terminal.style_of(None)
    terminal.say(plan.render(reply, style, clock.now()))
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
