"""Procfiles, as foreman, honcho, goreman, overmind and Heroku read them.

Each line is a ``continuous`` job but for ``release``, which Heroku runs before it starts the
others. See https://devcenter.heroku.com/articles/procfile.
"""

import os.path
import re
from collections.abc import Sequence

from claw.config.command import without_quoted
from claw.config.importers import quoting
from claw.config.importers.imported import Draft, Harvest, Options
from claw.config.importers.sources import Source
from claw.errors import UsageError
from claw.kernel import reading

_LINE = re.compile(r"(?P<name>[A-Za-z0-9_.-]+):\s*(?P<command>\S.*)")
_FIRST_PORT, _PORT_STEP = 5000, 100
_RELEASE = "release"
_HEAD = (
    "foreman ends all when one ends; claw restarts what has ended by itself. The jobs have the"
    ' daemon\'s whole environment, as with foreman (inherit_env = "*"), and PORT as there.'
)


def read(sources: Sequence[Source], _options: Options) -> Harvest:
    """Return the jobs of Procfiles.

    Raises:
        UsageError: One is no Procfile.
    """
    harvest = Harvest(head=[_HEAD])
    for source in sources:
        lines = list(enumerate(source.text.split("\n"), start=1))
        found = [(no, _LINE.fullmatch(line.strip())) for no, line in lines if _says(line)]
        if not any(match for _, match in found):
            where = f"{source.file}:{found[0][0]}" if found else source.file
            raise UsageError(f"{where}: no line of a Procfile: NAME: COMMAND is expected")
        place = 0
        for no, match in found:
            if match is None:
                harvest.tell(source.file, no, "", "not understood: left out")
                continue
            _make(harvest.job(match["name"], source.file, no), match, source, place)
            place += 1
    return harvest


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.strip().startswith("#")


def _make(job: Draft, match: re.Match[str], source: Source, place: int) -> None:
    command = match["command"].strip()
    job.table["type"] = "continuous"
    if match["name"] == _RELEASE:
        job.table["type"] = "manual"
        job.tell("release", "Heroku runs it before a release: `clawctl run release --wait`")
    job.table["command"] = command
    job.table["cwd"] = source.folder
    job.table["inherit_env"] = "*"
    placeholder = quoting.placeholder_in(command)
    if placeholder:
        job.disable()
        job.tell("", f"{placeholder} is a template's: fill it in, and remove enabled = false")
    if "[[" in without_quoted(command):
        job.table["shell"] = "/bin/bash"
        job.tell("", "[[ is bash's: shell = /bin/bash")
    if match["name"] != _RELEASE:
        job.table["env"] = {"PORT": str(_FIRST_PORT + _PORT_STEP * place)}
    if _is_there(os.path.join(source.folder, ".env")):  # noqa: PTH118
        job.table["env_file"] = ".env"


def _is_there(path: str) -> bool:
    try:
        return reading.is_there(path)
    except OSError:
        return False
