"""What of a home goes into a backup, and in which order.

The order makes it consistent while runs begin and end. The database comes first; then the
launch files; then the journals. A journal is appended to and never changed, and the database
knows up to where it has been read: what a journal says beyond that is taken in when a master
starts on the copy, as after a kill of the master. So a run that had begun when the journals
were copied has its journal there, which goes before its launch file; and one without either
had not begun, and goes back to the queue.

Journals that hold nothing the database lacks are left out. So is output (the log folder),
except the audit log; and the key of the sealed secrets, which is kept elsewhere.
"""

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from claw.client import auditlog
from claw.kernel import files
from claw.master.backup.archive import Writer
from claw.master.supervision.spools import journal_sizes
from claw.model.home import Home
from claw.store import backup, examine

CONFIG, STATE, LOG = "config", "state", "log"
"""Folders in the archive."""
DATABASE, SPOOL, LAUNCH = f"{STATE}/claw.db", f"{STATE}/spool", f"{STATE}/launch"
STATE_FILES = ("secrets.json", "tokens.key")
_MOST_BYTES = 64 << 20
"""A file of the configuration's folder that is larger is none of it."""


@dataclass(slots=True)
class Source:
    """What is to be copied.

    Attributes:
        home: The home.
        config: The folder of its configuration, or the one file that is all of it.
        apart: Paths of files that are not for backups: keys.
        left_out: Those of them that lie in the configuration's folder, by their name there.
    """

    home: Home
    config: str
    apart: frozenset[str] = frozenset()
    left_out: list[str] = field(default_factory=list)


def gather(source: Source, writer: Writer, draft: str) -> None:
    """Put all of it into an archive.

    Args:
        source: What.
        writer: Of the archive.
        draft: Path for a copy of the database, which is removed.

    Raises:
        OSError, StoreError: Something cannot be read, or not be written.
    """
    home = source.home
    try:
        backup.copy(home.database, draft)
        writer.add_file(DATABASE, draft)
        for name, data in _launches(home):
            writer.add_bytes(f"{LAUNCH}/{name}", data)
        for sid, data in _journals(home, draft):
            writer.add_bytes(f"{SPOOL}/{sid}/journal", data)
    finally:
        files.remove(draft)
    for name in STATE_FILES:
        _add(writer, f"{STATE}/{name}", f"{home.state}/{name}")
    for name, path in configuration(source):
        _add(writer, f"{CONFIG}/{name}", path)
    for name in auditlog.files_in(home.log):
        _add(writer, f"{LOG}/{name}", f"{home.log}/{name}")


def _launches(home: Home) -> Iterator[tuple[str, bytes]]:
    for name in sorted(_names_in(home.launches)):
        with contextlib.suppress(FileNotFoundError):  # gone meanwhile
            yield name, files.read_all(f"{home.launches}/{name}")


def _journals(home: Home, database: str) -> Iterator[tuple[str, bytes]]:
    sizes = journal_sizes(home)
    needless = examine.served(database, sizes)
    for sid in sorted(sizes.keys() - needless):
        data = files.read_from(f"{home.spool}/{sid}/journal", 0)
        whole = data[: data.rfind(b"\n") + 1]  # its writer is in the midst of the next line
        if whole:
            yield sid, whole


def configuration(source: Source) -> Iterator[tuple[str, str]]:
    """Yield the files of a configuration: the name in its folder, and the path."""
    top = source.config
    if not os.path.isdir(top):  # noqa: PTH112
        yield "claw.toml", top
        return
    for folder, inner, names in os.walk(top):
        inner.sort()
        for path in (f"{folder}/{name}" for name in sorted(names)):
            name = os.path.relpath(path, top)
            if os.path.realpath(path) in source.apart:
                source.left_out.append(name)
            elif os.path.isfile(path) and files.size_at(path) <= _MOST_BYTES:  # noqa: PTH113
                yield name, path


def keys_of(home: Home, paths: Iterable[str]) -> frozenset[str]:
    """Return the paths of keys, which a backup must not have beside what they open."""
    named = (path for path in (home.secrets_key, *paths) if path)
    return frozenset(os.path.realpath(path) for path in named)


def _add(writer: Writer, name: str, path: str) -> None:
    """Add a file as it is now, if it is there."""
    try:
        with Path(path).open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode & 0o777
            writer.add_bytes(name, file.read(), mode)
    except FileNotFoundError:
        return


def _names_in(folder: str) -> list[str]:
    try:
        return files.names_in(folder)
    except FileNotFoundError:
        return []
