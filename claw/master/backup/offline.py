"""What ``clawd --backup`` does: the commands about backups in a home without a master.

Takes one request, and answers as a master would, an error as an error: ``clawctl`` shows both
in the same way.
"""

import contextlib
import os
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import trio

from claw.errors import ClawError, NotFoundError, UsageError
from claw.kernel import clock, files
from claw.master.backup import restoring
from claw.master.backup.backups import Backups
from claw.master.confidant import confidant_of
from claw.master.configuration import Configuration
from claw.master.control.audit import AuditLog, Entry
from claw.master.handlers import backup
from claw.model.home import Home
from claw.wire import control

Json = dict[str, Any]
_SLASH = "/"


Lock = Callable[[], contextlib.AbstractContextManager[None]]


def answer(home: Home, configuration: Configuration, asked: Any, lock: Lock) -> bytes:
    """Carry out a request, and return the answer, a line as the protocol has it.

    Args:
        home: The home.
        configuration: As far as it could be loaded.
        asked: An object: ``method``, ``params``.
        lock: Holds the home, so that no master starts; raises a ClawError if one is there.
    """
    try:
        params = dict(asked["params"])
        act = _METHODS[asked["method"]]
    except (ValueError, LookupError, TypeError):
        return control.encode_error(1, UsageError("--backup is for clawctl: clawctl backup -h"))
    one = _Offline(home, configuration)
    is_changing = asked["method"] != "backup.list" and not params.get("dry_run")
    try:
        with lock() if is_changing else contextlib.nullcontext():
            result = trio.run(act, one, params)
    except ClawError as error:
        return control.encode_error(1, error)
    return control.encode_result(1, result)


class _Offline:
    """A home without a master."""

    def __init__(self, home: Home, configuration: Configuration) -> None:
        self.home = home
        self.configuration = configuration
        self.backups = Backups(
            home, configuration, confidant_of(home, configuration.get, environment=os.environ)
        )


async def _create(one: _Offline, params: Mapping[str, Any]) -> Json:
    if not files.exists(one.home.database):
        raise NotFoundError(
            f"there is nothing to back up: no database in {one.home.state}",
            hint="clawctl config paths shows which home is meant",
        )
    return await backup.created(one.backups, params)


async def _list(one: _Offline, params: Mapping[str, Any]) -> Json:
    return await backup.listed(one.backups, params)


async def _prune(one: _Offline, params: Mapping[str, Any]) -> Json:
    return await backup.pruned(one.backups, params)


async def _restore(one: _Offline, params: Mapping[str, Any]) -> Json:
    """Restore; a word without a slash is a backup's id, anything else a file or an address."""
    word, is_dry = str(params["backup"]), bool(params.get("dry_run"))
    if _SLASH in word and not word.startswith("s3:"):
        return _restored(one, word, params, is_dry=is_dry)
    to, _, name = word.rpartition(_SLASH)
    files.make_folder(one.home.state)
    with tempfile.TemporaryDirectory(prefix=".fetched-", dir=one.home.state) as folder:
        path = f"{folder}/backup.tar.gz"
        found = await one.backups.fetch(name, path, to or str(params.get("to", "")))
        return {**_restored(one, path, params, is_dry=is_dry), "file": found.name}


def _restored(one: _Offline, path: str, params: Mapping[str, Any], *, is_dry: bool) -> Json:
    home, place = one.home, one.configuration.place
    config = home.config if place == home.config else None
    if not files.exists(path):
        raise NotFoundError(f"there is no {path}", hint="clawctl backup list")
    done = restoring.restore(
        home, config, path, clock.now(), force=bool(params.get("force")), is_dry=is_dry
    )
    if not is_dry:
        _write_down(home, path, done.about)
    return restoring.shown(done, path, is_dry=is_dry)


def _write_down(home: Home, path: str, about: Mapping[str, Any]) -> None:
    """Add to the audit log that somebody has restored the home."""
    uid = os.geteuid()
    audit = AuditLog(home.audit_log)
    params = {"backup": path, "at": about["at"], "home": about["home"]}
    try:
        audit.append(
            Entry(
                at=clock.now(), uid=uid, user=f"uid {uid}", role="admin", pid=os.getpid(),
                method="backup.restore", params=params, outcome="ok",
            )
        )  # fmt: skip
    finally:
        audit.close()


_METHODS: dict[str, Callable[[_Offline, Mapping[str, Any]], Awaitable[Json]]] = {
    "backup.create": _create,
    "backup.list": _list,
    "backup.prune": _prune,
    "backup.restore": _restore,
}
