"""The command that takes in what other programs are told to run."""

from __future__ import annotations

from claw.commands import kinds, touching
from claw.commands.command import CONFIGURATION, Command, argument, flag, option

COMMANDS = (
    Command(
        "import",
        CONFIGURATION,
        "make jobs of what cron, systemd and others run",
        verb="importing:import_jobs",
        touches=(touching.ALONE, touching.PROGRAMS),
        reply="imported",
        params=(
            argument("kind", kinds.IMPORTED, "what kind of files they are"),
            argument("files", kinds.FILE, "files or folders; `-`: standard input", many=True),
            flag("system", "a crontab with a column of users"),
            option("user", kinds.TEXT, "a crontab of this user"),
            option("env", kinds.NAME, "of pm2: its environment env_NAME, too"),
            flag("apply", "add the jobs, all or none"),
            flag("update", "with --apply: also change those that it has added before"),
            flag("dry_run", "show what --apply would do"),
        ),
        detail=(
            "Prints the jobs as TOML for jobs.d, and needs no daemon then. What could not be"
            " carried over stands in comments there, and on standard error. What comes out is"
            " a good configuration on this host."
        ),
        examples=(
            ("clawctl import crontab /etc/crontab --system", "see what would come of it"),
            ("clawctl import systemd web.service web.timer --apply", "add it"),
            ("clawctl import crontab tab --apply --update", "take in what has changed in it"),
            ("clawctl import supervisord supervisord.conf > jobs.toml", "to be edited"),
            ("clawctl import pm2 ecosystem.config.js --env production", "asks node"),
        ),
    ),
)
