"""process-compose: its processes are programs of this host, and become services.

See https://f1bonacc1.github.io/process-compose/.
"""

import os.path
import re

from claw.config.importers import processkeys, quoting, values
from claw.config.importers.imported import Draft, Harvest, Options
from claw.config.importers.sources import Source, peek
from claw.config.importers.values import Table, is_true, number, table, text
from claw.config.importers.yamlfile import Whole
from claw.supervisor import envfile

_VARIABLE = re.compile(
    r"\$(?:\{(?P<braced>[A-Za-z_]\w*)(?::?-(?P<default>[^}]*))?\}|(?P<plain>[A-Za-z_]\w*))"
)
_REPLICA = re.compile(r"\{\{\s*\.PC_REPLICA_NUM\s*\}\}")
_GLOBAL_TOLD = {
    "vars": "left out: fill {{.NAME}} in by hand",
    "env_cmds": "left out: claw runs no command for a variable",
    "log_location": "left out: it is process-compose's own log",
}
_GLOBAL_QUIET = frozenset(
    {
        "version", "is_strict", "log_level", "log_length", "log_configuration", "log_format",
        "environment", "processes", "shell", "is_tui_disabled", "disable_env_expansion",
        "ordered_shutdown", "name", "is_dotenv_disabled",
    }
)  # fmt: skip


class Around:
    """What holds for all processes of a file."""

    def __init__(self, whole: Whole, source: Source, options: Options) -> None:
        config = table(whole.value)
        self.whole = whole
        self.folder = source.folder
        self.file = source.file
        self.environment = values.environment(config.get("environment"))
        self.shell = _shell(table(config.get("shell")))
        self.dotenv = _dotenv(source.folder)
        self.known = {**(self.dotenv or {}), **options.environ}

    def filled(self, raw: str) -> tuple[str, list[str]]:
        """Return a text with the variables filled in that are known, and the other ones."""
        unknown: list[str] = []

        def fill(found: re.Match[str]) -> str:
            name = found["braced"] or found["plain"]
            if name in self.known:
                return self.known[name]
            if found["default"] is not None:
                return found["default"]
            unknown.append(name)
            return found[0]

        return _VARIABLE.sub(fill, raw), unknown


def _shell(shell: Table) -> str:
    name = text(shell.get("shell_command")) or "bash"
    return name if name.startswith("/") else f"/bin/{name}"


def _dotenv(folder: str) -> dict[str, str] | None:
    found = peek(os.path.join(folder, ".env"))  # noqa: PTH118
    if found is None:
        return None
    try:
        return envfile.parse(found.text)
    except ValueError:
        return {}


def read(whole: Whole, source: Source, options: Options, harvest: Harvest) -> None:
    """Make jobs of a file's processes."""
    around = Around(whole, source, options)
    config = table(whole.value)
    for key in config:
        if key in _GLOBAL_TOLD:
            harvest.tell(source.file, whole.line(key), key, _GLOBAL_TOLD[key])
        elif key not in _GLOBAL_QUIET and not key.startswith("x-"):
            harvest.tell(
                source.file, whole.line(key), key, "left out: claw has nothing like it"
            )
    harvest.head.append(
        "The jobs have the daemon's whole environment, as with process-compose:"
        ' inherit_env = "*".'
    )
    processes = table(config.get("processes"))
    made: dict[str, Draft] = {}
    for name in processes:
        found = table(processes[name])
        made[name] = job = harvest.job(name, source.file, whole.line("processes", name))
        if not _make(job, name, found, around):
            harvest.drop(job)
            del made[name]
    for name, job in made.items():
        processkeys.put_dependencies(job, name, table(processes[name]), made, around.whole)


def _make(job: Draft, name: str, process: Table, around: Around) -> bool:
    def tell(key: str, why: str) -> None:
        job.tell(key, why, around.whole.line("processes", name, key))

    count = number(process.get("replicas")) or 1
    command = text(process.get("command"))
    entry = values.texts(process.get("entrypoint"))
    if not command.strip() and not entry:
        tell("command", "left out: there is no command")
        return False
    job.table["type"] = "continuous"
    if entry and not command.strip():
        quoting.put_program(job.table, [_numbered(one, count) for one in entry])
    else:
        _put_command(job, _numbered(command.strip(), count), around)
    job.table["inherit_env"] = "*"
    _put_folder(job, process, around, tell)
    _put_environment(job, process, around, tell)
    if count > 1:
        job.table["instances"] = count
    processkeys.put_all(job, process, tell, lambda one: _numbered(one, 1))
    if is_true(process.get("is_daemon")):
        job.disable()
        text_of_it = "it puts itself into the background, where claw loses it: have it stay in"
        tell("is_daemon", f"{text_of_it} the foreground, and remove enabled = false")
    return True


def _numbered(raw: str, count: int) -> str:
    """Fill in the number of a replica; process-compose counts from 0."""
    return _REPLICA.sub("0" if count == 1 else "$((CLAW_INSTANCE-1))", raw)


def _put_command(job: Draft, command: str, around: Around) -> None:
    job.table["command"] = command.replace("$${", "${").replace("$$(", "$(")
    job.table["shell"] = around.shell
    placeholder = quoting.placeholder_in(command)
    if placeholder:
        job.disable()
        job.tell("command", f"{placeholder} is a template's: fill it in, and remove enabled ="
                 " false")  # fmt: skip


def _put_folder(job: Draft, process: Table, around: Around, tell: processkeys.Tell) -> None:
    raw = text(process.get("working_dir"))
    path, unknown = around.filled(raw)
    if not unknown:
        job.table["cwd"] = os.path.normpath(os.path.join(around.folder, path or "."))  # noqa: PTH118
        return
    job.table["cwd"] = around.folder
    command = job.table.get("command") or quoting.line_of(
        values.texts(job.table.pop("argv", []))
    )
    job.table["command"] = f'cd "{raw}" &&\n{command}'
    names = ", ".join(unknown)
    tell(
        "working_dir", f"the shell changes to it; the daemon's environment has to have {names}"
    )


def _put_environment(
    job: Draft, process: Table, around: Around, tell: processkeys.Tell
) -> None:
    env: dict[str, object] = {}
    for name, raw in {
        **around.environment,
        **values.environment(process.get("environment")),
    }.items():
        value, unknown = around.filled(raw)
        if unknown == [name] and raw in {f"${name}", f"${{{name}}}"}:
            continue  # it is inherited
        if unknown:
            found = _VARIABLE.sub(
                lambda one: f"${{env:{one['braced'] or one['plain']}}}", value
            )
            env[name] = found
            tell("environment", f"{', '.join(unknown)}: taken from the daemon's environment")
        else:
            env[name] = quoting.literal(value.replace("$$", "$"))
    if env:
        job.table["env"] = env
    if around.dotenv is not None:
        job.table["env_file"] = os.path.join(around.folder, ".env")  # noqa: PTH118
