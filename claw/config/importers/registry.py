"""The kinds of files that can be imported, each with the module that reads it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from claw.config.importers import (
    compose,
    crontab,
    launchd,
    openclaw,
    pm2,
    procclaw,
    procfile,
    supervisord,
    systemd,
)
from claw.config.importers.imported import Harvest, Options
from claw.config.importers.sources import Source


@dataclass(frozen=True, slots=True)
class Importer:
    """One kind of file.

    Attributes:
        reads: Sources to what is in them; raises UsageError when they are no such files.
        endings: Of the files that count in a folder; none: names without a dot.
        finds: A file that is not there, as the one that is meant; None: there is none.
    """

    reads: Callable[[Sequence[Source], Options], Harvest]
    endings: tuple[str, ...] = ()
    finds: Callable[[str, str], Source | None] | None = None


IMPORTERS = {
    "crontab": Importer(crontab.read),
    "supervisord": Importer(supervisord.read, (".conf", ".ini")),
    "procfile": Importer(procfile.read, ("Procfile",)),
    "systemd": Importer(systemd.read, (".service", ".timer"), systemd.find_instance),
    "pm2": Importer(pm2.read, (".json", ".js", ".cjs", ".yml", ".yaml")),
    "compose": Importer(compose.read, (".yml", ".yaml")),
    "process-compose": Importer(compose.read, (".yml", ".yaml")),
    "procclaw": Importer(procclaw.read, (".yaml", ".yml")),
    "openclaw": Importer(openclaw.read, (".json", ".json.migrated")),
    "launchd": Importer(launchd.read, (".plist",)),
}
"""By the word that `clawctl import` takes."""
