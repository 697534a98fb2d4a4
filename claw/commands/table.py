"""All commands of ``clawctl``; what else people may type, and what to say then."""

from __future__ import annotations

from claw.commands import (
    approvals,
    backup,
    config,
    daemon,
    definitions,
    events,
    importing,
    interactive,
    jobs,
    locks,
    manual,
    notify,
    observing,
    queue,
    results,
    retry,
    runs,
    secrets,
    service,
    triggers,
    watch,
    workflows,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from claw.commands.command import Command

COMMANDS: tuple[Command, ...] = (
    *jobs.COMMANDS,
    *interactive.COMMANDS,
    *runs.COMMANDS,
    *approvals.COMMANDS,
    *results.COMMANDS,
    *events.COMMANDS,
    *queue.COMMANDS,
    *locks.COMMANDS,
    *definitions.COMMANDS,
    *triggers.COMMANDS,
    *retry.COMMANDS,
    *workflows.COMMANDS,
    *watch.COMMANDS,
    *notify.COMMANDS,
    *config.COMMANDS,
    *importing.COMMANDS,
    *manual.COMMANDS,
    *secrets.COMMANDS,
    *daemon.COMMANDS,
    *observing.COMMANDS,
    *backup.COMMANDS,
    *service.COMMANDS,
)
"""In the order of help."""

BY_NAME = {name: one for one in COMMANDS for name in (one.name, *one.aliases)}
"""Commands by name and alias."""

FAMILIES = tuple(dict.fromkeys(name.split()[0] for name in BY_NAME if " " in name))
"""First words of the commands that have two."""

ELSEWHERE = {
    "add": "reload",
    "avail": "status",
    "daemon-reload": "reload",
    "delete": "stop",
    "describe": "status -v",
    "info": "status -v",
    "is-active": "status",
    "kill": "signal KILL",
    "list-jobs": "runs list",
    "list-timers": "status --type scheduled",
    "list-unit-files": "status",
    "list-units": "status",
    "maintail": "daemon logs",
    "ps": "status",
    "reread": "plan",
    "show": "status -v",
    "shutdown": "daemon stop",
    "startAll": "start all",
    "stopAll": "stop all",
    "tail": "logs",
    "update": "reload",
}
"""Verbs of supervisorctl, systemctl, pm2 and docker, with what they are called here."""


def members(family: str) -> list[Command]:
    """Return the commands whose first word is ``family``."""
    return [one for one in COMMANDS if one.name.startswith(f"{family} ")]
