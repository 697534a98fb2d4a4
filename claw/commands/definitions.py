"""The commands that show and change what jobs are."""

from __future__ import annotations

from claw.commands import kinds, touching
from claw.commands.command import CONFIGURATION, Command, Param, argument, flag, option, rest

_JOB = argument("job", kinds.JOB, "the job")
_TARGETS = argument("targets", kinds.TARGET, "name, pattern, tag:TAG, all", many=True)
_HOW: tuple[Param, ...] = (
    flag("dry_run", "only show what would be written and done"),
    flag("no_restart", "restart no service to take it in"),
)
_TOML = option("toml", kinds.FILE, "its keys from a TOML file; `-`: standard input")
_WHERE = (
    "Kept in managed.toml, beside claw.toml; files that people write are never changed. All or"
    " nothing: what the whole configuration would not take is refused, and nothing happens."
)

COMMANDS = (
    Command(
        "job list",
        CONFIGURATION,
        "list the jobs and where they are defined",
        verb="definitions:list_jobs",
        reply="definitions",
        method="job.list",
        params=(
            argument("targets", kinds.TARGET, "only these jobs", many=True, required=False),
        ),
        examples=(("clawctl job list", "every job with its file and line"),),
    ),
    Command(
        "job show",
        CONFIGURATION,
        "show what a job is, and who says so",
        verb="definitions:show",
        reply="definition",
        method="job.definition",
        params=(_JOB, flag("toml", "as a file would have it")),
        detail="Keys that nobody names are left out; their defaults are in claw.toml(5).",
        examples=(
            ("clawctl job show web", "each value, and the file and line that say it"),
            ("clawctl job show web --toml", "to copy from"),
        ),
    ),
    Command(
        "job add",
        CONFIGURATION,
        "make a job, without editing a file",
        verb="definitions:add",
        reply="managed",
        method="job.add",
        params=(
            argument("name", kinds.NAME, "what it is called", required=False),
            rest(
                "cmd",
                kinds.WORD,
                "what it runs: words, or one command line in quotes",
                touches=(touching.PROGRAMS,),
            ),
            option(
                "command",
                kinds.TEXT,
                "what it runs, as one command line",
                touches=(touching.PROGRAMS,),
            ),
            option("schedule", kinds.CRON, "when: a cron expression, @daily", many=True),
            option("every", kinds.TEXT, "run it every so often: 90m"),
            option("at", kinds.FUTURE, "run it once, at this time"),
            option("type", kinds.JOB_TYPE, "what kind of job; else as its time says"),
            option("description", kinds.TEXT, "what it is for"),
            option("cwd", kinds.FOLDER, "folder to run in; default: the user's home"),
            option("env", kinds.SETTING, "set a variable", many=True),
            option("user", kinds.USER, "run it as this user"),
            option("group", kinds.GROUP, "and as this group"),
            option("tag", kinds.TAG, "give it a tag", many=True),
            option("timeout", kinds.TEXT, "end an attempt after so long: 10m"),
            option("set", kinds.CHANGE, "any other key: KEY=VALUE", many=True),
            option("json", kinds.FILE, "its keys from a JSON file; `-`: standard input"),
            _TOML,
            flag("start", "start it, too"),
            *_HOW,
        ),
        detail=(
            f"{_WHERE} A file holds the keys of one job, or tables [jobs.NAME] of several;"
            " options go over its keys."
        ),
        examples=(
            ("clawctl job add backup --schedule '0 3 * * *' -- backup.sh /srv", "by options"),
            ("clawctl job add web --type continuous --start -- ./server", "and start it"),
            ("clawctl job add --toml jobs.toml --dry-run", "what a file would add"),
        ),
    ),
    Command(
        "job set",
        CONFIGURATION,
        "change some keys of jobs",
        verb="definitions:set_keys",
        reply="managed",
        method="job.set",
        params=(
            argument("target", kinds.TARGET, "a job, a pattern or tag:TAG"),
            argument(
                "changes",
                kinds.CHANGE,
                "KEY=VALUE, KEY+=VALUE, KEY-=VALUE; KEY= takes it back",
                many=True,
                required=False,
            ),
            option("unset", kinds.SETTING_NAME, "take back what was set of a key", many=True),
            *_HOW,
        ),
        detail=f"Over a job that a file defines it is an override. {_WHERE}",
        examples=(
            ("clawctl job set web tags+=blue timeout=30s", "two keys"),
            ("clawctl job set web env.MODE=test restart.policy=never", "keys of tables"),
            ("clawctl job set web --unset timeout", "as the file has it again"),
        ),
    ),
    Command(
        "job edit",
        CONFIGURATION,
        "edit the file of a job, and load it if it is valid",
        verb="edit:edit",
        touches=(touching.HERE,),
        reply="managed",
        method="job.replace",
        params=(_JOB, flag("override", "what overrides it, in place of its own file")),
        detail=(
            "In $VISUAL or $EDITOR. Of a job made with clawctl its part of managed.toml is"
            " edited, of any other the file that defines it. What is not valid is not"
            " installed: your text is kept, and you are told where."
        ),
        examples=(("clawctl job edit web", "as `visudo` does it"),),
    ),
    Command(
        "job validate",
        CONFIGURATION,
        "tell whether a job would be taken",
        verb="definitions:validate",
        reply="managed",
        method="job.validate",
        params=(
            argument("file", kinds.FILE, "TOML: keys of one job, or tables; `-`: from stdin"),
            option("name", kinds.TEXT, "the job's name; default: that of the file"),
        ),
        detail="Together with all that the configuration has. Nothing is changed.",
        examples=(("clawctl job validate web.toml", "errors with their keys; exit 2"),),
    ),
    Command(
        "job remove",
        CONFIGURATION,
        "remove a job that was made with clawctl",
        verb="definitions:remove",
        reply="managed",
        method="job.remove",
        params=(
            _TARGETS,
            flag("override", "only what overrides a job of another file"),
            *_HOW,
        ),
        detail="What runs of it is ended. Its history and its output stay.",
        examples=(
            ("clawctl job remove backup", "no more of it"),
            ("clawctl job remove --override web", "as its file has it again"),
        ),
    ),
    Command(
        "job tag",
        CONFIGURATION,
        "give a job more tags",
        verb="definitions:tag",
        reply="managed",
        method="job.tag",
        params=(
            argument("target", kinds.TARGET, "a job, a pattern or tag:TAG"),
            argument("tags", kinds.TAG, "the tags", many=True),
        ),
        examples=(("clawctl job tag 'etl-*' nightly", "several at once"),),
    ),
    Command(
        "job untag",
        CONFIGURATION,
        "take tags from a job",
        verb="definitions:untag",
        reply="managed",
        method="job.untag",
        params=(
            argument("target", kinds.TARGET, "a job, a pattern or tag:TAG"),
            argument("tags", kinds.TAG, "the tags", many=True),
        ),
        examples=(("clawctl job untag web blue", "one tag less"),),
    ),
    Command(
        "enable",
        CONFIGURATION,
        "let disabled jobs begin things again",
        verb="definitions:enable",
        reply="managed",
        method="job.enable",
        params=(_TARGETS, flag("dry_run", "only show what would be done")),
        examples=(("clawctl enable backup", "its schedule counts again"),),
    ),
    Command(
        "disable",
        CONFIGURATION,
        "have jobs begin nothing new, by the configuration",
        verb="definitions:disable",
        reply="managed",
        method="job.disable",
        params=(_TARGETS, flag("dry_run", "only show what would be done")),
        detail="As `clawctl pause`, but kept in managed.toml. What runs goes on.",
        examples=(("clawctl disable backup", "until it is enabled"),),
    ),
    Command(
        "tags list",
        CONFIGURATION,
        "list the tags and the jobs that have them",
        verb="definitions:list_tags",
        reply="tags",
        method="job.list",
        examples=(("clawctl tags list", "what `tag:TAG` could mean"),),
    ),
)
