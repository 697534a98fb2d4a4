"""The commands about the configuration and its schedules."""

from __future__ import annotations

from claw.commands import kinds, touching
from claw.commands.command import CONFIGURATION, Command, argument, flag, option

COMMANDS = (
    Command(
        "init",
        CONFIGURATION,
        "write a commented configuration to start from",
        verb="config:init",
        touches=(touching.HERE,),
        reply="written",
        detail="Files that are there are left alone.",
        examples=(("clawctl init", "then edit it, and `clawctl daemon start`"),),
    ),
    Command(
        "plan",
        CONFIGURATION,
        "show what reload would do",
        verb="config:plan",
        reply="plan",
        method="config.reload",
        params=(flag("no_restart", "as `reload --no-restart` would do it"),),
        examples=(("clawctl plan", "what a reload would add, change and restart"),),
    ),
    Command(
        "reload",
        CONFIGURATION,
        "load the configuration, or have jobs read theirs again",
        verb="config:reload",
        reply="plan",
        method="config.reload",
        params=(
            argument(
                "targets",
                kinds.TARGET,
                "these jobs, not claw itself",
                many=True,
                required=False,
            ),
            flag("dry_run", "only show what would be done"),
            flag("no_restart", "restart no service whose definition changed"),
        ),
        detail=(
            "Of the configuration all or nothing is loaded. With TARGETS, the main process of "
            "each job gets its `reload_signal`, or its `reload_command` is run and waited for."
        ),
        examples=(
            ("clawctl reload", "apply what was edited"),
            ("clawctl reload web", "have one job read its own settings again"),
        ),
    ),
    Command(
        "config show",
        CONFIGURATION,
        "show the configuration as it is understood",
        verb="config:show",
        touches=(touching.LOOKS,),
        reply="configuration",
        params=(option("file", kinds.FILE, "this file instead of the home's", short="f"),),
        examples=(("clawctl config show", "every job with all its values"),),
    ),
    Command(
        "config validate",
        CONFIGURATION,
        "check the configuration and name every error",
        verb="config:validate",
        touches=(touching.LOOKS,),
        reply="validated",
        params=(
            option(
                "file",
                kinds.FILE,
                "this file instead of the home's",
                short="f",
                touches=(touching.NOTHING,),
            ),
        ),
        detail="Exit status 2, with one line for each error, when there are any.",
        examples=(("clawctl config validate -f claw.toml", "check one file"),),
    ),
    Command(
        "config schema",
        CONFIGURATION,
        "print the JSON Schema of the configuration, for editors",
        verb="config:schema",
        touches=(touching.NOTHING,),
        reply="schema",
        examples=(("clawctl config schema > claw.schema.json", "for an editor"),),
    ),
    Command(
        "config paths",
        CONFIGURATION,
        "show where configuration, state and logs lie",
        verb="config:paths",
        touches=(touching.LOOKS,),
        reply="paths",
        examples=(("clawctl config paths", "which files count"),),
    ),
    Command(
        "cron next",
        CONFIGURATION,
        "show the next times of a cron expression",
        verb="cron:next_fires",
        touches=(touching.NOTHING,),
        reply="fires",
        params=(
            argument("expr", kinds.CRON, "five or six fields, quoted, or @daily"),
            option("tz", kinds.ZONE, "time zone; default: the system's"),
            option("from", kinds.PAST_TEXT, "look from this time in that zone on; default now"),
            option("count", kinds.COUNT, "so many; default 5", short="n"),
        ),
        examples=(("clawctl cron next '0 9 * * mon-fri' --tz Europe/Berlin", "workdays"),),
    ),
)
