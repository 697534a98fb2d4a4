"""The spool folders: read whole for a rebuild, removed when they have served."""

import contextlib
import logging
import os
import shutil
from collections.abc import Iterable, Iterator
from datetime import timedelta

import trio

from claw.errors import StoreError
from claw.kernel import clock, files
from claw.master.asyncstore import AsyncStore
from claw.master.engine.histories import Spool
from claw.model.home import Home
from claw.wire import supervision

_LOG = logging.getLogger("claw.spools")
KEPT = timedelta(days=2)
"""How long the journal of a settled run is kept, for a rebuild after damage."""
_LOOK_S = 3600.0


def list_spools(home: Home) -> list[str]:
    """Return the ids of all supervisors that have a spool, oldest first."""
    try:
        return sorted(os.listdir(home.spool))  # noqa: PTH208
    except FileNotFoundError:
        return []


def journal_sizes(home: Home) -> dict[str, int]:
    """Return how long the journal of each supervisor is; 0 when it has written none."""
    sizes = dict.fromkeys(list_spools(home), 0)
    for sid in sizes:
        with contextlib.suppress(OSError):
            sizes[sid] = files.size_at(f"{home.spool}/{sid}/journal")
    return sizes


def read_spools(home: Home, sids: Iterable[str]) -> Iterator[Spool]:
    """Yield the journals of some supervisors; of those that have written none, nothing."""
    for sid in sids:
        data = files.read_from(f"{home.spool}/{sid}/journal", 0)
        if data:
            yield Spool(sid, data)


async def serve_pruning(home: Home, store: AsyncStore) -> None:
    """Remove the spools of runs that were settled long ago, now and then."""
    while True:
        try:
            while await _prune(home, store):
                pass
        except (StoreError, OSError) as error:
            _LOG.warning("old spools cannot be removed, trying again later: %s", error)
        await trio.sleep(_LOOK_S)


async def _prune(home: Home, store: AsyncStore) -> bool:
    """Remove some old spools; True when there may be more."""
    older_than = clock.now() - KEPT
    old = await store.read(lambda tx: tx.prunable_spools(older_than))
    for sid in old:
        await trio.to_thread.run_sync(remove, home, sid)
        await store.write(lambda tx, sid=sid: tx.delete_supervisor(sid))  # type: ignore[misc]
    return bool(old)


def remove(home: Home, sid: str) -> None:
    """Remove a spool, and the launch files of the attempts that it tells of."""
    folder = f"{home.spool}/{sid}"
    for line in files.read_from(f"{folder}/journal", 0).splitlines():
        message = supervision.decode(line)
        if message is not None and message.get("ev") in {"launch", "restarting"}:
            files.remove(f"{home.launches}/{message['run']}.{message['attempt']}")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(home.supervisor_run(sid), ignore_errors=True)
