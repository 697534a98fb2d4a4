"""All metrics as one text, for who asks and for the file of ``daemon.metrics_file``."""

import importlib
from functools import partial

import trio

from claw.kernel import clock
from claw.master.handlers.replies import live_view
from claw.master.metrics import counting, gathering
from claw.master.output import logs
from claw.master.output.sharing import Shared
from claw.master.views import statusview
from claw.master.wiring import Json, Services

_AT_ONCE = 100


_shared = Shared[str]()


async def text(services: Services) -> str:
    """Return the metrics as Prometheus reads them; all who ask at once get the same.

    Raises:
        StoreError: They cannot be read.
        OSError: There is no room for another thread.
    """
    return await _shared.get(partial(_text, services))


async def _text(services: Services) -> str:
    config, now = services.config.current, clock.now()
    if services.store.trouble is None:
        await counting.count_events(services.store, config)
    found = await services.store.read(partial(gathering.read, config=config, now=now))
    shown = await _shown(services, found)
    flags = services.supervisors.flags
    live = gathering.Live(
        now=now,
        started_at=services.started_at,
        is_changed=await services.has_changed_files(),
        is_failing=services.store.trouble is not None,
        silent=sum(statusview.UNRESPONSIVE in flags(sid) for sid in found.sids),
        last_backup_at=services.backups.standing.last_at,
    )
    return await logs.in_thread(partial(_render, services, found, shown, live))


async def _shown(services: Services, found: gathering.Reading) -> list[Json]:
    """Return the jobs of the configuration as ``status`` has them."""
    live, shown = live_view(services), list[Json]()
    for number, job in enumerate(services.config.current.jobs):
        if not job.step_of:
            shown += statusview.job_objects(job, found.look, live)
        if number % _AT_ONCE == _AT_ONCE - 1:
            await trio.lowlevel.checkpoint()  # others come between a thousand jobs
    return shown


def _render(
    services: Services, found: gathering.Reading, shown: list[Json], live: gathering.Live
) -> str:
    values = gathering.values(services.config.current, found, shown, live)
    values |= gathering.of_disks(services.home)
    exposition = importlib.import_module("claw.master.metrics.exposition")
    result: str = exposition.text_of(values)
    return result
