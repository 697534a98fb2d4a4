"""The commands about backups."""

from __future__ import annotations

from claw.commands import kinds, touching
from claw.commands.command import DAEMON, Command, argument, flag, option

_TO = option("to", kinds.PLACE, "not where [backup] says: a folder, s3://BUCKET/PREFIX")
_FROM = option("from", kinds.PLACE, "not where [backup] says: a folder, s3://BUCKET/PREFIX")

COMMANDS = (
    Command(
        "backup create",
        DAEMON,
        "copy all that claw keeps into one file",
        verb="backup:create",
        reply="backedup",
        method="backup.create",
        params=(_TO,),
        detail=(
            "Configuration, database, journals, secrets as they are sealed, audit log: as they "
            "stand at one moment, while runs go on. Output of runs is not in it, nor the key "
            "of the secrets. Without a daemon, clawctl makes it."
        ),
        examples=(
            ("clawctl backup create", "where [backup] says"),
            ("clawctl backup create --to /mnt/nas/claw", "before something bold"),
        ),
    ),
    Command(
        "backup list",
        DAEMON,
        "list the backups",
        verb="backup:list_",
        reply="backups",
        method="backup.list",
        params=(_FROM,),
        examples=(("clawctl backup list", "where [backup] says, newest last"),),
    ),
    Command(
        "backup restore",
        DAEMON,
        "make this home what it was at a backup",
        verb="backup:restore",
        touches=(touching.HERE,),
        reply="restored",
        params=(
            argument("backup", kinds.BACKUP, "its id or beginning, latest, or a file"),
            _FROM,
            flag("dry_run", "only see that it is whole and fits", short="n"),
            flag("force", "although runs go on without a daemon"),
        ),
        detail=(
            "The daemon must not run: `clawctl daemon stop` before, `clawctl daemon start` "
            "after. What is there is moved aside. Journals of this home stay, so that nothing "
            "that was done since is done again."
        ),
        examples=(
            ("clawctl backup restore latest -n", "would it work?"),
            ("clawctl backup restore 20261122T0300", "the one of that time"),
            ("clawctl backup restore /mnt/nas/claw/FILE.tar.gz", "on a new machine"),
        ),
    ),
    Command(
        "backup prune",
        DAEMON,
        "remove the backups that have served",
        verb="backup:prune",
        reply="pruned",
        method="backup.prune",
        params=(
            _FROM,
            option("keep", kinds.DURATION, "in place of backup.keep"),
            flag("dry_run", "only tell which", short="n"),
        ),
        detail=(
            "Those beyond backup.keep, and of those older than backup.rollup all but the last "
            "of each such span; the newest stays."
        ),
        examples=(("clawctl backup prune -n", "which would go"),),
    ),
)
