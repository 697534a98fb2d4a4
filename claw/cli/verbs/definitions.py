"""``job list | show | add | set | validate | remove | tag``, ``enable``, ``tags``."""

from __future__ import annotations

import json
import os.path
import sys
import tomllib

from claw.cli import terminal
from claw.config import setting
from claw.config.origins import plain
from claw.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from claw.cli.context import Context

    Table = dict[str, Any]

STDIN = "-"
_AS_THEY_ARE = ("command", "type", "description", "user", "group", "timeout")


def list_jobs(context: Context) -> int:
    """List the jobs and where they are defined."""
    context.show(context.call("job.list", targets=context.args["targets"] or None))
    return 0


def list_tags(context: Context) -> int:
    """List the tags, each with its jobs."""
    found: dict[str, list[str]] = {}
    for job in context.call("job.list")["jobs"]:
        for tag in job["tags"]:
            found.setdefault(tag, []).append(job["name"])
    context.show({"tags": [{"tag": tag, "jobs": found[tag]} for tag in sorted(found)]})
    return 0


def show(context: Context) -> int:
    """Show what a job is, and who says so."""
    reply = context.call("job.definition", job=context.args["job"])
    if context.args["toml"]:
        terminal.say(reply["toml"].rstrip())
    else:
        context.show(reply)
    return 0


def add(context: Context) -> int:
    """Make jobs."""
    args = context.args
    jobs = _read_jobs(args)
    if args["start"] and not context.may_control:
        raise UsageError(
            "--start is not for children of other users",
            hint="give it a time, or begin it with `clawctl run NAME`",
        )
    reply = context.ask("job.add", jobs=jobs, **_how(args))
    context.show(reply)
    if args["start"] and not args["dry_run"]:
        context.call("job.start", targets=list(jobs))
    return 0


def _how(args: Table) -> Table:
    return {
        "dry_run": args.get("dry_run") or None,
        "restart": False if args.get("no_restart") else None,
    }


def _read_jobs(args: Table) -> dict[str, Table]:
    """Return the tables that the options and the file ask for, by name."""
    name, own = args["name"], _table_of(args)
    if args["json"] and args["toml"]:
        raise UsageError("--json and --toml exclude each other")
    if not (args["json"] or args["toml"]):
        return {_named(name): own}
    parse = _parse_json if args["json"] else _parse_toml
    jobs = _tables(parse(args["json"] or args["toml"]), name)
    if own and len(jobs) > 1:
        raise UsageError("options are for one job, and the file has several")
    file = args["json"] or args["toml"]
    folder = "." if file == STDIN else os.path.dirname(file)  # noqa: PTH120
    for table in jobs.values():
        if isinstance(table.get("cwd"), str) and table["cwd"]:  # from where the file is
            table["cwd"] = os.path.abspath(os.path.join(folder, table["cwd"]))  # noqa: PTH100, PTH118
        table.update(own)
    return jobs


def _named(name: str | None) -> str:
    if not name:
        raise UsageError("job add needs a name", hint="clawctl job add NAME -- CMD")
    return name


def _tables(found: object, name: str | None) -> dict[str, Table]:
    """Return the jobs that a file holds: one without its header, or several."""
    if not isinstance(found, dict):
        raise UsageError("a job is a table of keys and values")
    several = found.get("jobs")
    if not isinstance(several, dict):
        if not name:
            raise UsageError(
                "these are the keys of one job, which needs a name",
                hint="give it one, or write them under [jobs.NAME]",
            )
        return {name: found}
    if name is not None and list(several) != [name]:
        raise UsageError(f"the file has {', '.join(several) or 'no job'}, not {name}")
    for other in found.keys() - {"jobs"}:
        raise UsageError(f"a file of jobs has tables [jobs.NAME] only, not {other!r}")
    return several


def _parse_json(file: str) -> object:
    try:
        found: object = json.loads(read_text(file))
    except ValueError as error:
        raise UsageError(f"{file}: that is no JSON: {error}") from None
    return found


