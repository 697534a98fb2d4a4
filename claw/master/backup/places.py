"""Where backups are kept: a folder, or a bucket (`claw.master.backup.s3`)."""

import os
import shutil
from typing import Protocol

from claw.errors import NotFoundError, UsageError
from claw.kernel import files
from claw.model import backups
from claw.model.backups import Backup


class Place(Protocol):
    """A place for backups. Every method blocks, and raises OSError or a ClawError."""

    shown: str
    """As people write it."""

    def draft(self, name: str) -> str:
        """Return the path of a file in which a backup is to be written, before `keep`."""

    def keep(self, name: str) -> None:
        """Have the draft of that name be a backup, all of it or nothing."""

    def all(self) -> list[Backup]:
        """Return the backups that are there, oldest first."""

    def fetch(self, name: str, path: str) -> None:
        """Copy a backup to a file that is not there yet."""

    def remove(self, name: str) -> None:
        """Remove a backup; one that has gone is fine."""


class Folder:
    """A folder of this machine; made when the first is kept."""

    def __init__(self, path: str) -> None:
        self.shown = path

    def draft(self, name: str) -> str:
        """See `Place`."""
        files.make_folder(self.shown)
        return f"{self.shown}/{backups.draft_of(name)}"

    def keep(self, name: str) -> None:
        """See `Place`."""
        draft = f"{self.shown}/{backups.draft_of(name)}"
        fd = files.open_append(draft)
        try:
            files.sync_data(fd)
        finally:
            os.close(fd)
        files.rename(draft, f"{self.shown}/{name}")

    def all(self) -> list[Backup]:
        """See `Place`."""
        try:
            names = files.names_in(self.shown)
        except FileNotFoundError:
            return []
        sized = ((name, files.place_of(f"{self.shown}/{name}")) for name in names)
        found = (backups.read_name(name, facts[1]) for name, facts in sized if facts)
        return sorted(one for one in found if one is not None)

    def fetch(self, name: str, path: str) -> None:
        """See `Place`."""
        shutil.copyfile(f"{self.shown}/{name}", path)

    def remove(self, name: str) -> None:
        """See `Place`."""
        files.remove(f"{self.shown}/{name}")


def find(place: Place, word: str) -> Backup:
    """Return the one backup that a word means.

    Raises:
        NotFoundError: There is none.
        UsageError: There are several.
    """
    found = backups.chosen(place.all(), word)
    if not found:
        raise NotFoundError(
            f"there is no backup {word!r} in {place.shown}", hint="clawctl backup list"
        )
    if len(found) > 1:
        raise UsageError(f"{word!r} is the beginning of {len(found)} backups: write more of it")
    return found[0]
