"""The way back: a home becomes what it was when a backup was made.

Only with no daemon in the home: who calls holds its lock. Everything is unpacked beside where
it belongs and looked at first; then what is there is moved aside, never removed, and the new
takes its place. While that goes on the home has a mark, with which no daemon starts.

Journals and launch files tell what has been done, so those of the home stay: the next master
takes in what they tell beyond the database, and begins nothing twice. Those of the backup are
added where the home has none. In a home that is not the one the backup was made of, its runs
are called over: their processes, if they live, belong to the other home.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from claw.client import auditlog
from claw.errors import ConflictError, RequestError
from claw.kernel import causes, files, reading
from claw.master.backup import contents
from claw.master.backup.archive import Manifest, unpack
from claw.master.engine.services import BOOTED
from claw.master.supervision.spools import list_spools
from claw.model.home import Home
from claw.store import backup, examine

_STAGE = ".restoring"
_BOOT = re.compile(rb'("boot":")[^"]*(")')
_NO_BOOT = b"00000000-0000-0000-0000-000000000000"
_SIDES = ("", "-wal", "-shm")
Json = dict[str, Any]


@dataclass(slots=True)
class Restored:
    """What was done, or would be.

    Attributes:
        about: What the backup says of itself.
        count: How many files it holds.
        aside: What was there before is there now.
        warnings: What else is worth knowing.
    """

    about: Json
    count: int
    aside: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def restore(
    home: Home, config: str | None, archive: str, now: datetime, *, force: bool, is_dry: bool
) -> Restored:
    """Restore a home from the file of a backup. Blocking.

    Args:
        home: Which; the caller holds its lock.
        config: The folder of its configuration; None: it is a file elsewhere, left alone.
        archive: The file.
        now: The time, for the names of what is moved aside.
        force: Although supervisors are at work there.
        is_dry: Only see whether it could be done.

    Raises:
        RequestError: It is no backup, is damaged, or something cannot be written.
        StoreTooNewError: A newer claw has made it.
        ConflictError: Runs go on in the home.
    """
    one = _Restoring(home, config, now, is_dry=is_dry)
    try:
        manifest = one.stage(archive)
        done = Restored(manifest.about, len(manifest.hashes), warnings=one.warnings(manifest))
        living = one.living()
        if living and not (force or is_dry):
            raise ConflictError(
                f"{len(living)} runs go on in this home without a daemon",
                hint="`clawctl daemon start`, then `clawctl stop all`;"
                " or --force: they are taken over as they are",
            )
        if not is_dry:
            one.put_in_place(manifest, archive)
            done.aside = one.aside
    except OSError as error:
        raise RequestError(
            f"it cannot be restored: {error.filename or home.state}: {causes.reason(error)}",
            hint="once it can be, repeat it: what was there is kept",
        ) from error
    finally:
        one.clear()
    return done


def check_whole(home: Home) -> None:
    """See that no restore was cut short.

    Raises:
        ConflictError: One was.
    """
    if files.exists(home.restoring):
        what = files.read_all(home.restoring).decode(errors="replace").strip()
        raise ConflictError(
            f"this home is half restored from {what}",
            hint=f"repeat it: clawctl backup restore --force {what}",
        )


class _Restoring:
    """The steps of it."""

    def __init__(self, home: Home, config: str | None, now: datetime, *, is_dry: bool) -> None:
        self._home = home
        self._config = config
        self._stamp = f"{now:%Y%m%dT%H%M%SZ}"
        # Who only looks may do so beside others, and beside a master.
        self._state = f"{home.state}/{_STAGE}{f'-{os.getpid()}' if is_dry else ''}"
        self._config_stage = f"{config}{_STAGE}" if config and not is_dry else ""
        self.aside: list[str] = []

    # -- looking ---------------------------------------------------------------------------

    def stage(self, archive: str) -> Manifest:
        """Unpack all of it beside where it belongs, and look at it."""
        self.clear()
        manifest = unpack(archive, self._place_of)
        if contents.DATABASE not in manifest.hashes:
            raise RequestError(f"{archive} holds no database")
        wrong = examine.problem_of(f"{self._state}/claw.db")
        if wrong is not None:
            raise RequestError(f"the database in {archive} is damaged: {wrong}")
        return manifest

    def _place_of(self, name: str) -> str | None:
        top, _, inner = name.partition("/")
        if top == contents.CONFIG:
            return f"{self._config_stage}/{inner}" if self._config_stage else None
        if top == contents.LOG:
            return f"{self._state}/{name}"
        return f"{self._state}/{inner}" if top == contents.STATE else None

    def warnings(self, manifest: Manifest) -> list[str]:
        """Return what whoever restores should know."""
        found = []
        if self._config is None:
            found.append("the configuration of this home is a file elsewhere: it is left alone")
        sealed = f"{contents.STATE}/secrets.json" in manifest.hashes
        if sealed and not files.exists(self._home.secrets_key):
            found.append(
                f"{self._home.secrets_key} is in no backup: if values were sealed with it, "
                "bring it, or set the secrets again"
            )
        if self._is_elsewhere(manifest):
            found.append(
                f"the backup is of another home, {manifest.about['home']}: "
                "runs that were under way there are called over here"
            )
        return found

    def living(self) -> list[str]:
        """Return the supervisors that are at work in the home."""
        known, spool = list_spools(self._home), self._home.spool
        return [sid for sid in known if files.is_locked(f"{spool}/{sid}/lock")]

    def _is_elsewhere(self, manifest: Manifest) -> bool:
        return os.path.realpath(str(manifest.about["home"])) != os.path.realpath(
            self._home.state
        )

    # -- doing -----------------------------------------------------------------------------

    def put_in_place(self, manifest: Manifest, archive: str) -> None:
        """Move what is there aside, and what was unpacked to where it belongs."""
        home = self._home
        for folder in (home.state, home.log, home.spool, home.launches):
            files.make_folder(folder)
        files.remove(home.restoring)
        files.create_exclusive(home.restoring, f"{os.path.abspath(archive)}\n".encode())  # noqa: PTH100
        backup.put_meta(f"{self._state}/claw.db", BOOTED, "1")  # have all begin
        if self._is_elsewhere(manifest):
            self._disown()
        self._add_evidence()
        self._replace_state()
        if self._config:
            self._replace_configuration([str(name) for name in manifest.about["left_out"]])
        self._add_audit_log()
        files.sync_folder(home.state)
        files.remove(home.restoring)

    def _disown(self) -> None:
        """Have no journal name a process of this boot: they are another home's."""
        for sid in _names_in(f"{self._state}/spool"):
            path = f"{self._state}/spool/{sid}/journal"
            data = files.read_all(path)
            other = _BOOT.sub(rb"\g<1>" + _NO_BOOT + rb"\g<2>", data)
            if len(other) != len(data):  # the database knows places in it by their offset
                raise RequestError(f"the journal of {sid} is none that this claw knows")
            files.remove(path)
            files.create_exclusive(path, other)

    def _add_evidence(self) -> None:
        """Add what the home lacks of journals and launch files."""
        for sid in _names_in(f"{self._state}/spool"):
            ours, theirs = f"{self._home.spool}/{sid}", f"{self._state}/spool/{sid}"
            if not files.exists(ours):
                files.rename(theirs, ours)
            elif _size(f"{ours}/journal") < _size(f"{theirs}/journal"):
                files.rename(f"{theirs}/journal", f"{ours}/journal")
        for name in _names_in(f"{self._state}/launch"):
            if not files.exists(f"{self._home.launches}/{name}"):
                files.rename(f"{self._state}/launch/{name}", f"{self._home.launches}/{name}")

    def _replace_state(self) -> None:
        aside = _free(f"{self._home.state}/replaced-{self._stamp}")
        database = f"{self._home.state}/claw.db"
        old = [f"{database}{side}" for side in reversed(_SIDES)]
        old += [f"{self._home.state}/{name}" for name in contents.STATE_FILES]
        for path in (one for one in old if files.exists(one)):
            files.make_folder(aside)
            files.rename(path, f"{aside}/{path.rpartition('/')[2]}")
            self.aside = [aside]
        for name in (*contents.STATE_FILES, "claw.db"):
            if files.exists(f"{self._state}/{name}"):
                files.rename(f"{self._state}/{name}", f"{self._home.state}/{name}")

    def _replace_configuration(self, left_out: list[str]) -> None:
        """Put the folder in place; keys in the old one, which no backup has, stay."""
        assert self._config  # noqa: S101  asked before
        files.make_folder(self._config_stage)
        mode = reading.facts_of(self._config).st_mode if files.exists(self._config) else 0o700
        os.chmod(self._config_stage, mode & 0o7777)  # noqa: PTH101
        aside = _free(f"{self._config}.replaced-{self._stamp}")
        if files.exists(self._config):
            files.rename(self._config, aside)
            self.aside.append(aside)
            for name in left_out:
                if files.exists(f"{aside}/{name}"):
                    files.make_folder(files.folder_of(f"{self._config_stage}/{name}"))
                    files.rename(f"{aside}/{name}", f"{self._config_stage}/{name}")
        files.make_folder(files.folder_of(self._config))
        files.rename(self._config_stage, self._config)

    def _add_audit_log(self) -> None:
        """Bring the audit log, where there is none: a chain is never put in another's place."""
        if not auditlog.files_in(self._home.log):
            for name in _names_in(f"{self._state}/log"):
                data = files.read_all(f"{self._state}/log/{name}")
                files.create_exclusive(f"{self._home.log}/{name}", data)

    def clear(self) -> None:
        """Remove what was unpacked and is not in place."""
        for path in (self._state, self._config_stage):
            if path:
                files.remove_folder(path)


def _names_in(folder: str) -> Iterator[str]:
    try:
        yield from sorted(files.names_in(folder))
    except FileNotFoundError:
        return


def _size(path: str) -> int:
    place = files.place_of(path)
    return place[1] if place else 0


def _free(path: str) -> str:
    while files.exists(path):
        path += "-again"
    return path


def shown(done: Restored, file: str, *, is_dry: bool) -> Json:
    """Return it as it is sent."""
    return {
        "file": file,
        "at": done.about["at"],
        "version": done.about["version"],
        "host": done.about["host"],
        "home": done.about["home"],
        "count": done.count,
        "aside": done.aside,
        "dry_run": is_dry,
        "warnings": done.warnings,
    }