def _parse_toml(file: str) -> object:
    return toml(read_text(file), file)


def toml(text: str, file: str) -> Table:
    """Return the tables of a TOML text, as JSON can have them.

    Raises:
        UsageError: It is none.
    """
    try:
        return {key: plain(value) for key, value in tomllib.loads(text).items()}
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file}: not TOML: {error}") from None


def read_text(file: str) -> str:
    """Return what a file, or ``-``: standard input, holds.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        if file == STDIN:
            return sys.stdin.read()
        with open(file, encoding="utf-8") as opened:  # noqa: PTH123
            return opened.read()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{file} cannot be read: {why}") from None


def _table_of(args: Table) -> Table:
    """Return the keys that the options name."""
    table = {key: args[key] for key in _AS_THEY_ARE if args[key] is not None}
    words = args["cmd"]
    if words is not None:
        if not words or "command" in table:
            raise UsageError("what it runs stands after -- or in --command")
        table |= {"command": words[0]} if len(words) == 1 else {"argv": words}
    table |= _times_of(args)
    if args["cwd"] is not None:
        table["cwd"] = os.path.abspath(args["cwd"])  # noqa: PTH100
    if args["env"]:
        table["env"] = dict(args["env"])
    if args["tag"]:
        table["tags"] = args["tag"]
    _set_others(table, args["set"])
    return table


def _times_of(args: Table) -> Table:
    schedule = list(args["schedule"])
    if args["every"]:
        schedule.append(f"@every {args['every']}")
    times: Table = {"schedule": schedule} if schedule else {}
    if args["at"] is not None:
        times["run_at"] = args["at"].isoformat()
    return times


def _set_others(table: Table, settings: list[str]) -> None:
    """Take in ``--set KEY=VALUE``."""
    for text in settings:
        change = setting.read(text)
        if change.op is not setting.Op.SET:
            raise UsageError(f"--set {text!r}: write KEY=VALUE")
        setting.apply(table, {}, change)


def set_keys(context: Context) -> int:
    """Change some keys of jobs."""
    args = context.args
    changes = [*args["changes"], *(f"{key}=" for key in args["unset"])]
    if not changes:
        raise UsageError("job set needs a change", hint="clawctl job set web timeout=30s")
    reply = context.call("job.set", targets=[args["target"]], changes=changes, **_how(args))
    context.show(reply)
    return 0


def validate(context: Context) -> int:
    """Tell whether a job would be taken."""
    file, name = context.args["file"], context.args["name"]
    found = _parse_toml(file)
    if name is None and file != STDIN and not (isinstance(found, dict) and "jobs" in found):
        name = os.path.basename(file).removesuffix(".toml")  # noqa: PTH119
    reply = context.call("job.validate", jobs=_tables(found, name))
    context.show(reply)
    return 0


def remove(context: Context) -> int:
    """Remove jobs that were added, or overrides."""
    args = context.args
    override = args["override"] or None
    ask = context.call if context.may_control else context.ask
    reply = ask("job.remove", targets=args["targets"], override=override, **_how(args))
    context.show(reply)
    return 0


def tag(context: Context) -> int:
    """Give jobs more tags."""
    args = context.args
    context.show(context.call("job.tag", targets=[args["target"]], tags=args["tags"]))
    return 0


def untag(context: Context) -> int:
    """Take tags from jobs."""
    args = context.args
    context.show(context.call("job.untag", targets=[args["target"]], tags=args["tags"]))
    return 0


def enable(context: Context) -> int:
    """Let disabled jobs begin things again."""
    return _switch(context, "job.enable")


def disable(context: Context) -> int:
    """Have jobs begin nothing new."""
    return _switch(context, "job.disable")


def _switch(context: Context, method: str) -> int:
    args = context.args
    context.show(context.call(method, targets=args["targets"], **_how(args)))
    return 0
