"""What lies about of runs that are over: removed at the start, and from then on as they end."""

from functools import partial

import trio

from claw.master.asyncstore import AsyncStore
from claw.master.supervision import results
from claw.model.home import Home


async def sweep_results(home: Home, store: AsyncStore) -> None:
    """Remove what runs have left that ended while nobody could take it in."""
    used = {run.id for run in await store.read(lambda tx: tx.active_runs())}
    await trio.to_thread.run_sync(partial(results.sweep, home, used))
