"""``init``, ``plan``, ``reload`` and ``config show | validate | schema | paths``."""

from __future__ import annotations

import json
import os

from claw.cli import masters
from claw.cli.verbs import written
from claw.config import schema as schemas
from claw.config import starter
from claw.config.load import load
from claw.config.source import collect
from claw.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.cli.context import Context
    from claw.model.job import Config


def init(context: Context) -> int:
    """Write the starter configuration."""
    context.show({"files": starter.write_starter(context.home.config)})
    return 0


def plan(context: Context) -> int:
    """Show what a reload would do."""
    return _reload(context, is_dry=True)


def reload(context: Context) -> int:
    """Load the configuration; with targets, have jobs read theirs again."""
    args = context.args
    if args["targets"]:
        if args["dry_run"] or args["no_restart"]:
            raise UsageError("--dry-run and --no-restart are about claw's own configuration")
        context.show(context.call("job.reload", targets=args["targets"]))
        return 0
    return _reload(context, is_dry=context.args["dry_run"])


def _reload(context: Context, *, is_dry: bool) -> int:
    reply = context.call(
        "config.reload",
        dry_run=is_dry or None,
        restart=False if context.args["no_restart"] else None,
    )
    context.show({**reply, "dry_run": is_dry})
    return 0


def show(context: Context) -> int:
    """Show the configuration as it is understood; needs no daemon."""
    context.show(written.configuration(_load(context)))
    return 0


def validate(context: Context) -> int:
    """Check the configuration; needs no daemon."""
    config = _load(context)
    context.show(
        {
            "valid": True,
            "jobs": sum(not job.step_of for job in config.jobs),
            "files": list(config.files),
        }
    )
    return 0


def schema(context: Context) -> int:
    """Print the JSON Schema; needs no daemon."""
    context.show(json.loads(schemas.schema_text()))
    return 0


def paths(context: Context) -> int:
    """Show where everything lies; needs no daemon."""
    place = context.home
    project = masters.project_of(place)
    source = project.file if project else place.config
    context.show(
        {
            "config": source,
            "files": [one.file for one in collect(source)],
            "state": place.state,
            "run": place.run,
            "log": place.log,
            "control_socket": place.control_socket,
            "database": place.database,
            "daemon_log": place.daemon_log,
        }
    )
    return 0


def _runner(folder: str) -> int:
    """Return as whom a home's daemon runs, as whose its files are to be judged."""
    own = os.geteuid()
    if own == 0:
        return own
    try:
        return os.stat(folder).st_uid  # noqa: PTH116
    except OSError:
        return own


def _load(context: Context) -> Config:
    """Load what ``-f`` names, or the home's own.

    Raises:
        ConfigError: With every mistake.
    """
    file = context.args["file"]
    project = masters.project_of(context.home) if file is None else None
    if project is not None:
        return load(project.file, project_dir=project.folder)
    if file is None:
        return load(context.home.config, uid=_runner(context.home.config))
    path = os.path.abspath(file)  # noqa: PTH100
    return load(path, project_dir=os.path.dirname(path))  # noqa: PTH120
