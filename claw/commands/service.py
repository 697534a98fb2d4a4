"""The commands that have an init system start the daemon."""

from __future__ import annotations

from claw.commands import kinds, touching
from claw.commands.command import DAEMON, Command, flag, option

_SYSTEM = flag("system", "the machine's own; root's default")
_USER = flag("user", "the caller's own; the default for others")
_INIT = option("init", kinds.INIT_SYSTEM, "for this init system, not the one that runs here")
_WHICH = (_SYSTEM, _USER, _INIT)

COMMANDS = (
    Command(
        "service install",
        DAEMON,
        "have the init system run the daemon",
        verb="service:install",
        touches=(touching.HERE,),
        reply="service",
        params=(*_WHICH, flag("dry_run", "only show what would be written")),
        detail=(
            "Writes the files of the init system that runs here, says where, and what to type "
            "next; it starts nothing itself. Again after claw has moved."
        ),
        examples=(
            ("clawctl service install", "systemd, OpenRC, runit, s6 or sysvinit"),
            ("clawctl service install --user --dry-run", "show what would be written"),
        ),
    ),
    Command(
        "service uninstall",
        DAEMON,
        "remove the files that `service install` wrote",
        verb="service:uninstall",
        touches=(touching.HERE,),
        reply="service",
        params=(*_WHICH, flag("dry_run", "only show what would be removed")),
        examples=(("clawctl service uninstall", "says what to type before"),),
    ),
    Command(
        "service status",
        DAEMON,
        "show whether an init system runs the daemon",
        verb="service:status",
        touches=(touching.LOOKS,),
        reply="service",
        params=_WHICH,
        detail="The exit status is 3 when the files are not there.",
        examples=(("clawctl service status", "which files are there, and as they should be"),),
    ),
)
