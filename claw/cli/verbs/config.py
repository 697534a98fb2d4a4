"""``init``, ``plan``, ``reload`` and ``config show | validate | schema | paths``."""

from __future__ import annotations

import json
import os
import signal as signals
from datetime import datetime
from enum import Enum

from claw.cli import masters
from claw.config import fields, starter
from claw.config import schema as schemas
from claw.config.load import load
from claw.config.source import collect
from claw.model.units import format_duration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from claw.cli.context import Context
    from claw.config.table import Section
    from claw.model.job import Config, Job


def init(context: Context) -> int:
    """Write the starter configuration."""
    context.show({"files": starter.write_starter(context.home.config)})
    return 0


def plan(context: Context) -> int:
    """Show what a reload would do."""
    return _reload(context, is_dry=True)


def reload(context: Context) -> int:
    """Load the configuration."""
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
    config = _load(context)
    context.show(
        {
            "files": list(config.files),
            "daemon": {
                **_table(config.daemon, fields.DAEMON),
                "control": _table(config.daemon, fields.CONTROL),
            },
            "jobs": {job.name: _job(job) for job in config.jobs},
        }
    )
    return 0


def validate(context: Context) -> int:
    """Check the configuration; needs no daemon."""
    config = _load(context)
    context.show({"valid": True, "jobs": len(config.jobs), "files": list(config.files)})
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
        return load(context.home.config)
    path = os.path.abspath(file)  # noqa: PTH100
    return load(path, project_dir=os.path.dirname(path))  # noqa: PTH120


def _job(job: Job) -> dict[str, Any]:
    """Return a job's values by the keys of the configuration."""
    program = {"command": job.command} if job.command else {"argv": list(job.argv)}
    others = _table(job, fields.JOB)
    for key in ("command", "argv", "shell"):
        others.pop(key, None)
    return {
        **program,
        **others,
        "restart": _table(job.restart, fields.RESTART),
        "log": _table(job.log, fields.LOG),
        "defined_at": f"{job.file}:{job.line}",
    }


def _table(values: object, section: Section) -> dict[str, Any]:
    """Return the values of one table; those that are left to a default in words are None."""
    return {
        key: _shown(key, getattr(values, field.attr), is_time=field.attr.endswith("_s"))
        for key, field in section.fields.items()
        if hasattr(values, field.attr)
    }


def _shown(key: str, value: Any, *, is_time: bool) -> Any:
    """Return a value as the configuration would have it written."""
    if is_time and isinstance(value, int | float):
        return format_duration(value)
    if key in _WRITERS:
        return _WRITERS[key](value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return list(value) if isinstance(value, tuple) else value


_WRITERS: dict[str, Callable[[Any], Any]] = {
    "umask": "{:04o}".format,
    "mode": "{:04o}".format,
    "stop_signal": lambda number: signals.Signals(number).name.removeprefix("SIG"),
    "env": dict,
}
