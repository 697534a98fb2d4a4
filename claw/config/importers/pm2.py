"""pm2's ecosystem files: JSON with comments, YAML, or JavaScript, which node is asked for.

See https://pm2.keymetrics.io/docs/usage/application-declaration/. An application is a
``continuous`` job; where pm2 restarts it by a cron expression and by nothing else, a
``scheduled`` one.
"""

import os.path
import shlex
from collections.abc import Sequence
from pathlib import PurePath

from claw.config.importers import json5, node, pm2keys, quoting, yamlfile
from claw.config.importers.imported import Draft, Harvest, Options
from claw.config.importers.sources import STDIN, Source
from claw.config.importers.values import Table, is_true, items, number, table, text, texts
from claw.errors import UsageError

_SCRIPTS = (".js", ".cjs", ".mjs")
_INTERPRETERS = {
    ".js": "node", ".cjs": "node", ".mjs": "node", ".py": "python3", ".sh": "bash",
    ".php": "php", ".rb": "ruby", ".pl": "perl", ".ts": "bun", ".tsx": "bun",
}  # fmt: skip
_LISTS = ("apps", "pm2")
_HEAD = (
    "The jobs have the daemon's whole environment, as with pm2 that of who starts them:"
    ' inherit_env = "*". Where the file says nothing of restarts, claw\'s own way holds.'
)


def read(sources: Sequence[Source], options: Options) -> Harvest:
    """Return the jobs of ecosystem files.

    Raises:
        UsageError: One is no such file, or it is JavaScript and there is no node.
    """
    harvest = Harvest(head=[_HEAD])
    for source in sources:
        whole = _value(source)
        apps = _apps(whole)
        if not apps:
            raise UsageError(f"{source.file} has no applications of pm2: apps = [{{ script }}]")
        for key in table(whole).keys() & {"deploy"}:
            harvest.tell(source.file, 0, key, "left out: claw copies nothing to other hosts")
        at = 0
        for app in apps:
            at = _line_of(source.text, app, at)
            _make(harvest, source, app, at, options)
    return harvest


def _value(source: Source) -> object:
    if source.name.endswith(_SCRIPTS) and source.file != STDIN:
        return node.exports_of(os.path.join(source.folder, source.name), source.folder)  # noqa: PTH118
    if source.name.endswith((".yml", ".yaml")):
        return yamlfile.read(source.text, source.file).value
    body = source.text.strip().removeprefix("module.exports").lstrip(" =")
    try:
        return json5.parse(body)
    except ValueError as error:
        hint = "name it .js, and node is asked for it" if body != source.text.strip() else ""
        raise UsageError(f"{source.file}: no JSON: {error}", hint=hint) from None


def _apps(whole: object) -> list[Table]:
    found = whole
    for key in _LISTS:
        if isinstance(whole, dict) and key in whole:
            found = whole[key]
    return [
        table(one) for one in items(found) if table(one).get("script") or table(one).get("cmd")
    ]


def _line_of(source: str, app: Table, after: int) -> int:
    """Return the line on which an application's name, or script, stands."""
    told = text(app.get("name") or app.get("script"))
    lines = source.split("\n")
    return next((no for no, line in enumerate(lines, 1) if no > after and told in line), after)


def _make(harvest: Harvest, source: Source, app: Table, line: int, options: Options) -> None:
    script = text(app.get("script") or app.get("cmd"))
    name = text(app.get("name")) or PurePath(script.split()[0]).stem
    job = harvest.job(name, source.file, line)
    job.table["type"] = "continuous"
    folder = os.path.join(source.folder, os.path.expanduser(text(app.get("cwd"))))  # noqa: PTH111, PTH118
    job.table["cwd"] = os.path.normpath(folder)
    job.table["inherit_env"] = "*"
    words = _words(job, app, script, options)
    pm2keys.put_all(job, app, options)
    _put_command(job, app, words)
    if not is_true(app.get("autorestart", True)) and app.get("cron_restart"):
        pm2keys.put_schedule(job, app)
    elif app.get("cron_restart"):
        _put_restarts(harvest, job, app)


def _words(job: Draft, app: Table, script: str, options: Options) -> list[str]:
    """Return the words of the command: interpreter, its arguments, script, arguments."""
    given = app.get("args")
    args = texts(given) if isinstance(given, list) else _split(text(given))
    if " " in script.strip() and not app.get("interpreter"):
        return [*_split(script), *args]
    interpreter = text(app.get("interpreter") or app.get("exec_interpreter"))
    found = _interpreter(job, interpreter, script, options)
    own = app.get("interpreter_args") or app.get("node_args")
    own_args = texts(own) if isinstance(own, list) else _split(text(own))
    return [*([found, *own_args] if found else []), script, *args]


def _split(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()


def _interpreter(job: Draft, given: str, script: str, options: Options) -> str:
    if given.lower() == "none":
        return ""
    if given.startswith("node@"):
        version = given.partition("@")[2]
        home = options.environ.get("NVM_DIR") or f"{options.environ.get('HOME', '~')}/.nvm"
        job.tell("interpreter", f"{given}: nvm has to have installed it for the job's user")
        return f"{home}/versions/node/v{version.removeprefix('v')}/bin/node"
    return given or _INTERPRETERS.get(PurePath(script).suffix, "")


def _put_command(job: Draft, app: Table, words: list[str]) -> None:
    """Give each of several instances the number that pm2 would give it."""
    count = job.table.get("instances", 1)
    numbered = text(app.get("instance_var")) or "NODE_APP_INSTANCE"
    lines = [f"export {numbered}=$((CLAW_INSTANCE-1))"]
    rising = text(app.get("increment_var"))
    if rising:
        env = job.part("env")
        first = number(env.pop(rising, None))
        if not env:
            del job.table["env"]
        lines.append(f"export {rising}=$(({first or 0}+CLAW_INSTANCE-1))")
        if count == 1:
            job.part("env")[rising] = str(first or 0)
    if count == 1:
        quoting.put_program(job.table, words)
    else:
        joined = "\n".join(lines)
        job.table["command"] = f"{joined}\nexec {quoting.line_of(words)}"


def _put_restarts(harvest: Harvest, job: Draft, app: Table) -> None:
    """Make a job that restarts another one by pm2's cron expression."""
    other = harvest.job(f"{job.name}-restart", job.file, job.line)
    other.table |= {
        "description": f"restarts {job.name}",
        "command": f"clawctl restart {job.name}",
        "schedule": text(app.get("cron_restart")),
        "catch_up": "none",
    }
    other.tell("cron_restart", f"a job of its own, which restarts {job.name}; it has to run as"
               " claw's own user")  # fmt: skip
